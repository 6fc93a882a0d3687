"""The HTTP server, with its routes, limits and middleware."""

import asyncio
from collections.abc import Awaitable, Callable, Iterable

from aiohttp import web

from sayso_node.api.http.bodies import HELD_BYTES, ROOM, BodyRoom
from sayso_node.api.http.connections import Connections, noted
from sayso_node.api.http.negotiation import negotiated
from sayso_node.api.http.route import OPERATIONS, Route, add

SHUTDOWN_S = 2.0


class HttpServer:
    """Serves routes on one address; `closing` ends answers that would not end by themselves."""

    def __init__(
        self,
        host: str,
        port: int,
        routes: Iterable[Route],
        closing: Iterable[Callable[[], Awaitable[None]]] = (),
    ) -> None:
        room = BodyRoom(HELD_BYTES)
        self._connections = Connections(room)
        self._app = app = web.Application(middlewares=[noted, negotiated])
        app[ROOM] = room
        app[OPERATIONS] = {}
        for route in routes:
            add(app, route)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self._host = host
        self._port = port
        self._closing = tuple(closing)
        self._listening: asyncio.Server | None = None

    async def start(self) -> None:
        """Listen; raises OSError when the address is in use."""
        await self._runner.setup()
        server = self._runner.server
        assert server  # noqa: S101 - setup() created it
        self._listening = await asyncio.get_running_loop().create_server(
            lambda: self._connections.welcome(server), self._host, self._port, backlog=1_024
        )

    async def stop(self) -> None:
        """Finish the requests in progress and close."""
        if self._listening:
            self._listening.close()
        for close in self._closing:
            await close()
        await self._runner.cleanup()
