"""The HTTP server, with its routes and limits."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from sayso_node.api.http.bodies import HELD_BYTES, SOURCE_BYTES, BodyRoom
from sayso_node.api.http.connections import Connections
from sayso_node.api.http.responder import Responder
from sayso_node.api.http.route import Route
from sayso_node.metrics.latency import Latency
from sayso_node.sources import Proxies

SHUTDOWN_S = 2.0


class HttpServer:
    """Serves routes on one address.

    Args:
        host: Name or address to listen on.
        port: TCP port.
        routes: What is served.
        closing: End answers that would not end by themselves.
        proxies: Reverse proxies, which say for whom they ask.
        latency: Measures how long requests take.
    """

    def __init__(
        self,
        host: str,
        port: int,
        routes: Iterable[Route],
        closing: Iterable[Callable[[], Awaitable[None]]] = (),
        proxies: Proxies | None = None,
        latency: Latency | None = None,
    ) -> None:
        self._room, proxies = BodyRoom(HELD_BYTES, SOURCE_BYTES), proxies or Proxies()
        self._connections = Connections(self._room, proxies)
        self._responder = Responder(routes, self._room, proxies, latency)
        self._runner: web.ServerRunner | None = None
        self._host = host
        self._port = port
        self._closing = tuple(closing)
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises OSError when the address is in use."""
        server = web.Server(self._responder.answer)
        self._runner = web.ServerRunner(server, shutdown_timeout=SHUTDOWN_S)
        await self._runner.setup()
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: self._connections.welcome(server), self._host, self._port, backlog=1_024
        )

    async def stop(self) -> None:
        """Finish the requests in progress and close."""
        if self._listening:
            self._listening.close()
        for close in self._closing:
            await close()
        if self._runner:
            await self._runner.cleanup()
