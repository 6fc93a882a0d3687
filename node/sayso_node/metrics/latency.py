"""How long requests over HTTP take, by operation and class of status.

Both labels are from lists of ours, so no request can create a new series. Streams of events, which
last as long as their listener, are not measured.
"""

import time
from collections.abc import Callable
from typing import Final

from prometheus_client import CollectorRegistry, Histogram, disable_created_metrics

NAME: Final = "sayso_http_request_duration_seconds"
BUCKETS_S: Final = (0.001, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 10.0, 60.0)

disable_created_metrics()  # type: ignore[no-untyped-call] # a second series for each, which says when it began


class Latency:
    """Measures requests into a registry."""

    def __init__(
        self, registry: CollectorRegistry, seconds: Callable[[], float] = time.perf_counter
    ) -> None:
        self.seconds = seconds
        self._histogram = Histogram(
            NAME,
            "Seconds from the head of a request to its answer.",
            ("operation", "status"),
            registry=registry,
            buckets=BUCKETS_S,
        )
        self._series: dict[tuple[str, int], Histogram] = {}  # finding one costs more than to observe

    def took(self, operation: str, status: int, seconds: float) -> None:
        """Record a request; an operation without a name is a route that does not exist."""
        key = operation, status // 100
        series = self._series.get(key)
        if series is None:
            series = self._histogram.labels(operation or "none", f"{status // 100}xx")
            self._series[key] = series
        series.observe(max(seconds, 0.0))
