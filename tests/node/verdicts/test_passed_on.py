"""Who may use it, from the store: the same answers as by the rules alone, and what makes them stale."""

import tempfile
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.store.chain import wallets
from sayso_node.store.interface import Writing
from sayso_node.store.statements import passing
from sayso_node.store.statements import sublicenses as stored
from sayso_node.verdicts.judge import Check, CheckResult
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.receipts.status import Status
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.known import Heard, PassingOn, license_hash, message_hash
from support.node_rig import ManualClock, NodeRig
from support.passed_rows import add_grants
from support.passing import (
    BASE,
    ITEMS,
    LAB,
    LATE,
    MARKET,
    OTHER,
    PAIR,
    RESELLER,
    SOON,
    Oracle,
    a_license,
    chain_of,
    histories,
    pass_on,
    questions,
    sealed,
)
from support.protocol_strategies import ADA, BEN, NETWORK
from support.tries import tries

NOW = BASE + 50
HELD = a_license()
TWO = chain_of(MARKET, RESELLER, LAB, of=(HELD,))
QUERY = Query(LAB, "train-ai")
ROW = Row(license_hash(HELD.consent), ITEMS[0])


def a_rig(folder: Path) -> NodeRig:
    return NodeRig(folder, clock=ManualClock(NOW))


def desk_of(rig: NodeRig) -> StatusDesk:
    return StatusDesk(
        NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
    )


def check(rig: NodeRig, *rows: Row, query: Query = QUERY, run_until: int = 0) -> CheckResult:
    return rig.judge.judge(Check(query, 60, "run", join_rows(rows), run_until=run_until))


def look(rig: NodeRig, row: Row = ROW, query: Query = QUERY) -> Status:
    """The answer of the desk, which is that of a check."""
    [one] = desk_of(rig).answer([StatusQuestion(row, query, 60)])
    many = check(rig, row, query=query)
    assert (REASONS[many.reasons[0]], many.until) == (one.status.reason, one.status.until)
    return one.status


async def give(rig: NodeRig, *messages: Heard) -> None:
    for one in messages:
        await rig.give(sealed(one))


@settings(max_examples=tries(40))
@given(histories(), st.data())
async def test_it_answers_by_the_rules_in_whatever_order_messages_come(
    history: list[Heard], data: st.DataObject
) -> None:
    oracle = Oracle(history)
    with tempfile.TemporaryDirectory() as folder, a_rig(Path(folder)) as rig:
        await give(rig, *data.draw(st.permutations(history)))
        rig.confirm()
        asked = [one for one in questions(history) if one.now == NOW]
        for question in asked:
            then = question._replace(now=NOW + 1)
            expected = oracle.answer(then)
            found = look(rig, question.row, question.query)
            until = oracle.until(then) if expected is Reason.GRANTED else 0
            assert (found.reason, found.until) == (expected, until)
        queries = {one.query for one in asked}
        for query in queries:  # many rows together
            rows = [one.row for one in asked if one.query == query]
            judged, singly = check(rig, *rows, query=query), [look(rig, row, query) for row in rows]
            assert [REASONS[number] for number in judged.reasons] == [one.reason for one in singly]
            assert judged.until == min((one.until for one in singly if one.until), default=0)


async def test_a_sublicense_that_came_late_makes_the_row_stale(tmp_path: Path) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, TWO[0])
        rig.confirm()
        await give(rig, TWO[1])
        assert look(rig).reason is Reason.STALE
        rig.confirm()
        assert look(rig).reason is Reason.GRANTED
        # Another one that came late takes nothing away, while the first is sure.
        await give(rig, pass_on(MARKET, LAB, HELD))
        assert look(rig).reason is Reason.GRANTED


async def test_a_license_that_was_forgotten_and_came_again_is_passed_on(tmp_path: Path) -> None:
    """It keeps its first number, which its place among the messages no longer is."""
    beside = a_license(grantee=RESELLER)
    row = Row(license_hash(beside.consent), ITEMS[0])
    with a_rig(tmp_path) as rig:
        await rig.store.write(lambda db: add_grants(db, [ROW.license], MARKET, 900))
        await give(rig, beside, HELD, *TWO)
        rig.confirm()
        for query in (QUERY, Query(RESELLER, "train-ai"), QUERY):
            judged = check(rig, ROW, row, query=query)
            other = Reason.OTHER_GRANTEE if query == QUERY else Reason.GRANTED
            assert [REASONS[number] for number in judged.reasons] == [Reason.GRANTED, other]


@pytest.mark.parametrize("signer", [MARKET, RESELLER])
async def test_a_signer_whose_revocation_may_be_lost_makes_the_row_stale(
    tmp_path: Path, signer: bytes
) -> None:
    with a_rig(tmp_path) as rig:
        await give(rig, HELD, *TWO)
        rig.confirm()
        assert look(rig).reason is Reason.GRANTED

        def mark(db: Writing) -> None:
            db.execute("INSERT INTO marks (digest, signer, source) VALUES (?, ?, 'x')", (b"d", signer))

        await rig.store.write(mark)
        assert look(rig).reason is Reason.STALE
        assert look(rig, query=Query(MARKET, "train-ai")).reason is Reason.GRANTED
        await give(rig, Revocation(ADA, ("everything for resale",)))
        assert look(rig).reason is Reason.REVOKED


