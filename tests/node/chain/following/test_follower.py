"""The follower: ranges, cursor and events together, through forks; silent when it could not read."""

import asyncio
import contextlib
import math
from pathlib import Path
from random import Random

import pytest

from sayso_contracts.registry.events import Anchored, Event
from sayso_node.chain.following import follower as follower_module
from sayso_node.chain.following.follower import Follower
from sayso_node.errors import ChainUnreachable, RangeRefused, StoreUnusable
from sayso_node.store.chain import chain_state, endorsements
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import FakeChain, anchored, endorsed, revoked, unreachable
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig
from support.protocol_strategies import ADA, BEN, NETWORK
from support.waiting import until

ROOT, OTHER_ROOT = sha256(b"root"), sha256(b"other root")


class Following:
    """A follower of a fake chain, and what it has kept."""

    def __init__(self, rig: NodeRig, deploy_block: int = 1, chain: FakeChain | None = None) -> None:
        self.rig, self.chain = rig, chain or FakeChain(NOW)
        self.follower = Follower(
            self.chain,
            rig.store,
            rig.freshness,
            rig.clock,
            rig.counters,
            rig.alarms,
            Random(1),
            registry=NETWORK.registry,
            finality=12,
            deploy_block=deploy_block,
            interval_s=0.01,
        )

    async def read(self) -> None:
        await self.follower.read()

    def bits(self, who: bytes = ADA) -> Masks:
        with self.rig.store.read() as db:
            return bits_of(db, who)

    def anchors(self) -> dict[bytes, int]:
        with self.rig.store.read() as db:
            return dict(db.execute("SELECT root, block_number FROM anchors").fetchall())

    def endorsed_in(self, signer: bytes, digest: bytes = ROOT) -> int | None:
        with self.rig.store.read() as db:
            return endorsements.endorsed_in(db, signer, digest)

    def cursor(self) -> ChainPoint | None:
        with self.rig.store.read() as db:
            followed = chain_state.followed(db)
        return followed[0] if followed else None

    @property
    def is_current(self) -> bool:
        return self.rig.freshness.view(self.rig.clock.now(), 1_000).silence is None


@pytest.fixture(autouse=True)
def nothing_comes_late(monkeypatch: pytest.MonkeyPatch) -> None:
    """Most tests are about which blocks are read first."""
    monkeypatch.setattr(follower_module, "LATE_BLOCKS", 0)


@pytest.fixture
def following(rig: NodeRig) -> Following:
    return Following(rig)


async def test_everything_on_chain_is_read_once(following: Following) -> None:
    chain = following.chain
    chain.mine(revoked(ADA, 7, 1), anchored(ROOT))
    chain.mine()
    chain.mine(revoked(ADA, 7, 2), revoked(BEN, 9, 1))
    await following.read()
    assert (following.bits(ADA), following.bits(BEN)) == ({7: 3}, {9: 1})
    assert following.anchors() == {ROOT: 1}
    assert following.cursor() == ChainPoint(3, chain.blocks[3].hash)
    chain.mine(anchored(OTHER_ROOT))
    await following.read()
    await following.read()
    assert chain.ranges == [(1, 3), (4, 4)]
    assert following.anchors() == {ROOT: 1, OTHER_ROOT: 4}
    counted = [following.rig.count(f"chain_{name}") for name in ("polls", "revocations", "anchors")]
    assert counted == [3, 3, 2]


async def test_long_stretches_are_read_in_ranges(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "RANGE_BLOCKS", 4)
    for number in range(1, 11):
        following.chain.mine(revoked(ADA, number, 1))
    await following.read()
    assert following.chain.ranges == [(1, 4), (5, 8), (9, 10)]
    assert following.bits() == dict.fromkeys(range(1, 11), 1)


@pytest.mark.parametrize("limit", [1, 3, 7])
async def test_a_width_that_the_endpoint_takes_is_found(following: Following, limit: int) -> None:
    chain, ask = following.chain, following.chain.events

    async def narrow(first: int, last: int) -> list[Event]:
        if last - first >= limit:
            raise RangeRefused("too many blocks")
        return await ask(first, last)

    chain.events = narrow  # type: ignore[method-assign]
    for number in range(1, 101):
        chain.mine(revoked(ADA, number, 1))
    await following.read()
    assert following.bits() == dict.fromkeys(range(1, 101), 1)
    assert following.cursor() == ChainPoint(100, chain.blocks[100].hash)


