"""Calls between the node and its gossip process; both ends of the socket use the same class.

It uses anyio, because the node runs on asyncio and the child on trio (ADR 0021). Each incoming call has
its own task, so a slow handler does not delay the reading of answers. When the connection breaks, all
waiting calls fail with GossipDown.
"""

import contextlib
import itertools
import socket
from collections.abc import Awaitable, Callable
from typing import Final, Self

import anyio
from anyio.abc import TaskGroup, UNIXSocketStream

from sayso_node.errors import GossipDown, GossipQueueFull, PeerUnreachable
from sayso_node.gossip.ipc import frames
from sayso_node.supervision.logs import logger
from sayso_protocol.errors import Malformed, SaysoError, TooLarge

CHANNEL_READ_BYTES: Final = 1024 * 1024
MAX_BACKLOG_BYTES: Final = 2 * frames.MAX_MESSAGE_BYTES  # queued and not yet read by the other end
MAX_SERVED: Final = 8192  # concurrent calls from the other end; the child's own limits are far lower

_ERRORS: Final[dict[str, type[SaysoError]]] = {
    error.code: error for error in (GossipDown, GossipQueueFull, PeerUnreachable)
}
_ENDED: Final = (anyio.EndOfStream, anyio.BrokenResourceError, anyio.ClosedResourceError)
_log = logger(__name__)

Serve = Callable[[str, list[object]], Awaitable[object]]


class _Waiter:
    def __init__(self) -> None:
        self.woken = anyio.Event()
        self.answer: frames.Answer | None = None


class Channel:
    """Channel is one end of the socket."""

    def __init__(self, stream: UNIXSocketStream, serve: Serve) -> None:
        self._stream = stream
        self._serve = serve
        self._numbers = itertools.count(frames.NOTICE + 1)
        self._waiting: dict[int, _Waiter] = {}
        self._serving = 0
        self._queue: list[bytes] = []
        self._backlog_bytes = 0
        self._filled = anyio.Event()
        self._is_open = True

    @classmethod
    async def over(cls, end: socket.socket, serve: Serve) -> Self:
        """Create a channel over one end of a socket pair."""
        return cls(await UNIXSocketStream.from_socket(end), serve)

    async def run(self) -> None:
        """Read and write until the other end closes or sends invalid data."""
        try:
            async with anyio.create_task_group() as tasks:
                tasks.start_soon(self._write)
                await self._read(tasks)
                tasks.cancel_scope.cancel()
        finally:
            await self.close()

    async def call(self, method: str, *arguments: object, timeout_s: float) -> object:
        """Call the other end and return its answer; raises its SaysoError, or GossipDown without one."""
        if not self._is_open:
            raise GossipDown("the gossip process is not running")
        number = next(self._numbers)
        message = frames.encode_call(number, method, *arguments)
        waiter = self._waiting[number] = _Waiter()
        try:
            self._put(message)
            with anyio.fail_after(timeout_s):
                await waiter.woken.wait()
        except TimeoutError as error:
            raise GossipDown(f"no answer to {method} within {timeout_s} s") from error
        finally:
            self._waiting.pop(number, None)
        return _result(waiter.answer)

    def tell(self, method: str, *arguments: object) -> None:
        """Send a notice, which has no answer."""
        self._put(frames.encode_call(frames.NOTICE, method, *arguments))

    def make_room(self) -> Self:
        """Return this channel; raises GossipQueueFull if the other end does not keep up."""
        if self._backlog_bytes > MAX_BACKLOG_BYTES:
            raise GossipQueueFull("the gossip channel is full, because the other end does not keep up")
        return self

    async def close(self) -> None:
        """Close the channel, which ends the child."""
        self._is_open = False
        for waiter in self._waiting.values():
            waiter.woken.set()
        await self._stream.aclose()

    def _put(self, message: bytes) -> None:
        if self._is_open:
            self._queue.append(message)
            self._backlog_bytes += len(message)
            self._filled.set()

    async def _write(self) -> None:
        """Write in one task, so that a cancelled caller leaves no half message."""
        with contextlib.suppress(*_ENDED):
            while True:
                await self._filled.wait()
                self._filled = anyio.Event()
                data = b"".join(self._queue)
                self._queue.clear()
                await self._stream.send(data)
                self._backlog_bytes -= len(data)

    async def _read(self, tasks: TaskGroup) -> None:
        splitter = frames.Splitter()
        try:
            with contextlib.suppress(*_ENDED):
                while True:
                    for message in splitter.feed(await self._stream.receive(CHANNEL_READ_BYTES)):
                        self._take(message, tasks)
        except (Malformed, TooLarge) as error:
            _log.error("channel-closed", error=error)

    def _take(self, message: frames.Call | frames.Answer, tasks: TaskGroup) -> None:
        if isinstance(message, frames.Call):
            if self._serving >= MAX_SERVED:
                raise TooLarge("the other end makes more calls at once than allowed")
            self._serving += 1
            tasks.start_soon(self._answer, message)
        elif waiter := self._waiting.get(message.number):
            waiter.answer = message
            waiter.woken.set()

    async def _answer(self, call: frames.Call) -> None:
        if not self._is_open:
            return  # it was read before the channel closed
        try:
            message = frames.encode_result(call.number, await self._serve(call.method, call.arguments))
        except SaysoError as error:
            message = frames.encode_error(call.number, error.code, str(error))
        except Exception as error:  # noqa: BLE001  # handlers and py-libp2p raise any exception
            _log.warning("call-failed", method=call.method, exc_info=True)
            message = frames.encode_error(call.number, SaysoError.code, repr(error))
        finally:
            self._serving -= 1
        if call.number != frames.NOTICE:
            self._put(message)


def _result(answer: frames.Answer | None) -> object:
    if answer is None:
        raise GossipDown("the gossip process has ended")
    if answer.code is not None:
        raise _ERRORS.get(answer.code, GossipDown)(str(answer.result))
    return answer.result