async def test_of_several_parties_each_needs_its_own_chain(tmp_path: Path) -> None:
    hers, his = a_license(parties=PAIR), a_license(parties=PAIR, contributor=BEN)
    row = Row(license_hash(hers.consent), ITEMS[0])
    with a_rig(tmp_path) as rig:
        await give(rig, hers, his, pass_on(MARKET, LAB, hers))
        rig.confirm()
        assert look(rig, row).reason is Reason.INCOMPLETE
        await give(rig, pass_on(MARKET, LAB, his))
        assert look(rig, row).reason is Reason.STALE
        rig.confirm()
        assert look(rig, row).reason is Reason.GRANTED
        await give(rig, Revocation(MARKET, (f"statement 0x{_digest(pass_on(MARKET, LAB, his))}",)))
        assert look(rig, row).reason is Reason.INCOMPLETE


async def test_what_is_displaced_in_the_store_stays_so(tmp_path: Path) -> None:
    """In whatever order they come: sixteen of a signer (here: 3), and of these 256 (here: 5)."""
    above = [pass_on(MARKET, one, HELD) for one in (RESELLER, OTHER)]
    below = [
        pass_on(one.terms.grantee, LAB, HELD, parent=message_hash(one.terms), expires_at=LATE - number)
        for one in above
        for number in range(5)
    ]
    direct = [pass_on(MARKET, LAB, HELD, expires_at=LATE - 10 - number) for number in range(5)]
    expected = _ranked(direct)[:3] + _ranked(below)[:2]
    for step in (1, -1):
        (tmp_path / str(step)).mkdir()
        with (
            mock.patch.object(passing, "COUNTED", 3),
            mock.patch.object(passing, "RANKED", 5),
            a_rig(tmp_path / str(step)) as rig,
        ):
            await give(rig, HELD, *above, *[*below, *direct][::step])
            with rig.store.read() as db:
                found = {
                    one.digest for one in stored.sublicenses_to(db, message_hash(HELD.consent), LAB)
                }
        assert found == {message_hash(one.terms) for one in expected}


def _ranked(some: list[PassingOn]) -> list[PassingOn]:
    return sorted(some, key=lambda one: (-one.terms.expires_at, message_hash(one.terms)))


def _digest(one: PassingOn) -> str:
    return message_hash(one.terms).hex()


async def test_a_row_that_does_not_last_until_the_run_ends_is_stale(tmp_path: Path) -> None:
    """The way that ends last counts: here the longer of two chains, and then the recheck."""
    held = a_license(recheck_hours=1)
    row = Row(license_hash(held.consent), ITEMS[0])
    short, long = pass_on(MARKET, LAB, held, expires_at=SOON), pass_on(MARKET, LAB, held)
    with a_rig(tmp_path) as rig:
        await give(rig, held, short)
        rig.confirm()
        assert look(rig, row).until == SOON
        for run_until, reason in ((SOON, Reason.GRANTED), (SOON + 1, Reason.STALE)):
            answer = check(rig, row, run_until=run_until)
            assert REASONS[answer.reasons[0]] is reason
            assert answer.until == (SOON if reason is Reason.GRANTED else 0)
        await give(rig, long)
        rig.confirm()
        assert look(rig, row).until == NOW + 2 + 3_600 < LATE
        # An old view cannot be relied on for longer than people allow, whatever the asker accepts.
        rig.clock.time += 3_600
        old = rig.judge.judge(Check(QUERY, 7_200, "run", join_rows([row])))
        assert (REASONS[old.reasons[0]], old.until) == (Reason.GRANTED, NOW + 2 + 3_600)
        rig.clock.time += 1
        old = rig.judge.judge(Check(QUERY, 7_200, "run", join_rows([row])))
        assert (REASONS[old.reasons[0]], old.until) == (Reason.STALE, 0)


async def test_a_wallets_answer_dates_the_row(tmp_path: Path) -> None:
    """And the recheck of one party applies to the wallet of another."""
    hers = a_license(parties=PAIR, grantee=LAB, recheck_hours=2)
    his = a_license(parties=PAIR, contributor=BEN, grantee=LAB, recheck_hours=1)
    row, asked_at = Row(license_hash(hers.consent), ITEMS[0]), NOW - 3_000
    with a_rig(tmp_path) as rig:
        await give(rig, hers, his)
        rig.confirm()
        assert look(rig, row).until == NOW + 1 + 3_600

        def answered(db: Writing) -> None:
            wallets.said(db, ADA, row.license, asked_at, NOW, accepted=True)

        await rig.store.write(answered)
        lasting = rig.judge.judge(Check(QUERY, 3_600, "run", join_rows([row])))
        assert (REASONS[lasting.reasons[0]], lasting.until) == (Reason.GRANTED, asked_at + 3_600)
        assert look(rig, row).reason is Reason.STALE  # for an asker who accepts a minute
