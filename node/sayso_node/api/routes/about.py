"""Who this node is and how it is: /v1/node, /v1/peers, /healthz, /readyz, /metrics."""

import dataclasses
from collections.abc import Awaitable, Callable, Mapping
from typing import Any

from aiohttp import web

from sayso_node.alarms import NAMES as ALARMS
from sayso_node.alarms import Alarms
from sayso_node.counters import names
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock, Transport
from sayso_protocol.primitives import hex_text

READY_AGE_S = 120.0  # older than this, a node is no use to somebody who asks


class AboutRoutes:
    """Tells about the node itself."""

    def __init__(
        self,
        description: Mapping[str, Any],
        network: Transport,
        freshness: Freshness,
        clock: Clock,
        counters: Callable[[], Mapping[str, int]],
        addresses: Callable[[], Awaitable[list[str]]],
        alarms: Alarms,
        parts_down: Callable[[], list[str]],
    ) -> None:
        self._description = description
        self._network = network
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._addresses = addresses
        self._alarms = alarms
        self._parts_down = parts_down

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [
            web.get("/v1/node", self.node),
            web.get("/v1/peers", self.peers),
            web.get("/healthz", self.health),
            web.get("/readyz", self.ready),
            web.get("/metrics", self.metrics),
        ]

    async def node(self, _request: web.Request) -> web.Response:
        """Name, key, network, block and counters."""
        head = self._freshness.head
        block = {"number": head.point.number, "hash": hex_text(head.point.hash), "time": head.time}
        body = {
            **self._description,
            "time": self._clock.now(),
            "block": block if head.point.number else None,
            "listen": await self._addresses(),
            "counters": dict(self._counters()),
        }
        return web.json_response(body)

    async def peers(self, _request: web.Request) -> web.Response:
        """Configured and connected peers."""
        peers = [dataclasses.asdict(peer) for peer in await self._network.peers()]
        return web.json_response({"peers": peers})

    async def health(self, _request: web.Request) -> web.Response:
        """The process answers."""
        return web.json_response({"ok": True})

    async def ready(self, _request: web.Request) -> web.Response:
        """Its answers are worth asking for: chain and peers were read lately, and all parts run."""
        down = self._parts_down()
        ready = self._freshness.is_current(self._clock.now(), READY_AGE_S) and not down
        body = {
            "ready": ready,
            "parts_down": down,
            "marks_full": self._counters()["marks_lost"] > 0,  # rule 7.15
            "alarms": self._alarms.active(),
        }
        return web.json_response(body, status=200 if ready else 503)

    async def metrics(self, _request: web.Request) -> web.Response:
        """Prometheus text format 0.0.4."""
        lines, help_texts = [], names()
        for name, value in self._counters().items():
            help_text = help_texts.get(name, "counted by the peer-to-peer process")
            metric = f"sayso_{name}_total"
            lines += [f"# HELP {metric} {help_text}", f"# TYPE {metric} counter", f"{metric} {value}"]
        lines += ["# HELP sayso_alarm 1 while it stands", "# TYPE sayso_alarm gauge"]
        active = self._alarms.active()
        lines += [f'sayso_alarm{{name="{name}"}} {int(name in active)}' for name in ALARMS]
        return web.Response(text="\n".join(lines) + "\n", content_type="text/plain")
