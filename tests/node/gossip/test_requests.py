"""One request, one answer, and an error that says so when there is none."""

import asyncio
import os
from collections.abc import AsyncIterator, Iterator
from typing import Any

import pytest
import pytest_asyncio

from node.gossip.harness import SYNC, Network, Peer, network_in_module, networked, reverse
from sayso_node.errors import PeerUnreachable
from sayso_node.gossip.peers.addresses import peer_id_of_seed
from sayso_protocol.errors import TooLarge
from support.waiting import until

MIB = 1024 * 1024
TIMEOUT_S = 30.0
LONG = pytest.mark.long
Pair = tuple[Peer, Peer]
pytestmark = pytest.mark.asyncio(loop_scope="module")


network = network_in_module


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def shared() -> AsyncIterator[Pair]:
    """One pair for most of the tests: to start two processes takes longer than what they ask."""
    async with networked() as network:
        yield await _pair(network, requests_at_once_per_peer=32)


@pytest.fixture
def pair(shared: Pair) -> Iterator[Pair]:
    """The client and the server, which answers by `reverse` until it is told otherwise."""
    _, server = shared
    yield shared
    server.answer = reverse


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def strict() -> AsyncIterator[Pair]:
    """A pair of which the server takes one request at once, and answers little."""
    async with networked() as network:
        server = await network.peer(1, requests_at_once_per_peer=1, max_response_bytes=1000)
        client = await network.peer(2, server)
        await until(lambda: client.sees(server))
        yield client, server


async def _pair(network: Network, **settings: Any) -> Pair:
    server = await network.peer(1, **settings)
    client = await network.peer(2, server, **settings)
    await until(lambda: client.sees(server))
    return client, server


@pytest.mark.parametrize(
    "size", [0, pytest.param(1, marks=LONG), pytest.param(64 * 1024, marks=LONG), 4 * MIB]
)
async def test_a_request_is_answered(pair: Pair, size: int) -> None:
    client, server = pair
    asked: list[tuple[str, str]] = []

    async def answer(protocol: str, body: bytes, peer: str) -> bytes:
        asked.append((protocol, peer))
        return body[::-1]

    server.answer = answer
    body = os.urandom(size)
    assert await client.gossip.request(server.id, SYNC, body, TIMEOUT_S) == body[::-1]
    assert asked == [(SYNC, client.id)]


@LONG
async def test_the_one_who_was_dialled_can_ask_too(pair: Pair) -> None:
    client, server = pair
    await until(lambda: server.sees(client))
    assert await server.gossip.request(client.id, SYNC, b"abc", TIMEOUT_S) == b"cba"


@LONG
async def test_requests_without_gossip(network: Network) -> None:
    client, server = await _pair(network, topics=(), urgent_topics=())
    assert await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S) == b"cba"


@LONG
async def test_a_large_answer_to_a_small_question(pair: Pair) -> None:
    client, server = pair
    large = os.urandom(10 * MIB)

    async def answer(protocol: str, body: bytes, peer: str) -> bytes:
        return large

    server.answer = answer
    assert await client.gossip.request(server.id, SYNC, b"all of it", TIMEOUT_S) == large


async def test_many_requests_at_once(pair: Pair) -> None:
    client, server = pair
    bodies = [b"question %d" % n for n in range(32)]
    answers = await asyncio.gather(
        *(client.gossip.request(server.id, SYNC, body, TIMEOUT_S) for body in bodies)
    )
    assert answers == [body[::-1] for body in bodies]


async def test_a_peer_is_served_only_so_often_at_once(strict: Pair) -> None:
    client, server = strict
    before = server.gossip.counters()["requests_refused"]
    first_came, go = asyncio.Event(), asyncio.Event()

    async def answer(protocol: str, body: bytes, peer: str) -> bytes:
        first_came.set()
        await go.wait()
        return body

    server.answer = answer
    first = asyncio.create_task(client.gossip.request(server.id, SYNC, b"1", TIMEOUT_S))
    await first_came.wait()
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, SYNC, b"2", TIMEOUT_S)
    go.set()
    assert await first == b"1"
    await until(lambda: server.gossip.counters()["requests_refused"] == before + 1)


async def test_whom_we_dial_is_served_however_many_strangers_ask(network: Network) -> None:
    friend = await network.peer(1)
    server = await network.peer(2, friend, requests_at_once=2)
    strangers = [await network.peer(number, server) for number in (3, 4)]
    came, go = [], asyncio.Event()

    async def answer(protocol: str, body: bytes, peer: str) -> bytes:
        if peer != friend.id:
            came.append(peer)
            await go.wait()
        return body

    server.answer = answer
    await until(lambda: friend.sees(server))
    first = asyncio.gather(
        *(strangers[0].gossip.request(server.id, SYNC, b"slow", TIMEOUT_S) for _ in range(2))
    )
    await until(lambda: len(came) == 2)
    with pytest.raises(PeerUnreachable):
        await strangers[1].gossip.request(server.id, SYNC, b"another", TIMEOUT_S)
    assert await friend.gossip.request(server.id, SYNC, b"ours", TIMEOUT_S) == b"ours"
    go.set()
    assert await first == [b"slow"] * 2


async def test_a_handler_that_fails_costs_the_request_only(pair: Pair) -> None:
    client, server = pair

    async def fail(protocol: str, body: bytes, peer: str) -> bytes:
        raise RuntimeError("a handler that fails")

    reverse, server.answer = server.answer, fail
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S)
    server.answer = reverse
    assert await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S) == b"cba"


async def _gives_too_much(protocol: str, body: bytes, peer: str) -> bytes:
    return bytes(1001)


async def test_an_answer_that_is_too_large_is_no_answer(strict: Pair) -> None:
    client, server = strict
    server.answer = _gives_too_much
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S)


@LONG
async def test_a_client_refuses_it_too(network: Network) -> None:
    server = await network.peer(1)
    client = await network.peer(2, server, max_response_bytes=1000)
    await until(lambda: client.sees(server))
    server.answer = _gives_too_much
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S)


async def test_a_handler_that_hangs_is_given_up_on(pair: Pair) -> None:
    client, server = pair

    async def hang(protocol: str, body: bytes, peer: str) -> bytes:
        await asyncio.Event().wait()
        raise AssertionError

    server.answer = hang
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, SYNC, b"abc", 0.5)


async def test_whom_we_cannot_reach(pair: Pair) -> None:
    client, _ = pair
    for nobody in (peer_id_of_seed(bytes([9]) * 32), client.id, "not-a-peer-id"):
        with pytest.raises(PeerUnreachable):
            await client.gossip.request(nobody, SYNC, b"hello?", 5.0)


@LONG
async def test_a_protocol_the_peer_does_not_speak(pair: Pair) -> None:
    client, server = pair
    with pytest.raises(PeerUnreachable):
        await client.gossip.request(server.id, "/sayso/sync/2", b"hello?", TIMEOUT_S)
    assert await client.gossip.request(server.id, SYNC, b"abc", TIMEOUT_S) == b"cba"


async def test_a_request_that_is_too_large_is_refused_before_it_is_sent(pair: Pair) -> None:
    client, server = pair
    with pytest.raises(TooLarge):
        await client.gossip.request(server.id, SYNC, bytes(4 * MIB + 1), 5.0)
