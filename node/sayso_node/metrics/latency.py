"""How long requests over HTTP take, by operation and class of status.

Both labels are from lists of ours, so no request can create a new series. Streams of events, which
last as long as their listener, are not measured.
"""

import time
from bisect import bisect_left
from collections.abc import Callable, Iterator
from itertools import accumulate
from typing import Final

from prometheus_client import CollectorRegistry
from prometheus_client.core import HistogramMetricFamily
from prometheus_client.registry import Collector

NAME: Final = "sayso_http_request_duration_seconds"
BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0, float("inf"))


class Latency(Collector):
    """Measures requests into a registry; unlike a Histogram's, a record takes no locks."""

    def __init__(
        self, registry: CollectorRegistry, seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self.seconds = seconds
        self._counts: dict[tuple[str, int], list[int]] = {}  # by operation and class; one a bucket
        self._sums: dict[tuple[str, int], float] = {}
        registry.register(self)

    def took(self, operation: str, status: int, seconds: float) -> None:
        """Record a request; an operation without a name is a route that does not exist."""
        key = operation, status // 100
        if (counts := self._counts.get(key)) is None:
            counts = self._counts[key] = [0] * len(BUCKETS_S)
            self._sums[key] = 0.0
        counts[bisect_left(BUCKETS_S, seconds)] += 1
        self._sums[key] += max(seconds, 0.0)

    def collect(self) -> Iterator[HistogramMetricFamily]:
        """Yield the histogram in the form of the registry."""
        family = HistogramMetricFamily(
            NAME, "Seconds from the head of a request to its answer.", labels=("operation", "status")
        )
        bounds = ["+Inf" if one == float("inf") else repr(one) for one in BUCKETS_S]
        for (operation, kind), counts in self._counts.items():
            buckets = [*zip(bounds, map(float, accumulate(counts)), strict=True)]
            labels = (operation or "none", f"{kind}xx")
            family.add_metric(labels, buckets, self._sums[operation, kind])
        yield family
