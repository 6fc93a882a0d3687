"""The connections of the HTTP server: how many there may be, and what is said to what is no HTTP.

When there are too many, the one that has been idle longest makes room, and if none is idle, the one that
has been sending a body longest: whoever only holds connections open keeps nobody out. A connection that
sends no whole request head in time is closed.
"""

import asyncio
import logging
import resource
from itertools import chain
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import ContentEncodingError
from aiohttp.typedefs import Handler
from aiohttp.web_request import BaseRequest

from sayso_node.api.http.bodies import ENCODINGS, BodyRoom
from sayso_node.api.http.negotiation import rendered
from sayso_node.api.http.responses import refusal
from sayso_node.errors import BadRequest, UnsupportedMediaType
from sayso_protocol.errors import SaysoError

CONNECTIONS: Final = 1_024  # or as many as half of the open files that the process may have
HEAD_S: Final = 20.0  # for the head of a request, and between two requests
LINGER_S: Final = 2.0  # for a body that nobody reads
LINE_BYTES: Final = 8_190
HEADERS: Final = 64

log = logging.getLogger(__name__)


class HttpConnection(web.RequestHandler):
    """One connection; what it cannot read as HTTP is refused in the one shape."""

    __slots__ = ("_connections", "is_busy")

    def __init__(self, connections: "Connections", server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = connections
        self.is_busy = False  # whether a route has a request of it at hand

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Now it counts, and not before: many may have been accepted at once."""
        super().connection_made(transport)
        self._connections.make_room(self)

    def handle_error(
        self,
        request: BaseRequest,
        status: int = 500,  # noqa: ARG002 - the form of the method is aiohttp's
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats what was sent
    ) -> web.StreamResponse:
        """The answer to what is no HTTP; the connection ends with it."""
        log.debug("no HTTP from %s: %s", request.remote, exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had begun")
        response = rendered(refusal(_wrong(exc)))
        response.force_close()
        return response


@web.middleware
async def noted(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Note on the connection for how long a route has a request of it at hand."""
    connection = request.protocol
    if not isinstance(connection, HttpConnection):
        return await handler(request)
    connection.is_busy = True
    try:
        return await handler(request)
    finally:
        connection.is_busy = False


def _wrong(error: BaseException | None) -> SaysoError:
    # One that is unpacked is named when the body is not in it; it is a fault of the body then.
    if isinstance(error, ContentEncodingError) and error.message.split(": ")[-1] not in ENCODINGS:
        return UnsupportedMediaType("the body is in an encoding that this server does not unpack")
    return BadRequest("this is not a request in HTTP/1.1 within the server's limits")


class Connections:
    """Makes connections, and room for them."""

    def __init__(self, room: BodyRoom, limit: int | None = None) -> None:
        self._room = room
        self._limit = limit or min(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._server: web.Server | None = None

    def welcome(self, server: web.Server) -> asyncio.Protocol:
        """The protocol of a new connection."""
        self._server = server
        return HttpConnection(
            self,
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,
            keepalive_timeout=HEAD_S,
            lingering_time=LINGER_S,
            max_line_size=LINE_BYTES,
            max_field_size=LINE_BYTES,
            max_headers=HEADERS,
        )

    def make_room(self, newcomer: HttpConnection) -> None:
        """When there is one too many, whoever waits for nothing of ours goes, the oldest first."""
        assert self._server  # noqa: S101 - it made the newcomer
        made = (one for one in self._server.connections if isinstance(one, HttpConnection))
        open_ = [one for one in made if one.transport]
        if len(open_) > self._limit:
            idle = (one for one in open_ if not one.is_busy and one is not newcomer)
            senders = (one for one in self._room.senders if one.transport)
            next(chain(idle, senders, [newcomer])).force_close()
