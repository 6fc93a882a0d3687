"""A clock that was ahead for a while and is right again: nothing waits until the dates it had then."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from node.chain.paying.rig import WAIT_S, Paying
from sayso_node.chain.paying.payer import STUCK_S
from sayso_node.store.chain import archives, intents, late_blocks, relays
from sayso_node.store.integrity.audit import audit
from sayso_node.store.interface import Writing
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.verdict import Reason
from support.judging import consent_of, reason
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import ADA, CLEO, NETWORK

YEAR_S = 31_536_000.0


@asynccontextmanager
async def ahead(paying: Paying, *, restarts: bool) -> AsyncIterator[None]:
    """The clock is a year ahead meanwhile, and the node may be off when it is set right."""
    await paying.follower.read()
    right = paying.rig.clock.time
    paying.rig.clock.time += YEAR_S
    yield
    await paying.follower.read()
    paying.rig.clock.time = right
    if restarts:
        paying.restart()
    await paying.block()


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = Paying(tmp_path)
    yield paying
    paying.close()


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_came_meanwhile_is_anchored_and_relayed(paying: Paying, *, restarts: bool) -> None:
    async with ahead(paying, restarts=restarts):
        await paying.rig.give(consent(1, guardian=CLEO))
        await paying.give(2)
        await paying.promise(revocation("everything"))
    await paying.drain()
    assert len(paying.batches()) == 1
    assert paying.bits(ADA)


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_was_put_off_meanwhile_is_tried_again(paying: Paying, *, restarts: bool) -> None:
    """Pauses of relays and of proofs, and blocks that are to be read again."""

    def put_off(db: Writing) -> None:
        now = paying.rig.clock.now()
        relays.hold_back(db, ADA, relays.wanted(db, ADA), now + 60)
        relays.refused(db, stop.digest, now)
        archives.want(db, 1, bytes(32))
        archives.failed(db, ChainPoint(1, bytes(32)), now)
        late_blocks.note(db, 1, 1, now)

    stop = revocation("everything")
    async with ahead(paying, restarts=restarts):
        await paying.rig.give(consent(1))
        await paying.promise(stop)
        await paying.rig.store.write(put_off)
    with paying.rig.store.read() as db:
        now = paying.rig.clock.now()
        assert [who for who, _ in relays.whose_turn(db, now, 9)] == [ADA]
        assert relays.refusal(db, stop.digest).again_at <= now
        assert archives.wanted(db, now, 9)
        assert late_blocks.due(db, now + late_blocks.PASSES_S[0])


@pytest.mark.parametrize("restarts", [False, True])
async def test_what_was_paid_meanwhile_counts_for_a_day(paying: Paying, *, restarts: bool) -> None:
    async with ahead(paying, restarts=restarts):
        await paying.give(1)
        await paying.drain()
    with paying.rig.store.read() as db:
        now = paying.rig.clock.now()
        assert intents.spent(db, now) > 0  # it may be of this day
        assert intents.spent(db, now + intents.DAY_S) == 0


async def test_a_consent_of_then_is_clear_after_the_next_reading(paying: Paying) -> None:
    one = consent_of(ADA)
    async with ahead(paying, restarts=True):
        await paying.rig.give(one)
    paying.rig.clock.time += 1
    await paying.block()
    assert reason(paying.rig, one) is Reason.GRANTED
    with paying.rig.store.read() as db:
        assert audit(db, NETWORK) == []


async def test_a_transaction_of_then_is_stuck_after_the_usual_time(paying: Paying) -> None:
    await paying.follower.read()
    paying.rig.clock.time += YEAR_S
    await paying.give(1)
    paying.rig.clock.time += WAIT_S
    await paying.steps(2)
    assert len(paying.account.broadcasts) == 1
    paying.rig.clock.time = NOW
    await paying.steps(2)
    paying.rig.clock.time += STUCK_S
    await paying.steps(2)
    assert len(paying.account.broadcasts) == 2
    paying.rig.clock.time += STUCK_S
    await paying.steps(2)
    assert len(paying.account.broadcasts) == 3  # each offers more than the one before


async def test_pauses_stay_while_the_clock_goes_on(paying: Paying) -> None:
    """Also over a restart, and over the small steps of a clock that is kept right."""
    await paying.rig.give(consent(1))
    await paying.promise(revocation("everything"))
    now = paying.rig.clock.now()
    await paying.rig.store.write(
        lambda db: relays.hold_back(db, ADA, relays.wanted(db, ADA), now + 3_600)
    )
    for step in (1.0, -2.0, 30.0):
        paying.rig.clock.time += step
        paying.restart()
        await paying.follower.read()
        with paying.rig.store.read() as db:
            assert relays.whose_turn(db, paying.rig.clock.now(), 9) == []
