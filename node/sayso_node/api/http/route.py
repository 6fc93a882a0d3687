"""Routes: an operation and its handler; middleware finds the operation of a request here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, cast

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from msgspec import Struct

from sayso_node.api.schema.operations import Operation


class RouteAnswer(NamedTuple):
    """A value with a status and headers."""

    value: Struct
    status: int = 200
    headers: Mapping[str, str] = {}


Result = Struct | RouteAnswer | web.StreamResponse  # `negotiated` encodes a value
Handler = Callable[[web.Request], Awaitable[Result]]


class Route(NamedTuple):
    """A path and its handler, with the operation that describes them."""

    operation: Operation
    handler: Handler


NOWHERE: Final = Operation("", "", "", "This route does not exist.", query=None)
OPERATIONS: Final = web.AppKey("operations", dict[web.AbstractRoute, Operation])


def add(app: web.Application, route: Route) -> None:
    """Register a route; GET also answers HEAD, unless the operation excludes it."""
    operation, handler = route
    resource = app.router.add_resource(operation.path)
    methods = [operation.method]
    if operation.method == "GET" and operation.has_head:
        methods.append("HEAD")
    for method in methods:
        # The middleware converts a handler's value to a response.
        added = resource.add_route(method, cast("AiohttpHandler", handler))
        app[OPERATIONS][added] = operation


def operation_of(request: web.Request) -> Operation:
    """Return the operation of a request's route."""
    return request.app[OPERATIONS].get(request.match_info.route, NOWHERE)
