"""A route: an operation and what answers it; middleware finds the operation of a request here."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple, cast

from aiohttp import web
from aiohttp.typedefs import Handler as AiohttpHandler
from msgspec import Struct

from sayso_node.api.schema.operations import Operation


class RouteAnswer(NamedTuple):
    """A value with a status of its own."""

    value: Struct
    status: int = 200
    headers: Mapping[str, str] = {}


Result = Struct | RouteAnswer | web.StreamResponse  # a value is turned into its form by `negotiated`
Handler = Callable[[web.Request], Awaitable[Result]]


class Route(NamedTuple):
    """What the server is given."""

    operation: Operation
    handler: Handler


NOWHERE: Final = Operation("", "", "", "There is no such route.", query=None)
OPERATIONS: Final = web.AppKey("operations", dict[web.AbstractRoute, Operation])


def add(app: web.Application, route: Route) -> None:
    """Serve a route; GET answers HEAD, too, unless the operation says no."""
    operation, handler = route
    resource = app.router.add_resource(operation.path)
    methods = [operation.method]
    if operation.method == "GET" and operation.has_head:
        methods.append("HEAD")
    for method in methods:
        # The middleware makes a response of whatever a handler gives.
        added = resource.add_route(method, cast("AiohttpHandler", handler))
        app[OPERATIONS][added] = operation


def operation_of(request: web.Request) -> Operation:
    """What the route of a request declares."""
    return request.app[OPERATIONS].get(request.match_info.route, NOWHERE)
