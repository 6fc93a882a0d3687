"""Routes: an operation and its handler."""

from collections.abc import Awaitable, Callable, Mapping
from typing import Final, NamedTuple

from aiohttp import web
from msgspec import Struct

from sayso_node.api.schema.operations import Operation

PLACE: Final = web.RequestKey("place", Mapping[str, str])  # the parameters of its path, by name


class RouteAnswer(NamedTuple):
    """A value with a status and headers."""

    value: Struct
    status: int = 200
    headers: Mapping[str, str] = {}


Result = Struct | RouteAnswer | web.StreamResponse  # `negotiated` encodes a value
Handler = Callable[[web.BaseRequest], Awaitable[Result]]


class Route(NamedTuple):
    """A path and its handler, with the operation that describes them."""

    operation: Operation
    handler: Handler
