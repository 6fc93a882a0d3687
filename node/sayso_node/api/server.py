"""The HTTP server: routes, limits and the one error shape, put together."""

from collections.abc import Iterable

from aiohttp import web

from sayso_node.api.responses import errors_as_json

BODY_BYTES = 256 * 1024 * 1024  # a million rows of JSON
SHUTDOWN_S = 2.0


class HttpServer:
    """Serves routes on one address."""

    def __init__(self, host: str, port: int, routes: Iterable[web.RouteDef]) -> None:
        app = web.Application(middlewares=[errors_as_json], client_max_size=BODY_BYTES)
        app.add_routes(routes)
        self._runner = web.AppRunner(app, access_log=None, shutdown_timeout=SHUTDOWN_S)
        self._host = host
        self._port = port

    async def start(self) -> None:
        """Listen; raises OSError when the address is taken."""
        await self._runner.setup()
        await web.TCPSite(self._runner, self._host, self._port).start()

    async def stop(self) -> None:
        """Finish requests under way and close."""
        await self._runner.cleanup()