async def test_logs_that_come_late_are_read_with_the_next_blocks(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A balancer's other machine has the block, and says that there is nothing in it."""
    monkeypatch.setattr(follower_module, "LATE_BLOCKS", 8)
    chain = following.chain
    late = chain.mine(revoked(ADA, 7, 1), anchored(ROOT))
    events, late.events = late.events, []
    await following.read()
    assert following.bits() == {}
    late.events = events
    chain.mine()
    await following.read()
    assert (following.bits(), following.anchors()) == ({7: 1}, {ROOT: 1})
    assert following.rig.count("chain_anchors") == 1
    chain.mine()
    await following.read()
    assert following.rig.count("chain_anchors") == 1


async def test_the_head_is_asked_for_by_its_hash(following: Following) -> None:
    """So a machine that does not have it cannot say that it is empty."""
    following.chain.mine(revoked(ADA, 7, 1))
    following.chain.trouble = unreachable("events_of")
    with pytest.raises(ChainUnreachable):
        await following.read()
    assert not following.is_current


async def test_nothing_before_the_registry_is_asked_for(rig: NodeRig) -> None:
    following = Following(rig, deploy_block=5)
    for number in range(1, 8):
        following.chain.mine(revoked(ADA, number, 1))
    await following.read()
    assert following.chain.ranges == [(5, 7)]
    rig.clock.time += 1
    following.chain.drop(7)  # even when nothing that was followed is left
    await following.read()
    assert following.cursor() is None


@pytest.mark.parametrize(("then", "known"), [(1, 7), (5, 3), (6, 3)])
async def test_a_network_file_with_an_earlier_block_is_read_from_there(
    rig: NodeRig, then: int, known: int
) -> None:
    """The block of the registry was too high at first: what was revoked before it was not seen."""
    following = Following(rig, deploy_block=5)
    for number in range(1, 8):
        following.chain.mine(revoked(ADA, number, 1))
    await following.read()
    assert len(following.bits()) == 3
    corrected = Following(rig, deploy_block=then, chain=following.chain)
    for _ in range(2):
        await corrected.read()
        assert len(corrected.bits()) == known
    assert following.chain.ranges == [(5, 7), *([(1, 7)] if then == 1 else [])]


async def test_after_a_restart_it_goes_on_where_it_was(tmp_path: Path) -> None:
    chain = FakeChain(NOW)
    for run in range(3):
        chain.mine(revoked(ADA, run, 1))
        with NodeRig(tmp_path) as rig:
            following = Following(rig, chain=chain)
            assert not following.is_current
            await following.read()
            assert following.is_current
            assert following.bits() == dict.fromkeys(range(run + 1), 1)
    assert chain.ranges == [(1, 1), (2, 2), (3, 3)]


async def test_freshness_is_dated_by_the_beginning(following: Following) -> None:
    following.chain.mine()

    def slow(_method: str, _calls: int) -> None:
        following.rig.clock.time += 10

    following.chain.trouble = slow
    await following.read()
    assert following.rig.freshness.view(following.rig.clock.now(), math.inf).confirmed == NOW
    assert following.rig.freshness.head.point.number == 1


@pytest.mark.parametrize("method", ["head", "header", "events"])
async def test_an_endpoint_that_fails_in_the_middle_makes_nothing_fresh(
    following: Following, monkeypatch: pytest.MonkeyPatch, method: str
) -> None:
    monkeypatch.setattr(follower_module, "RANGE_BLOCKS", 2)
    following.chain.mine(revoked(ADA, 1, 1))
    await following.read()
    following.rig.clock.time += 5_000
    following.chain.time += 5_000
    for number in range(2, 9):
        following.chain.mine(revoked(ADA, number, 1))
    before = following.chain.calls.count(method)

    def third_time(name: str, _calls: int) -> None:
        calls = following.chain.calls.count(method) - before
        if name == method and calls >= {"head": 0, "header": 1, "events": 2}[method]:
            raise ChainUnreachable("gone")

    following.chain.trouble = third_time
    with pytest.raises(ChainUnreachable):
        await following.read()
    assert not following.is_current
    assert following.rig.count("chain_polls") == 1
    following.chain.trouble = lambda _method, _calls: None
    await following.read()
    assert following.is_current
    assert following.bits() == dict.fromkeys(range(1, 9), 1)


async def test_cursor_and_events_stand_or_fall_together(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    following.chain.mine(revoked(ADA, 7, 1), anchored(ROOT))

    def dies(_db: Reading, _point: ChainPoint) -> None:
        raise StoreUnusable("the machine is gone")

    monkeypatch.setattr(chain_state, "advance", dies)
    with pytest.raises(StoreUnusable):
        await following.read()
    assert (following.bits(), following.anchors(), following.cursor()) == ({}, {}, None)
    assert not following.is_current
    monkeypatch.undo()
    await following.read()
    assert (following.bits(), following.anchors()) == ({7: 1}, {ROOT: 1})


async def test_a_fork_takes_endorsements_away(following: Following) -> None:
    """Also one that comes back in a later block: it counts from there."""
    chain = following.chain
    chain.mine(endorsed(ADA, ROOT))
    await following.read()
    chain.mine(endorsed(BEN, ROOT), endorsed(ADA, OTHER_ROOT))
    await following.read()
    assert (following.endorsed_in(ADA), following.endorsed_in(BEN)) == (1, 2)
    assert following.endorsed_in(ADA, OTHER_ROOT) == 2
    chain.drop(1)
    for _ in range(3):
        chain.mine()
    await following.read()
    assert (following.endorsed_in(ADA), following.endorsed_in(BEN)) == (1, None)
    assert following.endorsed_in(ADA, OTHER_ROOT) is None
    chain.mine(endorsed(BEN, ROOT))
    await following.read()
    assert following.endorsed_in(BEN) == 5
    assert following.rig.count("chain_endorsements") == 4
    await following.read()
    assert following.rig.count("chain_endorsements") == 4


async def test_an_endorsement_whose_log_is_late_is_read_with_the_next_blocks(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(follower_module, "LATE_BLOCKS", 8)
    late = following.chain.mine(endorsed(ADA, ROOT))
    events, late.events = late.events, []
    await following.read()
    assert following.endorsed_in(ADA) is None
    late.events = events
    following.chain.mine()
    await following.read()
    assert following.endorsed_in(ADA) == 1


async def test_a_fork_takes_anchors_away_and_leaves_revocations(following: Following) -> None:
    chain = following.chain
    chain.mine(anchored(ROOT))
    chain.mine(revoked(ADA, 7, 1), anchored(OTHER_ROOT))
    chain.mine()
    await following.read()
    chain.drop(2)
    chain.mine(revoked(ADA, 9, 1))
    for _ in range(3):
        chain.mine()
    await following.read()
    assert following.bits() == {7: 1, 9: 1}
    assert following.anchors() == {ROOT: 1}
    assert following.cursor() == ChainPoint(5, chain.blocks[5].hash)
    assert following.rig.count("chain_reorgs") == 1
    chain.mine(anchored(OTHER_ROOT))
    await following.read()
    assert following.anchors() == {ROOT: 1, OTHER_ROOT: 6}
    assert following.rig.count("chain_reorgs") == 1


async def test_a_shorter_chain_is_followed_too(following: Following) -> None:
    """A chain that was begun anew, as the embedded one is."""
    for number in range(6):
        following.chain.mine(anchored(sha256(bytes([number]))))
        await following.read()
    following.chain.drop(6)
    following.chain.mine(anchored(ROOT))
    await following.read()
    assert following.anchors() == {ROOT: 1}
    assert following.cursor() == ChainPoint(1, following.chain.blocks[1].hash)


async def test_a_fork_deeper_than_what_is_remembered_is_read_from_the_start(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(chain_state, "KEPT_BLOCKS", 3)
    for number in range(1, 11):
        following.chain.mine(anchored(sha256(bytes([number]))))
        await following.read()
    following.chain.drop(8)
    following.chain.mine(revoked(ADA, 7, 1))
    await following.read()
    assert following.chain.ranges[-1] == (1, 3)
    assert following.anchors() == {sha256(bytes([number])): number for number in (1, 2)}
    assert following.bits() == {7: 1}


@pytest.mark.parametrize("depth", [2, 4, 7, 9])
@pytest.mark.parametrize("moment", range(9))
async def test_a_fork_while_it_reads_loses_nothing(
    following: Following, monkeypatch: pytest.MonkeyPatch, moment: int, depth: int
) -> None:
    """The chain is replaced before any one of the answers, above or below what was followed."""
    monkeypatch.setattr(follower_module, "RANGE_BLOCKS", 2)
    chain = following.chain
    for number in range(4):
        chain.mine(revoked(ADA, number, 1))
        await following.read()
    for number in range(4, 10):
        chain.mine(revoked(ADA, number, 1), anchored(sha256(bytes([number]))))
    began = len(chain.calls)

    def forks(_method: str, calls: int) -> None:
        if calls == began + moment:
            chain.drop(depth)
            for number in range(depth):
                chain.mine(revoked(BEN, number, 1), anchored(sha256(b"new %d" % number)))

    chain.trouble = forks
    with contextlib.suppress(ChainUnreachable):
        await following.read()
    assert len(chain.calls) > began + moment, "the reading was over before the fork"
    chain.trouble = lambda _method, _calls: None
    chain.mine()
    await following.read()
    assert following.bits(BEN) == dict.fromkeys(range(depth), 1)
    events = [event for block in chain.blocks for event in block.events]
    on_chain = {one.root: one.block_number for one in events if isinstance(one, Anchored)}
    assert following.anchors() == on_chain


async def test_its_loop_outlives_a_chain_and_a_store_that_fail(
    following: Following, monkeypatch: pytest.MonkeyPatch
) -> None:
    chain, rig = following.chain, following.rig
    chain.trouble = unreachable("head")
    running = asyncio.create_task(following.follower.run())
    await until(lambda: rig.count("chain_failed") >= 2)
    advance = chain_state.advance

    def full(_db: Reading, _point: ChainPoint) -> None:
        raise StoreUnusable("database or disk is full")

    monkeypatch.setattr(chain_state, "advance", full)
    chain.trouble = lambda _method, _calls: None
    chain.mine(revoked(ADA, 7, 1))
    failed = rig.count("chain_failed")
    await until(lambda: rig.count("chain_failed") >= failed + 2 or running.done())
    monkeypatch.setattr(chain_state, "advance", advance)
    await until(lambda: following.bits() == {7: 1} or running.done())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
