"""The one middleware: notes which request a connection handles, answers it, and measures its time.

It is one because each layer of middleware costs a coroutine a request.
"""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sayso_node.api.http.connections import HttpConnection
from sayso_node.api.http.negotiation import negotiated
from sayso_node.api.http.route import operation_of
from sayso_node.metrics.latency import Latency


def answering(latency: Latency | None) -> Middleware:
    """Return the middleware; a stream that lasts as long as its listener is not measured."""

    @web.middleware
    async def answered(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = latency.seconds() if latency else 0.0
        connection, operation = request.protocol, operation_of(request)
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
