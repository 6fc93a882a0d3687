"""All metrics of a node in Prometheus' text format: counters, gauges, the process, latencies of HTTP."""

import asyncio
from collections.abc import Callable, Iterable, Iterator, Mapping

from prometheus_client import CollectorRegistry, ProcessCollector, generate_latest
from prometheus_client.metrics_core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from sayso_node.interfaces import PeerList
from sayso_node.metrics.gauges import GAUGES, Gauges, Sample
from sayso_node.metrics.latency import Latency

PREFIX = "sayso_"


class Metrics:
    """Everything that /metrics answers."""

    def __init__(
        self,
        gauges: Gauges,
        transport: PeerList,
        counters: Callable[[], Mapping[str, int]],
        meanings: Mapping[str, str],
    ) -> None:
        """Publish `counters`, whose names `meanings` explains, beside the gauges."""
        self._gauges = gauges
        self._transport = transport
        self._counters = counters
        self._meanings = meanings
        self._registry = CollectorRegistry()
        self.latency = Latency(self._registry)
        ProcessCollector(registry=self._registry)

    async def text(self) -> bytes:
        """Return the text format, version 0.0.4."""
        known = list(self._gauges.known(await self._transport.peers()))
        counted = _counted(self._counters(), self._meanings)
        stored = await asyncio.to_thread(lambda: list(self._gauges.stored()))
        return _written([*counted, *_gauged([*known, *stored])]) + generate_latest(self._registry)


class _Once(Collector):
    """Families that are written once."""

    def __init__(self, families: list[Metric]) -> None:
        self._families = families

    def collect(self) -> Iterable[Metric]:
        return self._families


def _written(families: list[Metric]) -> bytes:
    registry = CollectorRegistry()
    registry.register(_Once(families))
    return generate_latest(registry)


def _counted(counters: Mapping[str, int], meanings: Mapping[str, str]) -> list[Metric]:
    return [
        CounterMetricFamily(f"{PREFIX}{name}", meanings[name], value=value)
        for name, value in counters.items()
    ]


def _gauged(samples: Iterable[Sample]) -> Iterator[Metric]:
    families: dict[str, GaugeMetricFamily] = {}
    for name, value, labels in samples:
        if name not in families:
            families[name] = GaugeMetricFamily(f"{PREFIX}{name}", GAUGES[name], labels=[*labels])
        families[name].add_metric([*labels.values()], float(value))
    yield from families.values()
