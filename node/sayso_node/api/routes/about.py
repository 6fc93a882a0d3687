"""Information about the node: /v1/node, /v1/peers, /healthz, /readyz and /metrics."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final

import msgspec
from aiohttp import web

from sayso_node.api.http.route import Route, RouteAnswer
from sayso_node.api.schema.about import HeadJson, Health, NodeJson, PeerJson, Peers, Ready, UnreadyJson
from sayso_node.api.schema.operations import Operation
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock, PeerList
from sayso_node.readiness import READY_AGE_S, Readiness
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.primitives import hex_text

NODE: Final = Operation(
    "GET", "/v1/node", "node", "Name, key, network, block and counters of this node.", NodeJson
)
PEERS: Final = Operation("GET", "/v1/peers", "peers", "Configured and connected peers.", Peers)
HEALTH: Final = Operation("GET", "/healthz", "healthz", "The process runs.", Health)
READY: Final = Operation(
    "GET",
    "/readyz",
    "readyz",
    "The node can give current answers.",
    Ready,
    {200: "Here it is.", 503: "It is not ready; `reasons` says why."},
)
METRICS: Final = Operation(
    "GET",
    "/metrics",
    "metrics",
    "Counters, gauges and latencies in Prometheus text format.",
    offers=("text/plain",),
)


class AboutRoutes:
    """Answers about the node itself."""

    def __init__(
        self,
        description: NodeJson,
        transport: PeerList,
        freshness: Freshness,
        clock: Clock,
        counters: Callable[[], Mapping[str, int]],
        addresses: Callable[[], Awaitable[list[str]]],
        metrics: Callable[[], Awaitable[bytes]],
        alarms: Alarms,
        parts_down: Callable[[], list[str]],
        readiness: Readiness,
    ) -> None:
        self._description = description
        self._transport = transport
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._addresses = addresses
        self._metrics = metrics
        self._alarms = alarms
        self._parts_down = parts_down
        self._readiness = readiness

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [
            Route(NODE, self.node),
            Route(PEERS, self.peers),
            Route(HEALTH, self.health),
            Route(READY, self.ready),
            Route(METRICS, self.metrics),
        ]

    async def node(self, _request: web.BaseRequest) -> NodeJson:
        """Return name, key, network, block and counters."""
        head = self._freshness.head
        number, time = head.point.number, head.time
        return msgspec.structs.replace(
            self._description,
            time=self._clock.now(),
            block=HeadJson(number, hex_text(head.point.hash), time) if number else None,
            listen=await self._addresses(),
            counters=dict(self._counters()),
        )

    async def peers(self, _request: web.BaseRequest) -> Peers:
        """Return configured and connected peers."""
        peers = await self._transport.peers()
        return Peers([PeerJson(one.peer_id, one.address, one.connected) for one in peers])

    async def health(self, _request: web.BaseRequest) -> Health:
        """Answer that the process runs."""
        return Health(ok=True)

    async def ready(self, _request: web.BaseRequest) -> RouteAnswer:
        """Answer whether the view of chain and peers is current and all parts run."""
        reasons = [UnreadyJson(*one) for one in self._readiness.reasons()]
        silence = self._freshness.view(self._clock.now(), READY_AGE_S).silence
        ready = silence is None and not reasons
        full = self._counters()["marks_merged"] > 0  # rule 7.15
        alarms = sorted(self._alarms.active())
        body = Ready(ready, reasons, silence, self._parts_down(), full, alarms)
        return RouteAnswer(body, 200 if ready else 503)

    async def metrics(self, _request: web.BaseRequest) -> web.Response:
        """Return metrics in Prometheus text format 0.0.4."""
        return web.Response(body=await self._metrics(), content_type="text/plain", charset="utf-8")
