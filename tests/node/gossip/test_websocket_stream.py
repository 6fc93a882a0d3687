"""The stream within a WebSocket, fed by hand: what goes in comes out; no bytes do more than end it."""

from collections.abc import Iterable
from typing import Any, cast

import trio
from hypothesis import given, settings
from hypothesis import strategies as st
from libp2p.io.exceptions import ConnectionClosedError
from wsproto import ConnectionType, WSConnection
from wsproto.events import AcceptConnection, BytesMessage
from wsproto.events import Request as Asked

from node.gossip.hostile_websocket import FRAMES, SLOW_FRAMES, SLOW_UPGRADES, UPGRADES, frame, request
from sayso_node.gossip.host.websocket import (
    MAX_UPGRADE_BYTES,
    UpgradeRefused,
    WebSocketStream,
    accept_upgrade,
    ask_for_upgrade,
)
from support.tries import tries

LONGEST_FAREWELL = 127  # bytes of a control frame

chunks = st.lists(st.binary(min_size=1, max_size=40), max_size=30)


class Fed:
    """A socket that gives these chunks, then ends, and keeps what is written."""

    def __init__(self, *given: bytes) -> None:
        self._given = [*given]
        self.sent = b""

    async def receive_some(self, most: int) -> bytes:
        await trio.lowlevel.checkpoint()
        chunk, self._given[:1] = self._given[0] if self._given else b"", []
        if len(chunk) > most:
            self._given.insert(0, chunk[most:])
        return chunk[:most]

    async def send_all(self, data: bytes) -> None:
        await trio.lowlevel.checkpoint()
        self.sent += data


def _cut(data: bytes, at: Iterable[int]) -> list[bytes]:
    """Data in pieces of these sizes, over and over; whole without any."""
    pieces: list[bytes] = []
    sizes = [*at] or [len(data) or 1]
    while data:
        size = sizes[len(pieces) % len(sizes)]
        pieces.append(data[:size])
        data = data[size:]
    return pieces


async def _read_all(stream: WebSocketStream, most: int | None = None) -> bytes:
    """Until the end; a connection that broke has ended, too."""
    read = b""
    try:
        while data := await stream.read(most):
            assert most is None or len(data) <= most
            read += data
    except ConnectionClosedError:
        pass
    return read


def _server(*given: bytes) -> tuple[WebSocketStream, Fed]:
    async def upgrade() -> tuple[WebSocketStream, Fed]:
        fed = Fed(request(), *given)
        stream, _ = await accept_upgrade(cast("Any", fed))
        fed.sent = b""
        return stream, fed

    return trio.run(upgrade)


@given(chunks, st.lists(st.integers(1, 50), max_size=5), st.integers(1, 60) | st.none(), st.booleans())
def test_what_is_sent_is_read_however_it_is_cut(
    messages: list[bytes], cuts: list[int], most: int | None, pinged: bool
) -> None:
    """By a client; its messages in one piece or in several, in segments of any size."""
    wire = b""
    for number, message in enumerate(messages):
        half = len(message) // 2
        wire += frame(message[:half], first=0) + (frame(b"?", 9) if pinged else b"")
        wire += (
            frame(message[half:], 0) if number % 2 else frame(message[half:], 0, first=0) + frame(b"", 0)
        )
    stream, fed = _server(*_cut(wire, cuts))
    assert trio.run(_read_all, stream, most) == b"".join(messages)
    assert (b"\x8a\x01?" in fed.sent) == (pinged and bool(messages))


@given(chunks, st.lists(st.integers(1, 200), max_size=5))
def test_the_other_way_with_what_comes_along_with_the_answer(
    messages: list[bytes], cuts: list[int]
) -> None:
    other = WSConnection(ConnectionType.SERVER)

    class Answering(Fed):
        async def send_all(self, data: bytes) -> None:
            await super().send_all(data)
            other.receive_data(data)
            assert any(isinstance(event, Asked) for event in other.events())
            wire = other.send(AcceptConnection())
            self._given = _cut(wire + b"".join(other.send(BytesMessage(m)) for m in messages), cuts)

    async def run() -> bytes:
        fed = Answering()
        return await _read_all(await ask_for_upgrade(cast("Any", fed), cast("Any", fed), "a.example:1"))

    assert trio.run(run) == b"".join(messages)


