"""Receipts and acknowledgements: they verify, say what was judged, and are never given twice."""

import asyncio
from pathlib import Path

import pytest

from sayso_node.intake.outcome import Status
from sayso_node.store.interface import Reading
from sayso_node.store.revocations import bits
from sayso_node.verdicts import knowledge
from sayso_node.verdicts.judge import Check, CheckResult
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import (
    ChainPoint,
    Receipt,
    Signed,
    check_results,
    join_rows,
)
from sayso_protocol.receipts.text import AcknowledgementJson, acknowledgement_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, NETWORK
from support.receipt_values import number_reasons, state_digest

ASKED = Check(
    Query(BEN, "train-ai"),
    60,
    "run 7",
    join_rows(Row(consent(n).digest, consent(n).items[0]) for n in range(1, 4)),
)


def trusting(rig: NodeRig) -> NetworkFile:
    return NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(rig.identity.verify_key)),))


async def ask(rig: NodeRig, check: Check = ASKED) -> tuple[CheckResult, Signed[Receipt]]:
    answer = rig.judge.judge(check)
    return answer, await rig.signer.receipt(check, answer)


async def current(rig: NodeRig) -> None:
    await rig.give(consent(1), consent(2))
    rig.clock.time += 1
    rig.be_current(number=12)


async def test_a_receipt_says_what_was_asked_and_answered(rig: NodeRig) -> None:
    await current(rig)
    await rig.give(revocation("file 0x" + consent(2).items[0].hex()))
    answer, signed = await ask(rig)
    reasons = [Reason.GRANTED, Reason.REVOKED, Reason.UNKNOWN]
    assert answer.reasons == number_reasons(reasons)
    receipt = signed.statement
    assert signed.check(trusting(rig)).name == "rig"
    check_results(receipt, ASKED.rows, answer.reasons)
    assert (receipt.grantee, receipt.purpose, receipt.max_age_s) == (BEN, "train-ai", 60)
    assert (receipt.run_id, receipt.sequence, receipt.time) == ("run 7", 1, int(NOW) + 1)
    assert receipt.block == ChainPoint(12, sha256(b"block"))
    assert dict(receipt.counts) == {"granted": 1, "revoked": 1, "unknown": 1}


async def test_the_state_is_the_one_in_which_the_rows_were_judged(rig: NodeRig) -> None:
    await current(rig)
    states = []
    one, other = (envelope.message.base for envelope in (consent(1), consent(2)))  # type: ignore[attr-defined]
    for words in ({one: 1}, {one: 3}, {other: 1}):
        await rig.give(revocation(words=words))
        answer, signed = await ask(rig)
        with rig.store.read() as db:
            known = bits_of(db, ADA)
        entries = [(ADA, word, mask) for word, mask in known.items()]
        assert answer.state == signed.statement.state == state_digest(entries)
        states.append(answer.state)
    assert len(set(states)) == 3


async def test_rows_and_state_are_of_one_transaction(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A revocation that is written between the two is in neither."""
    await current(rig)
    before, _ = await ask(rig)
    loop = asyncio.get_running_loop()

    def in_between(db: Reading) -> bytes:
        state = bits.current_digest(db)
        giving = asyncio.run_coroutine_threadsafe(rig.give(revocation("everything")), loop)
        assert [one.status for one in giving.result(30)] == [Status.STORED]
        return state

    monkeypatch.setattr(knowledge, "current_digest", in_between)
    during = await asyncio.to_thread(rig.judge.judge, ASKED)
    monkeypatch.undo()
    assert (during.reasons, during.state) == (before.reasons, before.state)
    after, _ = await ask(rig)
    assert after.reasons[0] == Reason.REVOKED.number
    assert after.state != before.state


async def test_numbers_go_on_after_a_restart_and_never_repeat(tmp_path: Path) -> None:
    numbers = []
    for _ in range(3):
        with NodeRig(tmp_path) as rig:
            receipts = await asyncio.gather(*(ask(rig) for _ in range(4)))
            numbers += [signed.statement.sequence for _, signed in receipts]
    assert sorted(numbers) == list(range(1, 13))


async def test_an_acknowledgement_verifies_and_a_repeat_gets_the_first(tmp_path: Path) -> None:
    one = revocation("everything")
    said: list[AcknowledgementJson] = []
    for _ in range(2):  # and after a restart, at another time and block
        with NodeRig(tmp_path) as rig:
            await rig.give(consent(1), one)
            rig.be_current(number=len(said) + 5)
            said += await asyncio.gather(*(rig.signer.acknowledge(one) for _ in range(3)))
            rig.clock.time += 100
            said.append(await rig.signer.acknowledge(one))
            signed = acknowledgement_from_json(said[0])
            signed.check(trusting(rig))
    assert all(one == said[0] for one in said)
    assert (signed.statement.digest, signed.statement.time) == (one.digest, int(NOW))
    assert signed.statement.block.number == 5


async def test_a_check_and_its_rows_are_counted(rig: NodeRig) -> None:
    await ask(rig)
    assert (rig.count("checks"), rig.count("checked_rows"), rig.count("receipts")) == (1, 3, 1)
