"""What strangers send costs the node nothing: afterwards it hears and answers, in the same process.

Stock py-libp2p 0.8.1 dies of the first three packets, of a handler that fails and of an early dial,
and refuses everybody after 250 connections. Each case runs over a real socket.
"""

import asyncio
import os
import signal
import socket
from collections.abc import AsyncIterator
from contextlib import ExitStack

import pytest
import pytest_asyncio
from libp2p.pubsub.pb import rpc_pb2

from node.gossip import hostile, hostile_layers
from node.gossip.harness import CONSENTS, Network, Peer, accept
from node.gossip.victims import (
    MOST_MEGABYTES,
    TRANSPORTS,
    address_of,
    megabytes,
    port_of,
    victim_and_honest,
    works,
)
from sayso_node.interfaces import Judgement
from support.waiting import until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(
    scope="module",
    loop_scope="module",
    params=["tcp", pytest.param("websocket", marks=pytest.mark.long)],
)
async def pair(request: pytest.FixtureRequest) -> AsyncIterator[tuple[Peer, Peer]]:
    async with victim_and_honest(request.param) as two:
        yield two


@pytest.mark.parametrize(
    ("attack", "counter"),
    hostile.PACKETS + hostile.STREAMS,
    ids=[attack.__name__ for attack, _ in hostile.PACKETS + hostile.STREAMS],
)
async def test_an_attack_costs_nothing(
    pair: tuple[Peer, Peer], attack: hostile.Attack, counter: str
) -> None:
    victim, honest = pair
    pid, before = victim.pid, victim.gossip.counters()
    async with hostile.attacking(await address_of(victim), attack):
        await works(victim, honest)
        if counter:
            await until(lambda: victim.gossip.counters()[counter] > before[counter])
    await works(victim, honest)
    assert victim.pid == pid
    assert megabytes(pid) < MOST_MEGABYTES
    assert not victim.gossip.rejections()


async def test_a_handler_that_fails_or_hangs_on_a_strangers_frame(pair: tuple[Peer, Peer]) -> None:
    victim, honest = pair
    pid = victim.pid

    async def fail_or_hang(topic: str, frame: bytes, peer: str) -> Judgement:
        if frame == b"fail":
            raise RuntimeError("a handler that fails")
        if frame == b"hang":
            await asyncio.Event().wait()
        return Judgement.ACCEPT

    async def send(attacker: hostile.Attacker) -> None:
        frames = (b"fail", b"hang")
        await attacker.send(hostile.publish(*(attacker.message(frame) for frame in frames)))

    victim.judge = fail_or_hang
    try:
        async with hostile.attacking(await address_of(victim), send):
            await until(lambda: victim.heard(b"fail") and victim.heard(b"hang"))
            await works(victim, honest)
    finally:
        victim.judge = accept
    assert victim.pid == pid


async def test_one_verdict_does_not_stand_for_another_frame(pair: tuple[Peer, Peer]) -> None:
    """The release remembers verdicts by message id, and an author can use an id twice."""
    victim, _ = pair

    async def reject_bad(topic: str, frame: bytes, peer: str) -> Judgement:
        return Judgement.REJECT if frame == b"bad" else Judgement.ACCEPT

    async def send_twice(attacker: hostile.Attacker) -> None:
        await attacker.send(hostile.publish(attacker.message(b"bad", number=7)))
        await hostile.when(victim.gossip.rejections)
        await attacker.send(hostile.publish(attacker.message(b"good", number=7)))

    victim.judge = reject_bad
    try:
        async with hostile.attacking(await address_of(victim), send_twice):
            await until(lambda: victim.heard(b"good"))
    finally:
        victim.judge = accept


async def test_a_flood_of_messages_is_dropped_and_counted(pair: tuple[Peer, Peer]) -> None:
    victim, honest = pair
    pid = victim.pid
    before = victim.gossip.counters()["frames_dropped_inbound"]

    async def flood(attacker: hostile.Attacker) -> None:
        messages = [attacker.message(b"flood %d" % number) for number in range(3000)]
        await attacker.send(hostile.publish(*messages))

    async with hostile.attacking(await address_of(victim), flood):
        await until(lambda: victim.gossip.counters()["frames_dropped_inbound"] > before)
        await works(victim, honest)
    assert victim.pid == pid


async def test_asking_for_one_message_many_times(pair: tuple[Peer, Peer]) -> None:
    """A megabyte of requests for a frame of 64 KiB would be a gigabyte of answers."""
    victim, honest = pair
    pid = victim.pid

    async def ask(attacker: hostile.Attacker) -> None:
        message = attacker.message(os.urandom(64 * 1024))
        await attacker.send(hostile.publish(message))
        await hostile.when(lambda: victim.heard(message.data))
        wanted = rpc_pb2.ControlIWant(messageIDs=[message.from_id + message.seqno] * 15_000)
        await attacker.send(*[hostile.control(iwant=[wanted])] * 5)

    async with hostile.attacking(await address_of(victim), ask):
        await works(victim, honest)
        assert megabytes(pid) < MOST_MEGABYTES
    assert victim.pid == pid


