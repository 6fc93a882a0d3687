"""How a route answers: its requests are noted at their connections, negotiated and measured.

Handlers are wrapped where they are registered. A middleware would cost each request about a tenth of
its time, because aiohttp finds the middleware and the operation anew for each.
"""

from collections.abc import Iterable
from functools import partial
from typing import Final

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler

from sayso_node.api.http.connections import HttpConnection
from sayso_node.api.http.negotiation import negotiated
from sayso_node.api.http.route import Handler, Result, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.metrics.latency import Latency

NOWHERE: Final = Operation("", "/{path:.*}", "", "This route does not exist.", query=None)


def add(app: web.Application, routes: Iterable[Route], latency: Latency | None) -> None:
    """Register all routes of an app; GET also answers HEAD, unless the operation excludes it."""
    for operation, handler in routes:
        resource = app.router.add_resource(operation.path)
        has_head = operation.method == "GET" and operation.has_head
        methods = (operation.method, "HEAD") if has_head else (operation.method,)
        answering = _answering(operation, handler, latency)
        for method in methods:
            resource.add_route(method, answering)
        resource.add_route("*", _answering(NOWHERE, partial(_wrong_method, methods), latency))
    app.router.add_route("*", NOWHERE.path, _answering(NOWHERE, _nowhere, latency))


async def _wrong_method(methods: tuple[str, ...], request: web.Request) -> Result:
    raise web.HTTPMethodNotAllowed(request.method, methods)


async def _nowhere(_request: web.Request) -> Result:
    raise web.HTTPNotFound


def _answering(operation: Operation, handler: Handler, latency: Latency | None) -> AiohttpHandler:
    """Return a route's handler for aiohttp; streams, which last as listeners do, are not timed."""

    async def answered(request: web.Request) -> web.StreamResponse:
        begun = latency.seconds() if latency else 0.0
        connection = request.protocol
        if isinstance(connection, HttpConnection):
            connection.request = request
        try:
            response = await negotiated(request, operation, handler)
        finally:
            if isinstance(connection, HttpConnection):
                connection.request = None
        if latency and isinstance(response, web.Response):
            latency.took(operation.name, response.status, latency.seconds() - begun)
        return response

    return answered
