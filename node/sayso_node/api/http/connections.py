"""The connections of the HTTP server: their limits, and the answer to invalid HTTP.

When there are too many, one of the source with most is closed: the one that has been idle longest, or
else that has been sending a body longest, or else the oldest; so nobody can block others by holding
connections open, also not by reading slowly. If no source has more than that of the newcomer, only idle
and sending ones make room. A connection without a complete request head in time is closed.
"""

import asyncio
import resource
from collections import Counter
from itertools import chain
from typing import Any, Final

from aiohttp import web
from aiohttp.http_exceptions import HttpProcessingError

from sayso_node.api.http.bodies import BodyRoom
from sayso_node.api.http.negotiation import rendered
from sayso_node.api.http.responses import refusal
from sayso_node.api.http.shares import source_of
from sayso_node.errors import BadRequest
from sayso_node.sources import Proxies
from sayso_node.supervision.logs import logger

CONNECTIONS: Final = 1_024  # or half of the open files that the process may have, if that is less
HEAD_S: Final = 20.0  # for the head of a request, and between two requests
LINGER_S: Final = 2.0  # for a body that no route reads
LINE_BYTES: Final = 8_190
HEADERS: Final = 64

log = logger(__name__)


class HttpConnection(web.RequestHandler):
    """One connection; input that is not valid HTTP gets an error in the API's one form."""

    __slots__ = ("_connections", "request")

    def __init__(self, connections: "Connections", server: web.Server, **options: Any) -> None:
        super().__init__(server, **options)
        self._connections = connections
        self.request: web.BaseRequest | None = None  # that a route handles at the moment

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        """Count the connection, only now because many may have been accepted at once."""
        super().connection_made(transport)
        self._connections.make_room(self)

    def source(self, proxies: Proxies) -> str:
        """Return who uses the connection: behind a proxy, whoever sent the request in progress."""
        if self.request:
            return source_of(self.request)
        peer = self.transport.get_extra_info("peername") if self.transport else None
        return proxies.source(peer[0] if peer else None)

    def cut(self) -> None:
        """Close the connection at once; what it has not read by now is lost."""
        transport = self.transport
        self.force_close()
        if transport:
            transport.abort()

    def log_exception(self, *args: Any, **named: Any) -> None:
        """Log what we did; what a client did, such as half a body, gets no line."""
        error = named.get("exc_info")
        if not isinstance(error, (web.RequestPayloadError, HttpProcessingError, ConnectionError)):
            super().log_exception(*args, **named)

    def handle_error(
        self,
        request: web.BaseRequest,
        status: int = 500,  # noqa: ARG002 - required by aiohttp
        exc: BaseException | None = None,
        message: str | None = None,  # noqa: ARG002 - it repeats the request
    ) -> web.StreamResponse:
        """Answer invalid HTTP and close the connection."""
        log.debug("http-invalid", error=exc)
        if request.writer.output_size > 0:
            raise ConnectionError("the answer had already begun")
        wrong = BadRequest("this is not an HTTP/1.1 request within the server's limits")
        response = rendered(refusal(wrong))
        response.force_close()
        return response


class Connections:
    """Creates connections and closes old ones when there are too many."""

    def __init__(self, room: BodyRoom, proxies: Proxies) -> None:
        self._room = room
        self._proxies = proxies
        self._limit = min(CONNECTIONS, resource.getrlimit(resource.RLIMIT_NOFILE)[0] // 2)
        self._server: web.Server | None = None

    def welcome(self, server: web.Server) -> asyncio.Protocol:
        """Return the protocol object for a new connection."""
        self._server = server
        return HttpConnection(
            self,
            server,
            loop=asyncio.get_running_loop(),
            access_log=None,
            auto_decompress=False,  # bodies.py does it, within limits
            keepalive_timeout=HEAD_S,
            lingering_time=LINGER_S,
            max_line_size=LINE_BYTES,
            max_field_size=LINE_BYTES,
            max_headers=HEADERS,
        )

    def make_room(self, newcomer: HttpConnection) -> None:
        """Close a connection of the source with most, if one is too many."""
        assert self._server  # noqa: S101 - it created the connection
        made = (one for one in self._server.connections if isinstance(one, HttpConnection))
        open_ = [one for one in made if one.transport]
        if len(open_) <= self._limit:
            return
        sources = {one: one.source(self._proxies) for one in open_}
        counts = Counter(sources.values())
        most = max(counts.values())
        others = [one for one in open_ if counts[sources[one]] == most and one is not newcomer]
        idle = (one for one in others if not one.request)
        senders = (one for one in self._room.senders if one in sources and counts[sources[one]] == most)
        busy = others if most > counts[sources[newcomer]] else [newcomer]
        next(chain(idle, senders, busy)).cut()
