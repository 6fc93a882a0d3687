"""The wire between node and child: what is sent arrives whole, and nonsense is refused early."""

import asyncio
import socket
import tracemalloc

import anyio
import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_node.errors import GossipDown, GossipQueueFull
from sayso_node.gossip.ipc import frames
from sayso_node.gossip.ipc.channel import Channel
from sayso_protocol.errors import Malformed, TooLarge
from support.waiting import until

_plain = st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary()
_lists = st.lists(_plain, max_size=4)
_values = _plain | _lists | st.dictionaries(st.text(), _plain | _lists, max_size=4)


@given(st.lists(st.lists(_values, max_size=3), max_size=5), st.integers(1, 100))
def test_a_stream_cut_anywhere_gives_the_same_calls(calls: list[list[object]], size: int) -> None:
    stream = b"".join(frames.encode_call(n, "do", *a) for n, a in enumerate(calls))
    splitter, heard = frames.Splitter(), []
    for start in range(0, len(stream), size):
        heard += list(splitter.feed(stream[start : start + size]))
    assert all(isinstance(call, frames.Call) and call.method == "do" for call in heard)
    assert [(c.number, c.arguments) for c in heard if isinstance(c, frames.Call)] == list(
        enumerate(calls)
    )


@given(st.binary(max_size=200))
def test_any_bytes_are_a_message_or_malformed(body: bytes) -> None:
    try:
        message = frames.decode(body)
    except Malformed:
        return
    assert isinstance(message, frames.Call | frames.Answer)


@pytest.mark.parametrize(
    "message",
    [[], {}, [0], [0, 1], [0, "1", "do"], [1, 1], [1, 1, 2, 3], [2, 1, "code"], [3, 1, "do"], b""],
)
def test_other_shapes_are_malformed(message: object) -> None:
    with pytest.raises(Malformed):
        frames.decode(msgpack.packb(message))


def test_a_child_that_was_taken_over_cannot_make_us_build_much() -> None:
    """What is nested or long is refused before any of it is built."""
    many = msgpack.packb([None] * 1_024)
    table = b"\xdc\x04\x00" + many * 1_024
    for held in (b"\x91" * 100_000, table, b"\xdd\x00\x10\x00\x00" + b"\xc0" * (1 << 20)):
        body = b"\x93\x01\x07" + held
        tracemalloc.start()
        with pytest.raises(Malformed):
            frames.decode(body)
        peak = tracemalloc.get_traced_memory()[1]
        tracemalloc.stop()
        assert peak < len(body) + 1_000_000


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    prefix = (frames.MAX_MESSAGE_BYTES + 1).to_bytes(frames.LENGTH_BYTES, "big")
    with pytest.raises(TooLarge):
        list(frames.Splitter().feed(prefix))
    with pytest.raises(TooLarge):
        frames.encode_call(1, "do", bytes(frames.MAX_MESSAGE_BYTES))


async def _nothing(method: str, arguments: list[object]) -> object:
    return None


async def _echo(method: str, arguments: list[object]) -> object:
    return [method, *arguments]


async def _call_each_other() -> None:
    ends = [await Channel.over(end, _echo) for end in socket.socketpair()]
    async with anyio.create_task_group() as tasks:
        for end in ends:
            tasks.start_soon(end.run)
        with anyio.move_on_after(0):  # given up before it is written
            await ends[0].call("big", bytes(8 * 1024 * 1024), timeout_s=60)
        for end in ends:
            assert await end.call("do", 1, b"x", timeout_s=60) == ["do", 1, b"x"]
        await ends[0].close()


@pytest.mark.parametrize("library", ["asyncio", "trio"])
def test_both_ends_call_each_other_and_a_caller_may_give_up(library: str) -> None:
    anyio.run(_call_each_other, backend=library)


async def test_a_channel_that_breaks_fails_everybody_who_waits() -> None:
    ours, theirs = socket.socketpair()
    channel = await Channel.over(ours, _nothing)
    reading = asyncio.create_task(channel.run())
    waiting = asyncio.create_task(channel.call("anything", timeout_s=60))
    await until(lambda: channel._waiting)
    theirs.close()
    with pytest.raises(GossipDown):
        await waiting
    with pytest.raises(GossipDown):
        await channel.call("anything", timeout_s=60)
    await reading


async def test_a_child_that_takes_nothing_is_a_full_queue() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = await Channel.over(ours, _nothing)
        body = bytes(frames.MAX_MESSAGE_BYTES - 100)
        calls = []
        for _ in range(3):
            calls.append(asyncio.create_task(channel.make_room().call("take", body, timeout_s=60)))
            await asyncio.sleep(0)
        with pytest.raises(GossipQueueFull):
            channel.make_room()
        await channel.close()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_nonsense_from_the_child_ends_the_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        channel = await Channel.over(ours, _nothing)
        theirs.sendall(b"\x00\x00\x00\x01\xff")
        await channel.run()
        with pytest.raises(GossipDown):
            await channel.call("anything", timeout_s=60)
