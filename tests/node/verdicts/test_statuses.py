"""Status answers of a node: signed together, judged like a check, and never of two states."""

import asyncio
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from sayso_node.errors import StoreUnusable
from sayso_node.store import erasure
from sayso_node.verdicts import status_desk
from sayso_node.verdicts.knowledge import NotInMemory, StoreKnowledge
from sayso_node.verdicts.status_desk import SHARED_ROUND, StatusDesk, StatusQuestion
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.receipts.status import StatusAnswer
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import NamedLicense, Reason, Row, Sought
from support.dating import date_all
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK
from support.waiting import DEADLINE_S

TRAINING = Query(BEN, "train-ai", ())


@pytest.fixture
def rig(tmp_path: Path) -> Iterator[NodeRig]:
    with NodeRig(tmp_path) as rig:
        yield rig


@pytest.fixture
def desk(rig: NodeRig) -> StatusDesk:
    return StatusDesk(
        NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
    )


def question(envelope: Envelope, query: Query = TRAINING, max_age_s: int = 60) -> StatusQuestion:
    return StatusQuestion(Row(envelope.digest, envelope.items[0]), query, max_age_s)


async def ask_all(desk: StatusDesk, *asked: StatusQuestion) -> list[StatusAnswer]:
    return await asyncio.gather(*map(desk.ask, asked))


async def current(rig: NodeRig) -> None:
    await rig.give(*map(consent, range(1, 6)))
    rig.clock.time += 1
    rig.be_current(number=12)


async def test_questions_of_a_moment_share_a_signature(rig: NodeRig, desk: StatusDesk) -> None:
    await current(rig)
    await rig.give(revocation("file 0x" + consent(2).items[0].hex()))
    asked = [
        question(consent(1)),
        question(consent(2)),
        question(consent(1), Query(CLEO, "train-ai", ()), 61),
        question(consent(1), Query(BEN, "resale", ())),
        question(consent(9)),
    ]
    answers = await ask_all(desk, *asked)
    trusted = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(rig.identity.verify_key)),))
    assert [one.check(trusted).name for one in answers] == ["rig"] * 5
    assert [one.status.reason for one in answers] == [
        Reason.GRANTED,
        Reason.REVOKED,
        Reason.OTHER_GRANTEE,
        Reason.PURPOSE_NOT_GRANTED,
        Reason.UNKNOWN,
    ]
    assert [one.status[:4] for one in answers] == [tuple(one) for one in asked]
    (head,) = {one.head.statement for one in answers}
    assert (head.count, head.time, head.block) == (5, int(NOW) + 1, ChainPoint(12, sha256(b"block")))
    assert rig.count("statuses") == 5


async def test_stale_is_each_askers_own(rig: NodeRig, desk: StatusDesk) -> None:
    await current(rig)
    rig.clock.time += 30
    await rig.give(consent(7))
    asked = (
        question(consent(1), max_age_s=30),
        question(consent(1), max_age_s=29),
        question(consent(7)),
    )
    answers = await ask_all(desk, *asked)
    assert [one.status.reason for one in answers] == [Reason.GRANTED, Reason.STALE, Reason.STALE]


async def test_a_revocation_counts_though_the_license_is_kept_in_memory(
    rig: NodeRig, desk: StatusDesk
) -> None:
    await current(rig)
    before = await desk.ask(question(consent(1)))
    await rig.give(revocation("everything"))
    after = await desk.ask(question(consent(1)))
    assert (before.status.reason, after.status.reason) == (Reason.GRANTED, Reason.REVOKED)
    assert before.head.statement.state != after.head.statement.state


async def test_the_store_is_read_only_for_what_is_not_in_memory(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def broken() -> None:
        raise StoreUnusable("the disk is gone")

    await current(rig)
    assert (await desk.ask(question(consent(1)))).status.reason is Reason.GRANTED
    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "read", broken)
        assert (await desk.ask(question(consent(1)))).status.reason is Reason.GRANTED
        with pytest.raises(StoreUnusable):
            await desk.ask(question(consent(2)))
    await rig.give(revocation("everything"))
    with monkeypatch.context() as patch:
        patch.setattr(rig.store, "read", broken)
        with pytest.raises(StoreUnusable):
            await desk.ask(question(consent(1)))
    assert (await desk.ask(question(consent(1)))).status.reason is Reason.REVOKED


async def test_a_consent_that_came_after_it_was_asked_for_is_found(
    rig: NodeRig, desk: StatusDesk
) -> None:
    assert (await desk.ask(question(consent(1)))).status.reason is Reason.UNKNOWN
    await current(rig)
    assert (await desk.ask(question(consent(1)))).status.reason is Reason.GRANTED


