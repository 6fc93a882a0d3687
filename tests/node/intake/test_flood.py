"""A flood of valid consents from fresh addresses fills a bounded pool, and displaces nobody."""

from collections.abc import Callable, Iterable
from math import inf
from pathlib import Path

import pytest

from sayso_node.errors import NoRoom
from sayso_node.freshness import ChainHead
from sayso_node.intake.outcome import SourceChannel, Status
from sayso_node.store.admission import sponsors
from sayso_node.store.admission.sponsors import Applicant, Quotas
from sayso_node.store.chain import chain_state
from sayso_node.store.chain.chain_state import Anchor
from sayso_node.store.interface import Store
from sayso_node.store.sync import index as sync_index
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_network import Switchboard
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, NODE, full_words

KEY, STRANGER = b"k" * 32, b"s" * 32
SMALL = Quotas(trusted=5, standing=3, strangers=40, operators=frozenset({KEY}))


async def flood(store: Store, numbers: Iterable[int], by: bytes | None = None) -> list[int]:
    """Which of so many consents found room, each of another sponsor unless one is named."""

    def take(number: int) -> Callable[..., bool]:
        name = sha256(b"%d" % number)
        one = Applicant(by or name, sha256(name), inf)
        return lambda db: sponsors.take_room(db, [one], NOW, SMALL)[0]

    return [number for number in numbers if await store.write(take(number))]


async def test_a_flood_fills_the_pool_and_no_more(store: Store) -> None:
    taken = len(await flood(store, range(600)))
    assert SMALL.strangers / 2 < taken <= SMALL.strangers
    with store.read() as db:
        assert sponsors.pooled(db) == taken
        assert db.execute("SELECT count(*) FROM sponsors").fetchone()[0] <= taken


async def test_nobody_is_turned_away_while_half_of_the_pool_is_free(store: Store) -> None:
    half = SMALL.strangers // 2
    assert await flood(store, range(half)) == list(range(half))


async def test_who_hands_it_in_again_draws_the_same_lot(store: Store) -> None:
    refused = sorted(set(range(300)) - set(await flood(store, range(300))))
    for _ in range(3):
        assert await flood(store, refused) == []


async def test_nobody_is_shut_out_for_having_come_late(store: Store) -> None:
    await flood(store, range(100))
    assert await flood(store, range(1_000, 1_400)) != []


async def test_known_sponsors_have_room_of_their_own_whatever_strangers_do(store: Store) -> None:
    await flood(store, range(1_000))
    with store.read() as db:
        before = sponsors.pooled(db)
    assert len(await flood(store, range(SMALL.trusted), KEY)) == SMALL.trusted
    with store.read() as db:
        assert sponsors.pooled(db) == before  # none of it was the pool's


async def test_standing_takes_an_anchor_in_an_old_block(store: Store) -> None:
    """Whoever came first, and whenever this node heard of it."""

    async def room() -> bool:
        none = SMALL._replace(strangers=0)
        one = Applicant(STRANGER, sha256(b"unlucky"), inf)
        return await store.write(lambda db: sponsors.take_room(db, [one], NOW, none)[0])

    await store.write(lambda db: sponsors.set_standing_block(db, 6))
    assert not await room()
    batch = await store.write(lambda db: chain_state.make_batch(db, STRANGER, [sha256(b"license")]))
    anchor = Anchor(batch.root, b"a" * 20, 7, bytes(32))
    await store.write(lambda db: chain_state.add_anchor(db, anchor))
    assert not await room()
    await store.write(lambda db: sponsors.set_standing_block(db, 7))
    assert [await room() for _ in range(4)] == [True, True, True, False]


async def test_anchors_of_one_block_buy_little_for_however_many_keys(store: Store) -> None:
    """A contract can anchor hundreds of roots, each by another key, in one transaction."""
    quotas = Quotas(standing=1_000, strangers=0, anchored=10)
    keys = [sha256(b"key %d" % number) for number in range(50)]

    async def anchor(key: bytes, number: int) -> None:
        licenses = [sha256(key + b"%d" % number)]
        batch = await store.write(lambda db: chain_state.make_batch(db, key, licenses))
        anchor = Anchor(batch.root, sha256(key)[:20], number, bytes(32))
        await store.write(lambda db: chain_state.add_anchor(db, anchor))

    async def room(key: bytes) -> int:
        claims = [Applicant(key, sha256(b"%d" % number), inf) for number in range(200)]
        return sum(await store.write(lambda db: sponsors.take_room(db, claims, NOW, quotas)))

    await store.write(lambda db: sponsors.set_standing_block(db, 12))
    for key in keys:
        await anchor(key, 7)
    assert sum([await room(key) for key in keys]) == sponsors.ANCHORS_A_BLOCK * quotas.anchored
    for number in range(8, 13):  # who anchors again and again has room for what he anchors
        await anchor(STRANGER, number)
    assert await room(STRANGER) == 5 * quotas.anchored


