"""A contract wallet's consent is clear only while the wallet stands by it (rule 8.14)."""

import asyncio
import itertools
from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.chain.wallets import contract_wallets, wallet_watch
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.freshness import ChainHead
from sayso_node.intake.outcome import Status
from sayso_node.store.chain import set_back, wallets
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint, join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NOW, NodeRig, consent
from support.probes import questions_in
from support.protocol_strategies import ADA, BEN, NETWORK, NODE, a_consent, item_hashes, signed
from support.waiting import until

AGE_S = 60
WALLET = b"\xc0" * 20
NOTHING = bytes(32)
ACCEPTS, REFUSES = (1).to_bytes(32), (2).to_bytes(32)
BY_WALLET = b"\x01" * 66  # longer than a key's


class Mind:
    """What wallets answer: everybody the same, but some who say nothing."""

    def __init__(self) -> None:
        self.answer = ACCEPTS
        self.silent: set[bytes] = set()  # digests
        self.asked: list[int] = []  # heights, one for each answer
        self.calls = 0

    async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
        questions = questions_in(code)
        self.calls += 1
        answers = [self._answer(one) for one in questions]
        if len(questions) == 1 and answers == [NOTHING]:
            raise ChainUnreachable("nobody can tell")
        self.asked += [block.number for one in answers if len(questions) == 1 or one != NOTHING]
        return b"".join(answers)

    def _answer(self, question: bytes) -> bytes:
        return NOTHING if any(one in question for one in self.silent) else self.answer


def by_wallet(number: int, **changes: object) -> Envelope:
    items = item_hashes(1, number)
    message = a_consent(items, contributor=WALLET, parties=(WALLET,), **changes)
    return Envelope(message, NETWORK, BY_WALLET, items).sponsored_by(NODE)


ONE = by_wallet(1)


@pytest.fixture
def mind() -> Mind:
    return Mind()


@pytest.fixture
def rig(tmp_path: Path, mind: Mind) -> Iterator[NodeRig]:
    with NodeRig(tmp_path, prober=mind) as rig:
        read_chain(rig, 1)
        yield rig


def read_chain(rig: NodeRig, number: int, age_s: float = 0) -> None:
    now = rig.clock.now()
    rig.freshness.chain_read(now, ChainHead(ChainPoint(number, sha256(b"%d" % number)), now - age_s))


async def later(rig: NodeRig, number: int, seconds: float = AGE_S / 2 + 1) -> None:
    """Time passes, the chain is read, and wallets are asked."""
    rig.clock.time += seconds
    read_chain(rig, number)
    await rig.watch.ask()


def reason(rig: NodeRig, envelope: Envelope = ONE) -> Reason:
    """What both kinds of answer say, which must be the same."""
    row, query = Row(envelope.digest, envelope.items[0]), Query(BEN, "train-ai")
    [number] = rig.judge.judge(Check(query, AGE_S, "run", join_rows([row]))).reasons
    desk = StatusDesk(
        NETWORK, rig.store, rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses
    )
    [status] = desk.answer([StatusQuestion(row, query, AGE_S)])
    assert status.status.reason is REASONS[number]
    return REASONS[number]


async def test_it_is_clear_while_the_wallet_accepts_it(rig: NodeRig, mind: Mind) -> None:
    [outcome] = await rig.give(ONE)
    assert outcome.status is Status.STORED
    await later(rig, 2)
    assert reason(rig) is Reason.GRANTED
    mind.answer = REFUSES
    assert reason(rig) is Reason.GRANTED  # nobody has asked
    await later(rig, 3)
    assert reason(rig) is Reason.STALE
    mind.answer = ACCEPTS
    await later(rig, 4)
    assert reason(rig) is Reason.GRANTED
    assert mind.asked == [1, 2, 3, 4]


async def test_what_a_wallet_once_said_grows_old(rig: NodeRig, mind: Mind) -> None:
    await rig.give(ONE)
    await later(rig, 2)
    rig.clock.time += AGE_S
    read_chain(rig, 3)
    assert reason(rig) is Reason.GRANTED
    rig.clock.time += 1
    read_chain(rig, 4)
    assert reason(rig) is Reason.STALE
    mind.silent.add(ONE.digest)
    await later(rig, 5)
    assert reason(rig) is Reason.STALE
    assert rig.count("wallets_silent") == 1


async def test_an_answer_is_as_old_as_its_block_not_as_the_question(rig: NodeRig) -> None:
    await rig.give(ONE)
    rig.clock.time += AGE_S / 2 + 1
    read_chain(rig, 2, age_s=AGE_S - 10)
    await rig.watch.ask()
    assert reason(rig) is Reason.GRANTED
    rig.clock.time += 11
    read_chain(rig, 3)
    assert reason(rig) is Reason.STALE


async def test_a_consent_taken_in_at_an_old_block_is_no_younger_than_that(rig: NodeRig) -> None:
    read_chain(rig, 1, age_s=AGE_S)
    await rig.give(ONE)
    rig.clock.time += 1
    read_chain(rig, 2)
    assert reason(rig) is Reason.STALE


