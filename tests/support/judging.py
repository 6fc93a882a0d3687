"""Consents of anybody on the node rig, and what the node answers for them."""

from typing import Any

from sayso_node.verdicts.judge import Check
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NodeRig, consent


def consent_of(who: bytes, number: int = 1, **changes: object) -> Envelope:
    """A consent of this person, and of nobody else, for any grantee."""
    values: dict[str, Any] = {"contributor": who, "parties": (who,), "grantee": bytes(20)}
    return consent(number, **values, **changes)  # type: ignore[arg-type]


def reason(rig: NodeRig, envelope: Envelope) -> Reason:
    """The answer for its first item, once everybody was asked after it came."""
    rig.clock.time += 1
    rig.be_current()
    rows = join_rows([Row(envelope.digest, envelope.items[0])])
    answer = rig.judge.judge(Check(Query(bytes(20), "train-ai"), 60, "run", rows))
    return REASONS[answer.reasons[0]]
