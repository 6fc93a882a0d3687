"""The wire between node and child: what is sent arrives whole, and nonsense is refused early."""

import asyncio
import socket

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_node.errors import GossipDown, GossipQueueFull
from sayso_node.gossip.ipc import frames
from sayso_node.gossip.ipc.link import Link
from sayso_protocol.errors import Malformed, TooLarge
from support.waiting import until

_values = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**63), 2**64 - 1) | st.text() | st.binary(),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(), inner, max_size=4),
    max_leaves=8,
)


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


def test_what_is_too_large_is_refused_before_it_is_read() -> None:
    prefix = (frames.MAX_MESSAGE_BYTES + 1).to_bytes(frames.LENGTH_BYTES, "big")
    with pytest.raises(TooLarge):
        list(frames.Splitter().feed(prefix))
    with pytest.raises(TooLarge):
        frames.encode_call(1, "do", bytes(frames.MAX_MESSAGE_BYTES))


async def _nothing(method: str, arguments: list[object]) -> object:
    return None


async def test_a_link_that_breaks_fails_everybody_who_waits() -> None:
    ours, theirs = socket.socketpair()
    link = await Link.over(ours, _nothing)
    reading = asyncio.create_task(link.run())
    waiting = asyncio.create_task(link.call("anything", timeout_s=60))
    await until(lambda: link._waiting)
    theirs.close()
    with pytest.raises(GossipDown):
        await waiting
    with pytest.raises(GossipDown):
        await link.call("anything", timeout_s=60)
    await reading


async def test_a_child_that_takes_nothing_is_a_full_queue() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        link = await Link.over(ours, _nothing)
        body = bytes(frames.MAX_MESSAGE_BYTES - 100)
        calls = []
        for _ in range(3):
            calls.append(asyncio.create_task(link.make_room().call("take", body, timeout_s=60)))
            await asyncio.sleep(0)
        with pytest.raises(GossipQueueFull):
            link.make_room()
        link.close()
        await asyncio.gather(*calls, return_exceptions=True)


async def test_nonsense_from_the_child_ends_the_connection() -> None:
    ours, theirs = socket.socketpair()
    with theirs:
        link = await Link.over(ours, _nothing)
        theirs.sendall(b"\x00\x00\x00\x01\xff")
        with pytest.raises(Malformed):
            await link.run()
