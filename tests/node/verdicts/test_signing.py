"""Rule 9.7: whatever happens to its clock, an honest node can never be shown to have broken its word."""

import asyncio
from pathlib import Path

import pytest

from sayso_node.errors import ClockPutBack
from sayso_node.verdicts.judge import Check, CheckResult
from sayso_protocol.encoding.row_tree import prove_row
from sayso_protocol.errors import NotProven
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipts.misconduct import Evidence
from sayso_protocol.receipts.receipt import Receipt, Signed, join_rows
from sayso_protocol.receipts.text import AcknowledgementJson, acknowledgement_from_json
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.node_rig import NodeRig, consent, revocation
from support.protocol_strategies import BEN, NETWORK

CONSENT, REVOCATION = consent(1), revocation("everything")
ROWS = join_rows([Row(CONSENT.digest, CONSENT.items[0])])
CHECK = Check(Query(BEN, "train-ai"), 3_600, "run", ROWS)


def trusting(rig: NodeRig) -> NetworkFile:
    """A network file with this node as an operator."""
    key = bytes(rig.identity.verify_key)
    return NetworkFile(NETWORK, 1, operators=(Operator("rig", key),))


async def granted(rig: NodeRig) -> CheckResult:
    """An answer of a node that has heard of nothing else."""
    await rig.give(CONSENT)
    rig.clock.time += 1
    rig.be_current()
    answer = rig.judge.judge(CHECK)
    assert answer.reasons == bytes([Reason.GRANTED.number])
    return answer


async def promised(rig: NodeRig) -> AcknowledgementJson:
    await rig.give(REVOCATION)
    return await rig.signer.acknowledge(REVOCATION)


def evidence(promise: AcknowledgementJson, receipt: Signed[Receipt], consents: Envelope) -> Evidence:
    assert isinstance(consents.message, Consent)
    proof = prove_row(ROWS, bytes([Reason.GRANTED.number]), 0)
    return Evidence(acknowledgement_from_json(promise), REVOCATION, receipt, consents, proof)


@pytest.mark.parametrize("back_s", [0, 1, 600])
async def test_a_promise_is_not_older_than_an_answer_before_it(rig: NodeRig, back_s: int) -> None:
    receipt = await rig.signer.receipt(CHECK, await granted(rig))
    rig.clock.time -= back_s
    found = evidence(await promised(rig), receipt, CONSENT)
    with pytest.raises(NotProven, match="not later"):
        found.check(trusting(rig), EoaVerifier())


async def test_nor_is_it_after_a_restart(tmp_path: Path) -> None:
    with NodeRig(tmp_path) as rig:
        receipt = await rig.signer.receipt(CHECK, await granted(rig))
    with NodeRig(tmp_path) as again:
        again.clock.time -= 600
        again.be_current()
        found = evidence(await promised(again), receipt, CONSENT)
        with pytest.raises(NotProven, match="not later"):
            found.check(trusting(again), EoaVerifier())


async def test_an_answer_from_before_the_clock_was_put_back_is_not_signed(rig: NodeRig) -> None:
    answer = await granted(rig)
    rig.clock.time -= 600
    with pytest.raises(ClockPutBack):
        await rig.signer.receipt(CHECK, answer)
    rig.clock.time += 601
    await asyncio.gather(*(rig.signer.receipt(CHECK, answer) for _ in range(2)))


async def test_a_node_that_does_break_its_word_is_shown_to(rig: NodeRig) -> None:
    """The evidence above is the right one: without the rule it proves."""
    await rig.give(CONSENT)
    rig.be_current()
    promise = await promised(rig)
    rig.clock.time += 2
    rig.be_current()
    answer = rig.judge.judge(CHECK)
    lie = CheckResult(bytes([Reason.GRANTED.number]), answer.state, answer.block, answer.time, 1, ())
    receipt = await rig.signer.receipt(CHECK, lie)
    assert evidence(promise, receipt, CONSENT).check(trusting(rig), EoaVerifier())