@given(chunks)
def test_what_is_written_is_one_message_each(messages: list[bytes]) -> None:
    stream, fed = _server()

    async def run() -> None:
        for message in messages:
            await stream.write(message)

    trio.run(run)
    other = WSConnection(ConnectionType.CLIENT)
    other.send(Asked(host="x", target="/"))
    key = other.handshake._nonce
    assert key is not None
    answer = WSConnection(ConnectionType.SERVER)
    answer.receive_data(request(Sec_WebSocket_Key=key.decode()))
    list(answer.events())
    other.receive_data(answer.send(AcceptConnection()) + fed.sent)
    read = [event.data for event in other.events() if isinstance(event, BytesMessage)]
    assert read == messages


def test_many_pings_at_once_get_one_pong_the_last() -> None:
    pings = b"".join(frame(b"%d" % n, 9) for n in range(100))
    stream, fed = _server(pings + frame(b"x" * 1000))
    assert trio.run(_read_all, stream) == b"x" * 1000
    assert fed.sent == b"\x8a\x0299"


def test_a_farewell_is_answered_and_nothing_is_read_after_it() -> None:
    stream, fed = _server(frame(b"a") + frame(b"\x03\xe8", 8) + frame(b"b"), frame(b"c"))
    assert trio.run(_read_all, stream) == b"a"
    assert fed.sent == b"\x88\x02\x03\xe8"


_SEEDS = [b"".join(parts)[:60_000] for cases in (FRAMES, SLOW_FRAMES) for parts in cases.values()]
_HEADS = [b"".join(parts)[:60_000] for cases in (UPGRADES, SLOW_UPGRADES) for parts in cases.values()]


def _changed(seeds: list[bytes]) -> st.SearchStrategy[bytes]:
    """A seed, or random bytes, with random bytes somewhere in it."""
    return st.builds(
        lambda seed, at, between: seed[:at] + between + seed[at:],
        st.sampled_from(seeds) | st.binary(max_size=300),
        st.integers(0, 400),
        st.binary(max_size=20),
    )


@settings(max_examples=tries(400), deadline=None)
@given(_changed(_SEEDS), st.lists(st.integers(1, 5000), max_size=3))
def test_bytes_of_strangers_end_it_at_worst(wire: bytes, cuts: list[int]) -> None:
    stream, fed = _server(*_cut(wire, cuts))
    read = trio.run(_read_all, stream)
    assert len(read) <= len(wire)
    assert len(fed.sent) <= len(wire) + LONGEST_FAREWELL  # no more is answered than was said


@settings(max_examples=tries(400), deadline=None)
@given(_changed(_HEADS), st.lists(st.integers(1, 5000), max_size=3))
def test_bytes_before_an_upgrade_refuse_it_at_worst(wire: bytes, cuts: list[int]) -> None:
    async def run() -> int:
        fed = Fed(*_cut(wire, cuts))
        try:
            await accept_upgrade(cast("Any", fed))
        except UpgradeRefused:
            assert fed.sent.startswith((b"HTTP/1.1 400 ", b"HTTP/1.1 403 "))
        else:
            assert fed.sent.startswith(b"HTTP/1.1 101 ")
        return sum(map(len, fed._given))

    assert trio.run(run) >= len(wire) - MAX_UPGRADE_BYTES


@settings(max_examples=tries(400), deadline=None)
@given(_changed(_HEADS), st.lists(st.integers(1, 5000), max_size=3))
def test_bytes_in_place_of_an_answer_refuse_it_at_worst(wire: bytes, cuts: list[int]) -> None:
    async def run() -> None:
        fed = Fed(*_cut(b"HTTP/1.1 101 x\r\n" + wire, cuts))
        try:
            await ask_for_upgrade(cast("Any", fed), cast("Any", fed), "a.example:1")
        except UpgradeRefused:
            return
        raise AssertionError("no such answer was made for this key")

    trio.run(run)