async def test_a_busy_node_gathers_while_a_round_is_under_way(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await current(rig)
    entered, leave = threading.Event(), threading.Event()
    answer = desk.answer

    def slow(*args: Any, from_memory: bool = False) -> list[StatusAnswer]:
        if from_memory:
            raise NotInMemory
        entered.set()
        assert leave.wait(DEADLINE_S)
        return answer(*args)

    monkeypatch.setattr(desk, "answer", slow)
    first = desk.ask(question(consent(1)))
    assert await asyncio.to_thread(entered.wait, DEADLINE_S)
    others = [desk.ask(question(consent(number))) for number in range(1, 6)]
    await asyncio.sleep(0)
    leave.set()
    assert (await first).head.statement.count == 1
    assert [(await one).head.statement.count for one in others] == [5] * 5


async def test_a_round_has_an_end(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(status_desk, "ROUND", 2)
    await current(rig)
    answers = await ask_all(desk, *(question(consent(number)) for number in range(1, 6)))
    assert [one.head.statement.count for one in answers] == [2, 2, 2, 2, 1]


async def test_who_went_away_is_left_out_and_nobody_else(rig: NodeRig, desk: StatusDesk) -> None:
    await current(rig)
    tasks = [desk.ask(question(consent(number))) for number in (1, 2)]
    await asyncio.sleep(0)
    tasks[0].cancel()
    assert (await tasks[1]).status.reason is Reason.GRANTED
    assert tasks[0].cancelled()


async def test_a_failure_is_told_to_all_and_the_next_round_is_none_the_worse(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    await current(rig)

    def fail(*_args: Any, **_named: Any) -> list[StatusAnswer]:
        raise StoreUnusable("gone")

    with monkeypatch.context() as patch:
        patch.setattr(desk, "answer", fail)
        asked = (desk.ask(question(consent(number))) for number in (1, 2))
        failed = await asyncio.gather(*asked, return_exceptions=True)
    assert [type(one) for one in failed] == [StoreUnusable, StoreUnusable]
    assert (await desk.ask(question(consent(1)))).status.reason is Reason.GRANTED


async def test_an_erased_consent_is_revoked_for_every_item_that_is_asked(
    rig: NodeRig, desk: StatusDesk
) -> None:
    """Rule 8.13."""
    await rig.give(consent(1), revocation("everything"))
    await rig.store.write(date_all)
    await rig.store.write(lambda db: erasure.erase(db, NETWORK, consent(1).digest))
    for item in (consent(1).items[0], bytes(32)):
        asked = question(consent(1))._replace(row=Row(consent(1).digest, item))
        assert (await desk.ask(asked)).status.reason is Reason.REVOKED


async def test_what_was_read_is_used_as_long_as_nothing_was_committed(
    rig: NodeRig, desk: StatusDesk
) -> None:
    await current(rig)
    for number in (1, 2):
        await desk.ask(question(consent(number)))
    first = desk._seen
    await desk.ask(question(consent(1)))
    assert desk._seen is first
    await rig.give(consent(8))
    await desk.ask(question(consent(1)))
    assert desk._seen is not first


async def test_only_what_is_in_memory_is_answered_in_the_event_loop(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    threads, answer = list[str](), desk.answer

    def told(*args: Any, **named: Any) -> list[StatusAnswer]:
        answers = answer(*args, **named)
        threads.append(threading.current_thread().name)
        return answers

    monkeypatch.setattr(desk, "answer", told)
    await current(rig)
    for _ in range(3):
        await desk.ask(question(consent(1)))
    await rig.give(revocation("via nobody.example"))  # bits of hers have to be read anew
    for _ in range(2):
        assert (await desk.ask(question(consent(1)))).status.reason is Reason.GRANTED
    at_once = [name == threading.main_thread().name for name in threads]
    assert at_once == [False, True, True, False, True]


async def test_nobody_waits_for_rows_that_several_people_share(
    rig: NodeRig, desk: StatusDesk, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Whether such a license is in memory or not, while one of them takes for ever."""
    pair = tuple(sorted((ADA, CLEO)))
    slow, cold = (consent(number, parties=pair) for number in (7, 8))
    await rig.give(slow, cold)
    await current(rig)
    entered, leave = threading.Event(), threading.Event()
    considered = StoreKnowledge.considered

    def waits(knowledge: StoreKnowledge, sought: Sought) -> Iterator[NamedLicense]:
        entered.set()
        assert leave.wait(DEADLINE_S)
        return considered(knowledge, sought)

    monkeypatch.setattr(StoreKnowledge, "considered", waits)
    shared = [desk.ask(question(slow))]
    assert await asyncio.to_thread(entered.wait, DEADLINE_S)
    shared += [desk.ask(question(one)) for one in (slow, cold, slow)]
    others = await ask_all(desk, question(consent(1)), question(consent(9)))
    assert [one.status.reason for one in others] == [Reason.GRANTED, Reason.UNKNOWN]
    assert not any(one.done() for one in shared)
    leave.set()
    answers = await asyncio.gather(*shared)
    assert [one.status.row for one in answers] == [question(one).row for one in (slow, slow, cold, slow)]
    assert {one.status.reason for one in answers} == {Reason.INCOMPLETE}


async def test_a_round_of_shared_rows_is_short(rig: NodeRig, desk: StatusDesk) -> None:
    pair = tuple(sorted((ADA, CLEO)))
    held = [consent(number, parties=pair) for number in range(10, 30)]
    await rig.give(*held)
    answers = await ask_all(desk, *map(question, held))
    assert {one.head.statement.count for one in answers} == {SHARED_ROUND, len(held) - SHARED_ROUND}


async def test_a_look_does_not_wait_for_other_work_in_threads(rig: NodeRig, desk: StatusDesk) -> None:
    await current(rig)
    leave = threading.Event()
    with ThreadPoolExecutor(2) as pool:
        asyncio.get_running_loop().set_default_executor(pool)
        others = [asyncio.create_task(asyncio.to_thread(leave.wait, DEADLINE_S)) for _ in range(4)]
        answer = await desk.ask(question(consent(1)))
        assert answer.status.reason is Reason.GRANTED
        assert not any(one.done() for one in others)
        leave.set()
        await asyncio.gather(*others)
