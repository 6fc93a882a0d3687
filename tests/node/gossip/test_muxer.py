"""What a peer sends ahead of our reading is bounded: frames of Yamux, lines of multistream-select."""

import contextlib
import struct
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import pytest
import trio
import trio.testing
from libp2p.peer.id import ID
from libp2p.protocol_muxer import multiselect_communicator
from libp2p.protocol_muxer.exceptions import MultiselectCommunicatorError
from libp2p.stream_muxer.exceptions import MuxedConnUnavailable
from libp2p.stream_muxer.yamux import yamux

from node.gossip.harness import configuration
from node.gossip.hostile import varint
from sayso_node.gossip.host.host import GossipHost
from sayso_node.gossip.host.muxer import BUFFERED_BYTES, WINDOW_BYTES, BoundedYamux
from sayso_node.gossip.host.negotiation import MAX_LINE_BYTES
from sayso_node.gossip.requests import STREAM_READ_BYTES

FRAME = 64 * 1024
FLOOD = 4 * BUFFERED_BYTES
DATA, UPDATE, SYN, FIN, RST = yamux.TYPE_DATA, yamux.TYPE_WINDOW_UPDATE, 1, 4, 8


@pytest.fixture(autouse=True)
def host() -> None:
    """A host of this process, which sets the bounds."""

    def ignore(_peer: str, _connected: bool) -> None:
        raise NotImplementedError

    GossipHost.build(configuration(1, []), Counter(), ignore)


class Wire:
    """A connection whose other end sends what it was given, and then falls silent."""

    is_initiator = False

    def __init__(self, sent: bytes) -> None:
        self.sent = memoryview(sent)
        self.taken = 0
        self.closed = False

    async def read(self, n: int | None = None) -> bytes:
        await trio.lowlevel.checkpoint()
        if self.taken == len(self.sent):
            await trio.sleep_forever()
        data = bytes(self.sent[self.taken :][:n])
        self.taken += len(data)
        return data

    async def write(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()

    async def close(self) -> None:
        self.closed = True


def frame(kind: int, flags: int, stream: int, body: bytes = b"") -> bytes:
    return struct.pack(yamux.YAMUX_HEADER_FORMAT, 0, kind, flags, stream, len(body)) + body


@asynccontextmanager
async def received(wire: Wire) -> AsyncIterator[BoundedYamux]:
    """A muxer that has read all that the peer sent, or has hung up on it; streams are accepted."""
    muxer = BoundedYamux(wire, ID(b"peer"))  # type: ignore[arg-type]

    async def accept() -> None:
        with contextlib.suppress(MuxedConnUnavailable):
            while True:
                await muxer.accept_stream()

    async with trio.open_nursery() as nursery:
        nursery.start_soon(muxer.start)
        nursery.start_soon(accept)
        await trio.testing.wait_all_tasks_blocked()
        yield muxer
        nursery.cancel_scope.cancel()


def unread(muxer: BoundedYamux) -> int:
    return sum(map(len, muxer.stream_buffers.values()))


BODY = bytes(FRAME)
TIMES = FLOOD // FRAME
FLOODS = {
    "one stream": frame(UPDATE, SYN, 1) + frame(DATA, 0, 1, BODY) * TIMES,
    "many streams": b"".join(frame(DATA, SYN, 2 * n + 1, BODY) for n in range(TIMES)),
    "streams that end at once": b"".join(frame(DATA, SYN | FIN, 2 * n + 1, BODY) for n in range(TIMES)),
    "frames longer than a window": frame(DATA, SYN, 1, bytes(FLOOD)),
}


@pytest.mark.parametrize("name", FLOODS)
def test_who_sends_more_than_its_windows_is_hung_up_on(name: str) -> None:
    async def main() -> None:
        wire = Wire(FLOODS[name])
        async with received(wire) as muxer:
            assert wire.closed
            assert muxer.is_closed
            assert wire.taken <= BUFFERED_BYTES + FRAME
            assert not unread(muxer)

    trio.run(main)


def test_full_windows_of_a_few_streams_are_read() -> None:
    """Honest peers may send so much, however late we read it."""
    count = BUFFERED_BYTES // WINDOW_BYTES
    sent = b"".join(
        frame(DATA, SYN, 2 * n + 1, BODY) + frame(DATA, 0, 2 * n + 1, BODY) * (WINDOW_BYTES // FRAME - 1)
        for n in range(count)
    )

    async def main() -> None:
        wire = Wire(sent)
        async with received(wire) as muxer:
            assert not wire.closed
            assert unread(muxer) == count * WINDOW_BYTES

    trio.run(main)


def test_nothing_is_kept_of_a_stream_that_was_reset() -> None:
    async def main() -> None:
        streams = (
            frame(DATA, SYN, 2 * n + 1, BODY) + frame(UPDATE, RST, 2 * n + 1) for n in range(TIMES)
        )
        wire = Wire(b"".join(streams))
        async with received(wire) as muxer:
            assert wire.taken == len(wire.sent)
            assert not wire.closed
            assert not unread(muxer)
            assert not muxer.streams

    trio.run(main)


class Honest(Wire):
    """The other end sends on one stream as much as our windows allow, at once."""

    def __init__(self, length: int) -> None:
        super().__init__(frame(UPDATE, SYN, 1) + frame(DATA, 0, 1, BODY) * (length // FRAME))
        self.allowed = len(frame(UPDATE, SYN, 1)) + self._framed(WINDOW_BYTES)
        self.more = trio.Event()

    @staticmethod
    def _framed(size: int) -> int:
        return size // FRAME * len(frame(DATA, 0, 1, BODY))

    async def read(self, n: int | None = None) -> bytes:
        while self.taken == self.allowed:
            await self.more.wait()
        return await super().read(min(n or FRAME, self.allowed - self.taken))

    async def write(self, data: bytes) -> None:
        _, kind, _, _, more = struct.unpack(yamux.YAMUX_HEADER_FORMAT, data[:12])
        if kind == UPDATE:
            self.allowed += self._framed(more)
            self.more.set()
            self.more = trio.Event()


def test_windows_do_not_grow_while_we_read() -> None:
    async def main() -> None:
        muxer = BoundedYamux(Honest(FLOOD), ID(b"peer"))  # type: ignore[arg-type]
        async with trio.open_nursery() as nursery:
            nursery.start_soon(muxer.start)
            stream: Any = await muxer.accept_stream()
            taken = 0
            while taken < FLOOD:
                await trio.testing.wait_all_tasks_blocked()
                assert unread(muxer) <= WINDOW_BYTES + STREAM_READ_BYTES
                taken += len(await stream.read(STREAM_READ_BYTES))
            nursery.cancel_scope.cancel()

    trio.run(main)


@pytest.mark.parametrize("size", [MAX_LINE_BYTES + 1, 2**20, 2**30, 2**63])
def test_a_line_announced_too_long_is_not_read(size: int) -> None:
    wire = Wire(varint(size) + bytes(MAX_LINE_BYTES))

    async def main() -> None:
        with pytest.raises(MultiselectCommunicatorError):
            await multiselect_communicator.MultiselectCommunicator(wire).read()  # type: ignore[arg-type]

    trio.run(main)
    assert wire.taken == len(varint(size))


def test_the_longest_line_is_read() -> None:
    wire = Wire(varint(MAX_LINE_BYTES) + b"x" * (MAX_LINE_BYTES - 1) + b"\n")

    async def main() -> str:
        return await multiselect_communicator.MultiselectCommunicator(wire).read()  # type: ignore[arg-type]

    assert trio.run(main) == "x" * (MAX_LINE_BYTES - 1)