async def test_a_block_ahead_of_our_clock_counts_as_of_now(rig: NodeRig) -> None:
    await rig.give(ONE)
    rig.clock.time += 1
    read_chain(rig, 2, age_s=-30)
    await rig.watch.ask()
    rig.clock.time += AGE_S + 1
    read_chain(rig, 3)
    assert reason(rig) is Reason.STALE


async def test_a_row_of_several_parties_needs_every_wallet(rig: NodeRig, mind: Mind) -> None:
    items, parties = item_hashes(1, 5), tuple(sorted((ADA, WALLET)))
    mine = signed(a_consent(items, parties=parties), items).sponsored_by(NODE)
    message = a_consent(items, contributor=WALLET, parties=parties)
    theirs = Envelope(message, NETWORK, BY_WALLET, items).sponsored_by(NODE)
    await rig.give(mine, theirs)
    await later(rig, 2)
    assert reason(rig, mine) is Reason.GRANTED
    mind.answer = REFUSES
    await later(rig, 3)
    assert reason(rig, mine) is Reason.STALE


async def test_its_revocation_counts_for_ever(rig: NodeRig, mind: Mind) -> None:
    await rig.give(ONE)
    message = Revocation(WALLET, ("everything",))
    assert digest(message, NETWORK)
    await rig.give(Envelope(message, NETWORK, BY_WALLET))
    mind.answer = REFUSES
    await later(rig, 2)
    assert reason(rig) is Reason.REVOKED
    mind.answer = ACCEPTS
    await later(rig, 3)
    assert reason(rig) is Reason.REVOKED


async def test_a_key_is_never_asked(rig: NodeRig, mind: Mind) -> None:
    await rig.give(consent(1))
    await later(rig, 2)
    assert mind.asked == []
    assert reason(rig, consent(1)) is Reason.GRANTED


