"""Statements of nodes, one of each, made from keys of the tests; and what a document is."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from nacl.signing import SigningKey

from sayso_protocol.encoding.row_tree import prove_row, roots
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.misconduct import row_proof_from_json, row_proof_to_json
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    check_results,
    check_row,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.receipts.status import (
    Status,
    StatusMoment,
    sign_statuses,
    status_from_json,
    status_to_json,
)
from sayso_protocol.receipts.text import (
    acknowledgement_from_json,
    acknowledgement_to_json,
    receipt_from_json,
    receipt_to_json,
)
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.protocol_strategies import ADA, BEN, NETWORK, NODE, a_consent, item_hashes, signed
from support.receipt_values import number_reasons
from support.snapshots import AS_OF, TRUSTED

ITEMS = item_hashes(6)
CONSENT = signed(a_consent(ITEMS), ITEMS).sponsored_by(NODE)
EVERYTHING = signed(Revocation(ADA, ("everything", "via kled.ai for resale"), (0, 7), (3, 1 << 200)))
ROWS = [Row(CONSENT.digest, item) for item in ITEMS]
NUMBERS = number_reasons(
    [Reason.GRANTED] * 2 + [Reason.REVOKED, Reason.GRANTED, Reason.STALE, Reason.GRANTED]
)
QUESTION = Question(Query(BEN, "train-ai"), 3_600, "run 7")
POINT, STATE = ChainPoint(19, sha256(b"block")), sha256(b"state")
NOW = AS_OF + 60


@dataclass(frozen=True)
class Document:
    """A document: its fields, and what verifying it returns.

    Attributes:
        value: Fields in dictionaries and lists.
        verify: Returns everything that the verification gives to its caller, or raises SaysoError.
    """

    value: Any
    verify: Callable[[Any], Any]


def a_receipt(key: SigningKey = NODE, numbers: bytes = NUMBERS, sequence: int = 8) -> Any:
    rows = join_rows(ROWS[: len(numbers)])
    asked, answered = roots(rows, numbers)
    return sign_statement(
        key,
        Receipt(
            network=NETWORK,
            node_key=bytes(key.verify_key),
            grantee=QUESTION.query.grantee,
            purpose=QUESTION.query.purpose,
            max_age_s=QUESTION.max_age_s,
            run_id=QUESTION.run_id,
            nonce=sha256(b"nonce %d" % sequence)[:16],
            manifest_root=asked,
            results_root=answered,
            counts=count_reasons(numbers),
            sequence=sequence,
            state=STATE,
            block=POINT,
            time=NOW + sequence,
            run_until=0,
            until=NOW + 604_800,
            heed=(),
        ),
    )


def receipt() -> Document:
    def verify(value: Any) -> Any:
        found = receipt_from_json(value)
        operator = found.check(TRUSTED)
        check_results(found.statement, join_rows(ROWS), NUMBERS)
        return operator, found.statement

    return Document(receipt_to_json(a_receipt()), verify)


def a_promise(envelope: Envelope) -> Any:
    promise = Acknowledgement(NETWORK, bytes(NODE.verify_key), envelope.digest, POINT, NOW)
    return sign_statement(NODE, promise)


def acknowledgement() -> Document:
    def verify(value: Any) -> Any:
        found = acknowledgement_from_json(value)
        return found.check(TRUSTED), found.statement

    return Document(acknowledgement_to_json(a_promise(EVERYTHING)), verify)


def status() -> Document:
    statuses = [
        Status(row, QUESTION.query, 60, b"nonce %d" % at, Reason.GRANTED, NOW + 604_800)
        for at, row in enumerate(ROWS)
    ]
    answers = sign_statuses(NODE, StatusMoment(NETWORK, STATE, POINT, NOW), statuses)

    def verify(value: Any) -> Any:
        found = status_from_json(value)
        return found.check(TRUSTED), found.status, found.head.statement, found.index

    return Document(status_to_json(answers[2]), verify)


def row_proof() -> Document:
    statement = a_receipt().statement

    def verify(value: Any) -> Any:
        found = row_proof_from_json(value)
        return check_row(statement, found), found.row, found.index

    return Document(row_proof_to_json(prove_row(join_rows(ROWS), NUMBERS, 1)), verify)
