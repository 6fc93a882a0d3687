"""Rules 8.9, 8.17 and 8.18 at a node: whose disputes count, and when it may answer about them."""

from pathlib import Path
from typing import Any

import pytest

from node.sync.peers import Peer
from sayso_node.intake.outcome import Status as Outcome
from sayso_node.store.admission.sponsors import Quotas
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.sync.answers import decode_heed
from sayso_protocol.sync.requests import HeedRequest, encode_request
from sayso_protocol.verdicts.query import Heed, Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.known import Disputing, Heard, license_hash
from support.node_rig import ManualClock, NodeRig
from support.passing import (
    AGENT,
    BASE,
    ITEMS,
    MARKET,
    OTHER,
    PAIR,
    a_license,
    disputing,
    sealed,
    withdrawal,
)
from support.protocol_strategies import ADA, BEN, NETWORK
from support.sql_steps import counted_steps

HELD = a_license()
HERS, HIS = (a_license(contributor=one, parties=PAIR) for one in (ADA, BEN))
FILE = disputing(OTHER, ITEMS[0])
ADAS = disputing(OTHER, contributor_hash(ADA), subject=CONTRIBUTORS)
HEED = (OTHER,)


def a_rig(folder: Path, *, heeded: Heed = HEED, **more: Any) -> NodeRig:
    return NodeRig(folder, clock=ManualClock(BASE + 50), heeded=heeded, **more)


async def give(rig: NodeRig, *messages: Heard) -> None:
    for one in messages:
        await rig.give(sealed(one))
    rig.confirm()


async def judge(rig: NodeRig, heed: Heed | None = None, *, first: Any = HELD) -> Reason:
    """The answer of a check, signed in its receipt, which is that of the desk, signed in its leaf."""
    row, query = Row(license_hash(first.consent), ITEMS[0]), Query(MARKET, "train-ai", heed)
    asked = Check(query, 60, "run", join_rows([row]))
    answer = rig.judge.judge(asked)
    receipt = (await rig.signer.receipt(asked, answer)).statement
    desk = StatusDesk(
        NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
    )
    status = (await desk.ask(StatusQuestion(row, query, 60))).status
    again = (await desk.ask(StatusQuestion(row, query, 60))).status  # from memory
    assert receipt.heed == status.query.heed == (rig.freshness.heeded if heed is None else heed)
    reason = REASONS[answer.reasons[0]]
    assert (reason, answer.until) == (status.reason, status.until) == (again.reason, again.until)
    return reason


@pytest.mark.parametrize("one", [FILE, ADAS])
async def test_a_dispute_stops_rows_of_who_heeds_its_signer(tmp_path: Path, one: Disputing) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD)
        assert await judge(rig) is Reason.GRANTED
        await give(rig, one)
        for heed, reason in ((None, Reason.DISPUTED), (HEED, Reason.DISPUTED), ((), Reason.GRANTED)):
            assert await judge(rig, heed) is reason


async def test_one_that_came_after_the_last_asking_stops_rows_at_once(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD)
        await rig.give(sealed(FILE))
        assert await judge(rig) is Reason.DISPUTED


async def test_a_strangers_dispute_changes_nothing(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, disputing(AGENT, ITEMS[0]))
        assert await judge(rig) is Reason.GRANTED


async def test_an_address_that_the_node_does_not_heed_is_never_ignored(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, disputing(AGENT, ITEMS[0]))
        assert await judge(rig, (AGENT,)) is Reason.STALE
        assert await judge(rig, tuple(sorted((AGENT, OTHER)))) is Reason.STALE
        await give(rig, FILE)
        assert await judge(rig, tuple(sorted((AGENT, OTHER)))) is Reason.DISPUTED


async def test_it_ends_when_it_is_withdrawn(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, FILE, withdrawal(ADA, FILE))
        assert await judge(rig) is Reason.DISPUTED
        await give(rig, withdrawal(OTHER, FILE))
        assert await judge(rig) is Reason.GRANTED


async def test_it_ends_with_its_end(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, disputing(OTHER, ITEMS[0], expires_at=BASE + 60))
        assert await judge(rig) is Reason.DISPUTED
        rig.clock.time = BASE + 60
        rig.be_current()
        assert await judge(rig) is Reason.GRANTED


