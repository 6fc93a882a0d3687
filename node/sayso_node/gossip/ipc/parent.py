"""The child's end of the socket to the node: calls out, calls in.

The mirror of link.py, on trio. When the socket closes the child has no reason to live.
"""

import contextlib
import itertools
import logging
from collections.abc import Awaitable, Callable
from typing import Final

import trio

from sayso_node.errors import GossipDown
from sayso_node.gossip.ipc import frames
from sayso_protocol.errors import SaysoError

READ_BYTES: Final = 1024 * 1024

_log = logging.getLogger(__name__)

Serve = Callable[[str, list[object]], Awaitable[object]]


class Parent:
    """Parent is the node that spawned us."""

    def __init__(self, stream: trio.SocketStream, serve: Serve) -> None:
        self._stream = stream
        self._serve = serve
        self._numbers = itertools.count(frames.NOTICE + 1)
        self._waiting: dict[int, trio.MemorySendChannel[frames.Answer]] = {}
        self._writing = trio.Lock()

    async def run(self) -> None:
        """Read until the node is gone."""
        splitter = frames.Splitter()
        async with trio.open_nursery() as nursery:
            while data := await self._stream.receive_some(READ_BYTES):
                for message in splitter.feed(data):
                    if isinstance(message, frames.Call):
                        nursery.start_soon(self._answer, message)
                    elif message.number in self._waiting:
                        self._waiting[message.number].send_nowait(message)
            nursery.cancel_scope.cancel()

    async def call(self, method: str, *arguments: object, timeout_s: float) -> object:
        """What the node answers; raises GossipDown when it refuses or stays silent."""
        number = next(self._numbers)
        send, receive = trio.open_memory_channel[frames.Answer](1)
        self._waiting[number] = send
        try:
            with trio.fail_after(timeout_s):
                await self._write(frames.encode_call(number, method, *arguments))
                answer = await receive.receive()
        except trio.TooSlowError as error:
            raise GossipDown(f"the node did not answer within {timeout_s} s") from error
        finally:
            del self._waiting[number]
        if answer.code is not None:
            raise GossipDown(f"the node refused: {answer.code}")
        return answer.result

    async def tell(self, method: str, *arguments: object) -> None:
        """Say something that wants no answer."""
        await self._write(frames.encode_call(frames.NOTICE, method, *arguments))

    async def _answer(self, call: frames.Call) -> None:
        try:
            message = frames.encode_result(call.number, await self._serve(call.method, call.arguments))
        except SaysoError as error:
            message = frames.encode_error(call.number, error.code, str(error))
        except Exception as error:  # noqa: BLE001  # py-libp2p raises what it likes
            _log.warning("%s failed", call.method, exc_info=True)
            message = frames.encode_error(call.number, SaysoError.code, repr(error))
        if call.number != frames.NOTICE:
            await self._write(message)

    async def _write(self, message: bytes) -> None:
        # Shielded: half a message would make the rest of the connection unreadable.
        with trio.CancelScope(shield=True):
            async with self._writing:
                # A node that is gone is noticed by run().
                with contextlib.suppress(trio.BrokenResourceError, trio.ClosedResourceError):
                    await self._stream.send_all(message)