async def test_nobody_sends_us_elsewhere(pair: tuple[Peer, Peer]) -> None:
    victim, honest = pair
    with socket.create_server(("127.0.0.1", 0)) as elsewhere:
        elsewhere.setblocking(False)
        port = elsewhere.getsockname()[1]

        async def refer(attacker: hostile.Attacker) -> None:
            await attacker.send(hostile.referral(port))

        async with hostile.attacking(await address_of(victim), refer):
            await works(victim, honest)
            with pytest.raises(BlockingIOError):
                elsewhere.accept()


async def test_a_peer_that_reads_nothing_holds_up_nobody(pair: tuple[Peer, Peer]) -> None:
    victim, honest = pair
    pid, before = victim.pid, victim.gossip.counters()["frames_dropped_peer_queue"]
    async with hostile.attacking(await address_of(victim), hostile.mute_listener):

        async def dropped_for_the_mute() -> bool:
            """One more frame: how many fit into all the buffers on the way is not ours to know."""
            frame = os.urandom(60_000)
            await victim.gossip.publish(CONSENTS, frame)
            await until(lambda: honest.heard(frame))
            return victim.gossip.counters()["frames_dropped_peer_queue"] > before

        await until(dropped_for_the_mute, 120)
    assert victim.pid == pid


@pytest.mark.parametrize("bytes_", [b"GET / HTTP/1.1\r\n\r\n", bytes(5000), b""])
async def test_bare_tcp(pair: tuple[Peer, Peer], bytes_: bytes) -> None:
    victim, honest = pair
    pid = victim.pid
    with hostile.tcp(await port_of(victim)) as connection:
        connection.sendall(bytes_)
        await works(victim, honest)
    assert victim.pid == pid


@pytest.mark.long
@pytest.mark.parametrize("name", hostile_layers.BYTES)
async def test_garbage_below_libp2p(pair: tuple[Peer, Peer], name: str) -> None:
    victim, honest = pair
    pid = victim.pid
    with hostile.tcp(await port_of(victim)) as connection:
        try:
            for part in hostile_layers.BYTES[name]:
                connection.sendall(part)
        except OSError:
            pass  # it was hung up on, which is a fine end
        await works(victim, honest)
    assert victim.pid == pid
    assert megabytes(pid) < MOST_MEGABYTES


@pytest.mark.long
@pytest.mark.parametrize("name", hostile_layers.REQUESTS)
async def test_garbage_on_a_stream(pair: tuple[Peer, Peer], name: str) -> None:
    victim, honest = pair
    pid = victim.pid
    async with hostile.attacking(await address_of(victim), hostile_layers.REQUESTS[name]):
        await works(victim, honest)
    assert victim.pid == pid
    assert megabytes(pid) < MOST_MEGABYTES


async def test_idle_connections_of_one_address_leave_room_for_others(
    pair: tuple[Peer, Peer],
) -> None:
    victim, _ = pair
    network, before = Network(), victim.gossip.counters()["connections_refused"]
    try:
        with ExitStack() as idle:
            for _ in range(300):
                idle.enter_context(hostile.tcp(await port_of(victim), source="127.0.0.2"))
            newcomer = await network.peer(3, victim)
            await works(victim, newcomer)
            await until(lambda: victim.gossip.counters()["connections_refused"] - before >= 200)
    finally:
        await network.close()


@pytest.mark.long
@pytest.mark.parametrize("transport", TRANSPORTS)
async def test_closed_connections_give_their_slots_back(transport: str) -> None:
    network = Network()
    try:
        victim = await network.peer(1, listen=(TRANSPORTS[transport],), max_connections=4)

        async def come(attacker: hostile.Attacker) -> None:
            """And go."""

        for _ in range(12):
            async with hostile.attacking(await address_of(victim), come):
                await until(lambda: any(connected for _, connected in victim.events))
            await until(lambda: not victim.events[-1][1])
        await works(victim, await network.peer(2, victim))
        assert victim.gossip.counters()["restarts"] == 0
    finally:
        await network.close()


@pytest.mark.long
async def test_dialling_while_the_node_starts() -> None:
    network = Network()
    try:
        victim = await network.peer(1)
        port, pid = await port_of(victim), victim.pid
        address = await address_of(victim)

        async def hammer() -> None:
            while True:
                async with hostile.attacking(address, hostile.mute_listener):
                    pass

        hammering = [asyncio.create_task(hammer()) for _ in range(3)]
        os.kill(pid, signal.SIGKILL)
        await until(lambda: victim.gossip.pid not in (None, pid))
        honest = await network.peer(2, victim)
        await works(victim, honest)
        for task in hammering:
            task.cancel()
        await asyncio.gather(*hammering, return_exceptions=True)
        assert await port_of(victim) == port
        assert victim.gossip.counters()["restarts"] == 1
    finally:
        await network.close()