async def test_what_expired_leaves_the_pool_a_month_later(tmp_path: Path) -> None:
    """So a pool that is full once is not full for good; nothing that can be clear ever leaves."""
    day, month = 86_400, 30 * 86_400
    with NodeRig(tmp_path, quotas=Quotas(strangers=10)) as rig:
        rig.be_current()
        lasting = consent(900)
        await rig.give(lasting)
        both = tuple(sorted((ADA, BEN)))
        early = [consent(number, parties=both, expires_at=int(NOW) + day) for number in range(60)]
        taken = [one for one in early if (await rig.give(one))[0].status is Status.STORED]
        assert 5 <= len(taken) < 10
        stop = revocation(words=dict(full_words(taken[0].message)))
        await rig.give(stop)
        late = [consent(number) for number in range(100, 160)]

        async def come(at: float) -> int:
            rig.clock.time = at
            rig.be_current()
            await rig.give(consent(int(at - NOW)))  # the node looks when a consent comes
            return len(rig.digests() & {one.digest for one in taken})

        assert await come(NOW + day + month) == len(taken)
        rig.clock.time = NOW + 2 * day + month
        rig.freshness.chain_read(NOW, ChainHead(ChainPoint(2, bytes(32)), NOW))  # the chain stands still
        await rig.give(consent(899))
        assert len(rig.digests() & {one.digest for one in taken}) == len(taken)
        assert await come(NOW + 2 * day + month + 1) == 0
        assert rig.digests() >= {lasting.digest, stop.digest}
        with rig.store.read() as db:
            assert sponsors.pooled(db) == len(rig.digests()) - 1  # all but the revocation
            assert not db.execute("SELECT 1 FROM items WHERE item = ?", taken[0].items).fetchone()
            for table in ("shared_claims", "shared_items"):
                assert not db.execute(f"SELECT 1 FROM {table}").fetchone()
            sums = sync_index.sums(db, CONSENT, [1], 0)
        assert sums[0].size == len(rig.digests()) - 1
        [again] = await rig.give(taken[0])  # a peer may still have it
        assert isinstance(again.error, NoRoom)
        assert any([(await rig.give(one))[0].status is Status.STORED for one in late])
        [outcome] = await rig.give(stop)
        assert outcome.status is Status.KNOWN


@pytest.fixture
def full(tmp_path: Path) -> NodeRig:
    return NodeRig(tmp_path, name="full", quotas=Quotas(trusted=2, strangers=0))


async def test_what_finds_no_room_is_refused_and_told(full: NodeRig) -> None:
    with full:
        outcomes = await full.give(consent(1), consent(2, sponsor=None))
        assert [one.status for one in outcomes] == [Status.REFUSED, Status.STORED]
        assert isinstance(outcomes[0].error, NoRoom)
        # Of whoever is known, every revocation is kept.
        (stop,) = await full.give(revocation("everything"), source=SourceChannel.GOSSIP)
        assert stop.status is Status.STORED
        # It is forgotten, not remembered as wrong: with a sponsor that has room it is taken.
        again = await full.give(consent(1, sponsor=None))
        assert again[0].status is Status.STORED


async def test_what_found_no_room_is_fetched_once(tmp_path: Path) -> None:
    board = Switchboard()
    ours, theirs = Quotas(strangers=0), Quotas(operators=frozenset({bytes(NODE.verify_key)}))
    with (
        NodeRig(tmp_path, name="a", board=board, quotas=ours) as a,
        NodeRig(tmp_path, name="b", board=board, quotas=theirs) as b,
    ):
        await b.give(consent(1), consent(2))
        for _ in range(4):
            assert await a.rounds.round(b.peer_id)
        assert a.count("intake_refused") == 2
        assert await b.rounds.round(a.peer_id)  # it offers, and is declined: that is no failure
        assert await b.rounds.round(a.peer_id)
        assert a.count("intake_refused") == 4
