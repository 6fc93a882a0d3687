"""Measures how long each request takes, by the operation that it asks for."""

from aiohttp import web
from aiohttp.typedefs import Handler, Middleware

from sayso_node.api.http.route import operation_of
from sayso_node.metrics.latency import Latency


def measuring(latency: Latency) -> Middleware:
    """Return the outermost middleware; a stream that lasts as long as its listener is not measured."""

    @web.middleware
    async def measured(request: web.Request, handler: Handler) -> web.StreamResponse:
        begun = latency.seconds()
        response = await handler(request)
        if isinstance(response, web.Response):
            latency.took(operation_of(request).name, response.status, latency.seconds() - begun)
        return response

    return measured
