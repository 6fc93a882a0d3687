"""How requests are answered: each is noted at its connection, and its answer negotiated and measured.

The server is aiohttp's without its `Application`, whose router and middlewares cost a request an eighth
of what HTTP takes, and know nothing of operations.
"""

from collections.abc import Iterable

from aiohttp import web

from sayso_node.api.http.bodies import ROOM, BodyRoom
from sayso_node.api.http.connections import HttpConnection
from sayso_node.api.http.negotiation import negotiated
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.http.route_table import RouteTable
from sayso_node.api.http.shares import PROXIES
from sayso_node.metrics.latency import Latency
from sayso_node.sources import Proxies


class Responder:
    """Answers the requests of a server; the arguments are those of HttpServer."""

    def __init__(
        self, routes: Iterable[Route], room: BodyRoom, proxies: Proxies, latency: Latency | None
    ) -> None:
        self._table = RouteTable(routes)
        self._room, self._proxies, self._latency = room, proxies, latency

    async def answer(self, request: web.BaseRequest) -> web.StreamResponse:
        """Answer a request by its route; streams, which last as listeners do, are not timed."""
        latency, connection = self._latency, request.protocol
        begun = latency.seconds() if latency else 0.0
        (operation, handler), place = self._table.find(request.method, request.rel_url.path_safe)
        request[PLACE], request[ROOM], request[PROXIES] = place, self._room, self._proxies
        assert isinstance(connection, HttpConnection)  # noqa: S101 - HttpServer makes no others
        connection.request = request
        try:
            response = await negotiated(request, operation, handler)
        finally:
            connection.request = None
        if latency and isinstance(response, web.Response):
            latency.took(operation.name, response.status, latency.seconds() - begun)
        return response
