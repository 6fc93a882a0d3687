"""When rounds run: with every connected peer, on connect and again; nobody waits for a slow one."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Iterator
from pathlib import Path

import pytest

from node.sync.peers import HeldRunner, Peer
from sayso_node.sync.asking import STRANGERS_AT_ONCE, SyncRounds
from sayso_node.sync.loop import SyncLoop
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.sync.answers import encode_messages
from sayso_protocol.sync.requests import FingerprintsRequest, GetRequest, RangeRequest, Request
from support.node_rig import NodeRig, consent
from support.protocol_strategies import NETWORK
from support.waiting import until

NEVER_S = 3_600.0


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, peers=["slow", "quick"]) as rig:
        yield rig


@contextlib.asynccontextmanager
async def running(rig: NodeRig, interval_s: float) -> AsyncIterator[SyncLoop]:
    loop = SyncLoop(rig.network, rig.rounds, interval_s)
    task = asyncio.create_task(loop.run())
    try:
        yield loop
        assert not task.done()
    finally:
        task.cancel()
        await asyncio.gather(task, return_exceptions=True)
    assert asyncio.all_tasks() == {asyncio.current_task()}


def rounds_begun(peer: Peer) -> int:
    return sum(isinstance(one, FingerprintsRequest) and one.kind == CONSENT for one in peer.asked)


async def test_every_connected_peer_is_asked_again_and_again(rig: NodeRig) -> None:
    peers = [Peer(rig, name) for name in ("slow", "quick")]
    async with running(rig, 0.01):
        await until(lambda: all(rounds_begun(peer) >= 3 for peer in peers))


async def test_a_peer_that_stays_silent_holds_up_nobody_else(rig: NodeRig) -> None:
    slow, quick = Peer(rig, "slow"), Peer(rig, "quick")
    slow.silent = True
    async with running(rig, 0.01):
        await until(lambda: rounds_begun(quick) >= 3)
        assert rounds_begun(slow) == 1  # and it has one round at a time


async def test_a_new_peer_is_asked_at_once(rig: NodeRig) -> None:
    async with running(rig, NEVER_S) as loop:
        await asyncio.sleep(0)
        peer = Peer(rig, "quick", [consent(1)])
        loop.wake("quick")
        await until(lambda: rig.count("sync_rounds") == 1)
        assert rig.digests() == {consent(1).digest}
        loop.wake("quick")
        await until(lambda: rounds_begun(peer) == 2)


async def test_a_peer_that_comes_back_during_its_round_is_asked_again(rig: NodeRig) -> None:
    peer = Peer(rig, "quick")
    gate = asyncio.Event()
    asked = asyncio.Event()
    truth = peer.answer

    async def held_up(protocol: str, body: bytes, asking: str) -> bytes:
        asked.set()
        await gate.wait()
        return await truth(protocol, body, asking)

    rig.board.disconnect("quick")
    rig.board.add_peer("quick", held_up)
    async with running(rig, NEVER_S) as loop:
        await asked.wait()
        loop.wake("quick")
        await asyncio.sleep(0)
        gate.set()
        await until(lambda: rounds_begun(peer) == 2)


async def test_who_connects_is_asked_and_nobody_else_for_that(rig: NodeRig) -> None:
    """Else each round that ends begins the others': ten nodes once did nothing but sync."""
    names = ("one", "two", "three")
    peers = {name: Peer(rig, name) for name in names}
    async with running(rig, NEVER_S) as loop:
        await until(lambda: rig.count("sync_rounds") == len(names))
        for times in range(2, 5):
            loop.wake("one")
            loop.wake("two")  # while a round is under way, or not: both are asked
            await until(lambda times=times: rig.count("sync_rounds") == 2 * times + 1)  # type: ignore[misc]
        assert rounds_begun(peers["three"]) == 1
        assert [rounds_begun(peers[name]) for name in ("one", "two")] == [4, 4]