async def test_nobody_keeps_the_others_waiting(
    rig: NodeRig, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    """More who never answer than may wait at once: all are asked in a round, and the good are clear."""
    monkeypatch.setattr(wallet_watch, "WAITING_PER_SOURCE", 4)
    many = [by_wallet(number) for number in range(1, 12)]
    for one in many:
        await rig.give(one)
    mind.silent = {one.digest for one in many[:9]}
    for number in range(2, 5):
        await later(rig, number, AGE_S)
        assert {reason(rig, one) for one in many[9:]} == {Reason.GRANTED}
        assert rig.count("wallets_asked") == (number - 1) * len(many)
    assert {reason(rig, one) for one in many[:9]} == {Reason.STALE}


OTHER = b"\xd0" * 20


def by_other(number: int) -> Envelope:
    items = item_hashes(1, number)
    message = a_consent(items, contributor=OTHER, parties=(OTHER,))
    return Envelope(message, NETWORK, BY_WALLET, items).sponsored_by(NODE)


async def test_a_wallet_with_many_consents_delays_only_its_own(tmp_path: Path) -> None:
    """While one wallet's are asked, which takes for ever, the other is asked when it is time."""
    small, calls_at = by_other(500), list[int]()

    class Slow(Mind):
        async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
            node.clock.time += 1
            read_chain(node, self.calls + 2)  # answers are remembered for one block
            if small.digest in code:
                calls_at.append(self.calls)
            return await super().created(code, gas, block)

    mind = Slow()
    with NodeRig(tmp_path, prober=mind) as node:
        node.watch._least_age_s = 20.0  # half of it is fewer calls than a round takes
        node.freshness.note_age(node.clock.now(), 1)
        read_chain(node, 1)
        for number in range(300):
            await node.give(by_wallet(number))
        await node.give(small)
        calls_at.clear()
        begun = mind.calls

        async def watch() -> None:
            while mind.calls < begun + 200:
                await node.watch.ask()
                await asyncio.sleep(0)

        watching = asyncio.create_task(watch())
        await until(lambda: mind.calls >= begun + 200)
        watching.cancel()
        await asyncio.gather(watching, return_exceptions=True)
        turns = [begun, *calls_at, mind.calls]
        gaps = [later - earlier for earlier, later in itertools.pairwise(turns)]
        assert max(gaps) <= 10 + contract_wallets.WAITING_PER_SOURCE // wallet_watch.TURN
        assert len(calls_at) >= 5


@pytest.mark.parametrize("age_s", [60, 600, 3_600])
async def test_wallets_are_asked_twice_in_the_shortest_age_that_is_asked_for(
    tmp_path: Path, age_s: int
) -> None:
    """On the commit before, each consent was asked about every two seconds, whatever anybody wanted."""
    mind = Mind()
    with NodeRig(tmp_path, prober=mind) as rig:
        read_chain(rig, 1)
        many = [by_wallet(number) for number in range(1, 33)]
        await rig.give(*many)
        mind.calls = 0
        for number in range(2, 902):
            rig.clock.time += 4
            read_chain(rig, number)
            rig.freshness.note_age(rig.clock.now(), age_s)
            await rig.watch.ask()
            with rig.store.read() as db:
                accepted = wallets.accepted_among(db, [one.digest for one in many])
            assert len(accepted) == len(many)
            assert min(accepted.values()) >= rig.clock.time - age_s
        rounds = 2 * 3_600 / age_s
        assert rounds * 0.9 - 2 <= mind.calls / 2 <= rounds + 2  # two calls for 32 consents


async def test_an_age_that_nobody_can_have_costs_no_more(tmp_path: Path) -> None:
    mind = Mind()
    with NodeRig(tmp_path, prober=mind) as rig:
        read_chain(rig, 1)
        await rig.give(ONE)
        mind.calls = 0
        for number in range(2, 302):
            rig.clock.time += 1
            read_chain(rig, number)
            rig.freshness.note_age(rig.clock.now(), 1)
            await rig.watch.ask()
        assert mind.calls <= 10


async def test_a_call_that_is_too_much_for_an_endpoint_is_made_in_parts(tmp_path: Path) -> None:
    class Small(Mind):
        async def created(self, code: bytes, gas: int, block: ChainPoint) -> bytes:
            if gas > contract_wallets.GAS:
                raise ChainUnreachable("gas above the endpoint's limit")
            return await super().created(code, gas, block)

    with NodeRig(tmp_path, prober=Small()) as rig:
        read_chain(rig, 1)
        many = [by_wallet(number) for number in range(1, 6)]
        await rig.give(*many)
        await later(rig, 2)
        assert {reason(rig, one) for one in many} == {Reason.GRANTED}


async def test_every_consent_of_a_wallet_gets_its_turn(rig: NodeRig, mind: Mind) -> None:
    many = [by_wallet(number) for number in range(1, 100)]
    for one in (*many, by_other(500)):
        await rig.give(one)
    for number in range(2, 5):
        await later(rig, number)
        assert rig.count("wallets_asked") == (number - 1) * 100
    assert {reason(rig, one) for one in (many[0], many[-1], by_other(500))} == {Reason.GRANTED}


async def test_what_has_ended_is_asked_no_more(rig: NodeRig, mind: Mind) -> None:
    await rig.give(by_wallet(1, expires_at=int(NOW) + 5))
    await later(rig, 2)
    asked = len(mind.asked)
    await later(rig, 3, 10)
    await later(rig, 4, 10)
    assert len(mind.asked) == asked


async def test_nobody_is_asked_before_the_chain_was_read(tmp_path: Path, mind: Mind) -> None:
    with NodeRig(tmp_path, prober=mind) as rig:
        await rig.store.write(lambda db: wallets.said(db, WALLET, bytes(32), 0, 0, accepted=True))
        await rig.watch.ask()
        assert mind.asked == []


async def test_a_clock_that_is_put_back_ends_a_round(rig: NodeRig, mind: Mind) -> None:
    await rig.give(ONE)
    rig.clock.time += AGE_S / 2 + 1
    read_chain(rig, 2)
    now = iter([rig.clock.time, rig.clock.time - 100])
    rig.clock.now = lambda: next(now, NOW - 100)  # type: ignore[method-assign]
    await rig.watch.ask()
    assert mind.asked == [1, 2]


async def test_its_loop_outlives_a_store_that_fails(
    rig: NodeRig, mind: Mind, monkeypatch: pytest.MonkeyPatch
) -> None:
    await rig.give(ONE)
    failures: list[int] = []

    def full(*_arguments: object, **_named: object) -> None:
        failures.append(1)
        raise StoreUnusable("database or disk is full")

    with monkeypatch.context() as patch:
        patch.setattr(wallets, "said", full)
        rig.clock.time += AGE_S / 2 + 1
        read_chain(rig, 2)
        running = asyncio.create_task(rig.watch.run())
        await until(lambda: len(failures) >= 2 or running.done())
    await until(lambda: rig.count("wallets_asked") > len(failures) or running.done())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)


async def test_a_row_that_cannot_be_read_keeps_no_other_waiting(rig: NodeRig, mind: Mind) -> None:
    await rig.give(ONE, by_wallet(2))
    spoil = "UPDATE messages SET body = x'c1' WHERE digest = ?"
    await rig.store.write(lambda db: db.execute(spoil, (ONE.digest,)))
    for number in (2, 3):
        await later(rig, number)
        assert reason(rig, by_wallet(2)) is Reason.GRANTED
    assert rig.count("faults") == 2  # once in a round: it is not asked again and again


async def test_who_ended_only_by_a_clock_that_was_ahead_is_asked_again(rig: NodeRig) -> None:
    await rig.give(ONE)
    right = rig.clock.time
    await later(rig, 2, 10 * 31_536_000.0)  # years after ONE ended
    rig.clock.time = right + 1
    await rig.store.write(lambda db: set_back.date_anew(db, rig.clock.now()))
    await later(rig, 3)
    assert reason(rig) is Reason.GRANTED