@pytest.mark.parametrize("first", [HERS, HIS])
async def test_the_dispute_over_a_party_stops_everybodys_row(tmp_path: Path, first: Any) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HERS, HIS)
        assert await judge(rig, first=first) is Reason.GRANTED
        await give(rig, ADAS)
        assert await judge(rig, first=first) is Reason.DISPUTED


async def test_it_never_hides_what_is_revoked(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, FILE, Revocation(ADA, ("everything",)))
        assert await judge(rig) is Reason.REVOKED


async def test_rows_are_stale_while_a_dispute_of_a_heeded_address_may_be_lost(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD)
    with a_rig(tmp_path, quotas=Quotas(strangers=0)) as rig:
        assert [one.status for one in await rig.give(sealed(FILE))] == [Outcome.REFUSED]
        rig.confirm()
        assert await judge(rig) is Reason.STALE
        assert await judge(rig, ()) is Reason.GRANTED


async def test_peers_count_only_for_whom_they_heed(tmp_path: Path) -> None:
    with a_rig(tmp_path, heeded=(OTHER, AGENT), peers=["a", "b", "c"]) as rig:
        await give(rig, HELD)
        now = rig.clock.now()
        for heeded, reason in (((), Reason.STALE), ([AGENT], Reason.STALE), ([OTHER], Reason.GRANTED)):
            rig.freshness.peer_synced("a", now, [OTHER])
            rig.freshness.peer_synced("b", now, heeded)
            rig.freshness.peer_synced("c", now)
            assert await judge(rig, HEED) is reason
            assert await judge(rig, ()) is Reason.GRANTED


async def test_all_configured_peers_must_heed_where_they_are_few(tmp_path: Path) -> None:
    with a_rig(tmp_path, peers=["a"]) as rig:
        await give(rig, HELD)
        assert await judge(rig) is Reason.GRANTED
        rig.freshness.peer_synced("a", rig.clock.now())
        assert await judge(rig) is Reason.STALE


@pytest.mark.parametrize(
    ("says", "reason"),
    [(HEED, Reason.GRANTED), ((), Reason.STALE), (b"\xc1", Reason.STALE)],
    ids=["heeds", "heeds nobody", "nonsense"],
)
async def test_a_round_asks_whom_a_peer_heeds(tmp_path: Path, says: Any, reason: Reason) -> None:
    with a_rig(tmp_path, peers=["peer"]) as rig:
        await give(rig, HELD)
        peer = Peer(rig, holds=[sealed(HELD)])
        if isinstance(says, bytes):
            peer.lie = lambda request: says if request == HeedRequest() else None
        else:
            peer.heeds = says
        rig.clock.time += 1
        rig.be_current()
        assert await rig.rounds.round("peer")
        assert await judge(rig) is reason


async def test_a_node_answers_whom_it_heeds(tmp_path: Path) -> None:
    heeded = tuple(sorted((OTHER, AGENT)))
    with a_rig(tmp_path, heeded=heeded) as rig:
        assert decode_heed(await rig.answering.answer(encode_request(HeedRequest()), "p")) == heeded


async def test_nobody_pays_for_disputes_where_there_are_none(tmp_path: Path) -> None:
    """A check that heeds somebody reads one more row than one that does not; two of another's files."""
    row = Row(license_hash(HELD.consent), ITEMS[0])
    costs = []
    for number, disputes in enumerate((0, 1_000)):
        with counted_steps() as steps, a_rig(tmp_path, name=f"rig{number}") as rig:
            others = [sha256(b"%d" % n) for n in range(disputes)]
            await give(rig, HELD, *([disputing(OTHER, *others)] if others else []))
            for heed in ((), HEED):
                asked = Check(Query(MARKET, "train-ai", heed), 60, "run", join_rows([row] * 1_000))
                rig.judge.judge(asked)
                before = steps.count
                assert {*rig.judge.judge(asked).reasons} == {Reason.GRANTED.number}
                costs.append(steps.count - before)
    assert costs[1] <= costs[0] + 20
    assert costs[3] <= costs[0] + 400