async def test_rounds_that_overlap_do_not_begin_each_other(rig: NodeRig) -> None:
    gates = {name: asyncio.Event() for name in ("slow", "quick")}
    begun = set[str]()
    peers = {name: Peer(rig, name) for name in gates}
    for name, peer in peers.items():

        async def held_up(
            protocol: str, body: bytes, asking: str, *, peer: Peer = peer, name: str = name
        ) -> bytes:
            begun.add(name)
            await gates[name].wait()
            return await peer.answer(protocol, body, asking)

        rig.board.disconnect(name)
        rig.board.add_peer(name, held_up)
    async with running(rig, NEVER_S) as loop:
        await until(lambda: len(begun) == 2)
        loop.wake("quick")
        loop.wake("slow")
        await asyncio.sleep(0.01)
        for gate in gates.values():
            gate.set()
        await until(lambda: rig.count("sync_rounds") == 4)
        await asyncio.sleep(0.05)  # what must not come has no end
        assert [rounds_begun(peer) for peer in peers.values()] == [2, 2]


async def test_a_loop_without_peers_goes_on(rig: NodeRig) -> None:
    async with running(rig, 0.01):
        await asyncio.sleep(0)
        Peer(rig, "quick")
        await until(lambda: rig.count("sync_rounds") >= 1)


async def test_a_liar_is_asked_less_and_less_and_forgiven_at_once(rig: NodeRig) -> None:
    liar, honest = Peer(rig, "slow", [consent(1)]), Peer(rig, "quick")
    liar.lie = lambda request: b"" if isinstance(request, RangeRequest) else None
    async with running(rig, 0.005) as loop:
        await until(lambda: rounds_begun(honest) >= 40)
        failed = rig.count("sync_failed")
        assert 2 <= failed <= 6  # of 40: with rests of 0, 2, 6, 14, 30 turns between them
        liar.lie = lambda _request: None
        loop.wake("slow")  # it has connected
        await until(lambda: rig.digests() == {consent(1).digest})
        before = rounds_begun(liar)
        await until(lambda: rounds_begun(liar) >= before + 5)


async def test_a_peer_whose_rounds_break_off_and_bring_something_does_not_rest(rig: NodeRig) -> None:
    """Its share has run out: the next round goes on."""
    held = [consent(number) for number in range(12)]
    tired, other = Peer(rig, "slow", held), Peer(rig, "quick")

    def one_a_round(request: Request) -> bytes | None:
        if not isinstance(request, GetRequest | RangeRequest):
            return None
        missing = [one for one in tired.given(request) if one.digest not in rig.digests()]
        return encode_messages([encode(one) for one in missing[:1]] or [b""])

    tired.lie = one_a_round
    async with running(rig, 0.005):
        await until(lambda: len(rig.digests()) == len(held))
        assert rig.count("sync_failed") >= 1
        assert rounds_begun(other) < 100  # with rests, each third of its rounds would wait 32 turns


async def test_nothing_is_kept_of_liars_that_have_gone(rig: NodeRig) -> None:
    """Identities cost nothing: who leaves and comes under another name is another peer each time."""

    async def lie(_protocol: str, _body: bytes, _asking: str) -> bytes:
        return b"garbage"

    async with running(rig, 0.01) as loop:
        for number in range(8):
            before = rig.count("sync_failed")
            rig.board.add_peer(f"liar {number}", lie)
            await until(lambda before=before: rig.count("sync_failed") > before)  # type: ignore[misc]
            rig.board.disconnect(f"liar {number}")
        await until(lambda: not any(map(len, (loop._failures, loop._rests))))


async def test_strangers_read_two_at_a_time_and_a_configured_peer_beside_them(rig: NodeRig) -> None:
    held = HeldRunner()
    names = [f"stranger {number}" for number in range(8)]
    for name in (*names, "quick"):
        Peer(rig, name)
    rounds = SyncRounds(
        *(NETWORK, rig.network, rig.store, rig.intake, rig.freshness, rig.clock, rig.counters),
        runner=held,
    )
    tasks = [asyncio.create_task(rounds.round(name)) for name in names]
    for _ in range(50):
        await asyncio.sleep(0)
    assert held.reading == STRANGERS_AT_ONCE
    tasks.append(asyncio.create_task(rounds.round("quick")))
    for _ in range(50):
        await asyncio.sleep(0)
    assert held.reading == STRANGERS_AT_ONCE + 1
    held.go.set()
    assert all(await asyncio.gather(*tasks))
