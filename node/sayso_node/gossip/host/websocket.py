"""WebSocket for libp2p: the HTTP upgrade on both sides, then a byte stream in binary messages.

The parser is wsproto, which does no I/O. Nothing is compressed, no message is held whole, and
connections count against the limits before their upgrade (ADR 0017).
"""

import contextlib
from typing import Final, TypeVar

import trio
from libp2p.io.abc import ReadWriteCloser
from libp2p.io.exceptions import ConnectionClosedError, IOException
from wsproto import ConnectionType, WSConnection
from wsproto.events import (
    AcceptConnection,
    BytesMessage,
    CloseConnection,
    Event,
    Ping,
    Request,
    TextMessage,
)
from wsproto.utilities import LocalProtocolError, ProtocolError

MAX_UPGRADE_BYTES: Final = 8 * 1024  # most that the other side may send before the upgrade is done
WEBSOCKET_READ_BYTES: Final = 32 * 1024
FRAME_BYTES: Final = 8  # least average payload of a frame, because each frame costs the same work
MAX_DEBT_BYTES: Final = 8 * 1024  # shortfall from that average at which a peer is disconnected
UNSUPPORTED: Final = 1003  # RFC 6455 status: a type of data that is not accepted

_E = TypeVar("_E", bound=Event)
_REFUSALS: Final = {400: b"Bad Request", 403: b"Forbidden"}


class UpgradeRefused(IOException):
    """The other side refused the upgrade or sent something else."""


class WebSocketStream(ReadWriteCloser):
    """A byte stream in binary messages; message boundaries have no meaning.

    Args:
        stream: The stream that carries the frames: TCP, or TLS over TCP.
        socket: The TCP socket, which close() closes without a close frame: a peer that reads nothing
            would delay that.
        connection: The wsproto connection, open.
    """

    def __init__(
        self, stream: trio.abc.Stream, socket: trio.SocketStream, connection: WSConnection
    ) -> None:
        self._stream = stream
        self._socket = socket
        self._connection = connection
        self._unread = bytearray()  # at most one receive_some
        self._ended = False
        self._debt = 0
        self._reply: Event | None = None  # a pong or a close frame; a later one replaces it
        self._reading = trio.Lock()
        self._writing = trio.Lock()
        self._take()  # data that came with the end of the upgrade

    async def read(self, n: int | None = None) -> bytes:
        """Return up to n bytes, none at the end; raises ConnectionClosedError if it broke."""
        async with self._reading:
            while n != 0 and not self._unread and not self._ended:
                await self._receive()
            taken = bytes(self._unread[:n])
            del self._unread[: len(taken)]
            return taken

    async def write(self, data: bytes) -> None:
        """Send bytes as one message; raises ConnectionClosedError if the connection has ended."""
        async with self._writing:
            await self._send(BytesMessage(data=data))
            await self._send_reply()

    async def close(self) -> None:
        """Close the socket."""
        await self._socket.aclose()

    def get_remote_address(self) -> tuple[str, int] | None:
        """Return IP and port of the other end, or of a proxy in between."""
        try:
            ip, port, *_ = self._socket.socket.getpeername()
        except OSError:
            return None
        return str(ip), int(port)

    async def _receive(self) -> None:
        try:
            data = await self._stream.receive_some(WEBSOCKET_READ_BYTES)
        except trio.BrokenResourceError as error:
            raise ConnectionClosedError(str(error), transport="websocket") from error
        except trio.ClosedResourceError:
            data = b""  # closed by us
        if not data:
            self._ended = True
            return
        self._connection.receive_data(data)
        self._take()
        if self._reply and not self._writing.locked():  # otherwise the current writer sends it
            async with self._writing:
                await self._send_reply()

    def _take(self) -> None:
        """Process received events up to the end of the connection."""
        for event in self._connection.events():
            size, finished = 0, True
            match event:
                case BytesMessage():
                    size, finished = len(event.data), event.frame_finished
                    self._unread += event.data
                case Ping():
                    self._reply = event.response()
                case CloseConnection():  # wsproto also reports protocol errors this way
                    self._end(event.response())
                case TextMessage():
                    self._end(CloseConnection(UNSUPPORTED))
            self._debt = max(0, self._debt + finished * FRAME_BYTES - size)
            if self._debt > MAX_DEBT_BYTES:
                self._end(None)
            if self._ended:
                return

    def _end(self, farewell: Event | None) -> None:
        self._ended = True
        self._reply = farewell

    async def _send_reply(self) -> None:
        if self._reply:
            reply, self._reply = self._reply, None
            with contextlib.suppress(ConnectionClosedError):  # the reader gets the error
                await self._send(reply)

    async def _send(self, event: Event) -> None:
        try:
            await self._stream.send_all(self._connection.send(event))
        except (trio.BrokenResourceError, trio.ClosedResourceError, LocalProtocolError) as error:
            raise ConnectionClosedError(str(error), transport="websocket") from error


async def accept_upgrade(socket: trio.SocketStream) -> tuple[WebSocketStream, Request]:
    """Accept an upgrade, without a time limit; returns the request. Raises UpgradeRefused.

    A request with an Origin comes from a web page in a browser and is refused: pages are not nodes, and
    a page could make its visitors connect in masses, or reach a node in their private network.
    """
    connection = WSConnection(ConnectionType.SERVER)
    try:
        request = await _first_event(socket, connection, Request)
    except UpgradeRefused:
        await _refuse(socket, 400)
        raise
    if header(request, b"origin"):
        await _refuse(socket, 403)
        raise UpgradeRefused("a browser")
    await socket.send_all(connection.send(AcceptConnection()))
    return WebSocketStream(socket, socket, connection), request


async def ask_for_upgrade(
    stream: trio.abc.Stream, socket: trio.SocketStream, host: str
) -> WebSocketStream:
    """Request an upgrade from `host` (name or IP, and port); raises UpgradeRefused."""
    connection = WSConnection(ConnectionType.CLIENT)
    await stream.send_all(connection.send(Request(host=host, target="/")))
    await _first_event(stream, connection, AcceptConnection)
    return WebSocketStream(stream, socket, connection)


def header(request: Request, name: bytes) -> list[str]:
    """Return the values of all headers of this name in the upgrade request, in order."""
    return [value.decode("latin-1") for key, value in request.extra_headers if key.lower() == name]


async def _first_event(stream: trio.abc.Stream, connection: WSConnection, wanted: type[_E]) -> _E:
    received = 0
    while received < MAX_UPGRADE_BYTES:
        data = await stream.receive_some(MAX_UPGRADE_BYTES - received)
        received += len(data)
        if not data:
            raise UpgradeRefused("the connection ended before the upgrade")
        try:
            connection.receive_data(data)
        except (ProtocolError, ValueError) as error:  # ValueError: bytes that are not text
            raise UpgradeRefused(str(error)) from error
        for event in connection.events():
            if isinstance(event, wanted):
                return event
            raise UpgradeRefused(f"expected an upgrade, got {event}")
    raise UpgradeRefused(f"more than {MAX_UPGRADE_BYTES} bytes before the upgrade")


async def _refuse(socket: trio.SocketStream, status: int) -> None:
    text = b"HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"
    with contextlib.suppress(trio.BrokenResourceError):
        await socket.send_all(text % (status, _REFUSALS[status]))
