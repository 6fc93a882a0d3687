"""The parent's end of the socket to the gossip child: calls out, calls in.

Every call in is served in a task of its own, so that a slow handler never keeps answers from being
read. Whatever breaks the connection fails all calls that wait on it with GossipDown.
"""

import asyncio
import contextlib
import itertools
import logging
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Self

from sayso_node.errors import GossipDown, GossipQueueFull, PeerUnreachable
from sayso_node.gossip.ipc import frames
from sayso_protocol.errors import SaysoError, TooLarge

READ_BYTES: Final = 1024 * 1024
MAX_BACKLOG_BYTES: Final = 2 * frames.MAX_MESSAGE_BYTES  # written, not yet taken by the child
MAX_SERVED: Final = 8192  # calls of the child at once; its own limits are far below

_ERRORS: Final[dict[str, type[SaysoError]]] = {
    error.code: error for error in (GossipDown, GossipQueueFull, PeerUnreachable)
}
_log = logging.getLogger(__name__)

Serve = Callable[[str, list[object]], Awaitable[object]]


class Link:
    """Link is one connection to one child."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter, serve: Serve) -> None:
        self._reader = reader
        self._writer = writer
        self._serve = serve
        self._numbers = itertools.count(frames.NOTICE + 1)
        self._waiting: dict[int, asyncio.Future[object]] = {}
        self._serving: set[asyncio.Task[None]] = set()

    @classmethod
    async def over(cls, end: socket.socket, serve: Serve) -> Self:
        """A link over our end of a socket pair."""
        reader, writer = await asyncio.open_unix_connection(sock=end, limit=READ_BYTES)
        return cls(reader, writer, serve)

    async def run(self) -> None:
        """Read until the other side is gone; raises Malformed or TooLarge on nonsense."""
        try:
            with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
                while True:
                    prefix = await self._reader.readexactly(frames.LENGTH_BYTES)
                    body = await self._reader.readexactly(frames.body_length(prefix))
                    self._take(frames.decode(body))
        finally:
            self.close()

    async def call(self, method: str, *arguments: object, timeout_s: float) -> object:
        """What the child answers; raises its SaysoError, or GossipDown without an answer."""
        if self._writer.is_closing():
            raise GossipDown("the gossip process is not running")
        number = next(self._numbers)
        message = frames.encode_call(number, method, *arguments)
        answer = self._waiting[number] = asyncio.get_running_loop().create_future()
        try:
            self._writer.write(message)
            async with asyncio.timeout(timeout_s):
                return await answer
        except TimeoutError as error:
            raise GossipDown(f"the gossip process did not answer within {timeout_s} s") from error
        finally:
            self._waiting.pop(number, None)

    def make_room(self) -> Self:
        """This link, if the child keeps up; raises GossipQueueFull."""
        if self._writer.transport.get_write_buffer_size() > MAX_BACKLOG_BYTES:
            raise GossipQueueFull("the gossip process does not keep up")
        return self

    def close(self) -> None:
        """Hang up: the child dies of it."""
        self._writer.close()
        for task in self._serving:
            task.cancel()
        for answer in self._waiting.values():
            if not answer.done():
                answer.set_exception(GossipDown("the gossip process has ended"))

    def _take(self, message: frames.Call | frames.Answer) -> None:
        if isinstance(message, frames.Call):
            if len(self._serving) >= MAX_SERVED:
                raise TooLarge("the gossip process asks for more at once than it may")
            task = asyncio.create_task(self._answer(message))
            self._serving.add(task)
            task.add_done_callback(self._serving.discard)
            return
        answer = self._waiting.get(message.number)
        if answer is None or answer.done():
            return
        if message.code is None:
            answer.set_result(message.result)
        else:
            answer.set_exception(_ERRORS.get(message.code, GossipDown)(str(message.result)))

    async def _answer(self, call: frames.Call) -> None:
        try:
            message = frames.encode_result(call.number, await self._serve(call.method, call.arguments))
        except SaysoError as error:
            message = frames.encode_error(call.number, error.code, str(error))
        except Exception as error:  # noqa: BLE001  # foreign code
            _log.exception("serving %s for the gossip process", call.method)
            message = frames.encode_error(call.number, SaysoError.code, repr(error))
        if call.number != frames.NOTICE and not self._writer.is_closing():
            self._writer.write(message)
