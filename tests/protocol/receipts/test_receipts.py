"""Receipts and acknowledgements, checked offline against the network file (section 9)."""

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.row_tree import manifest_root, prove_row, results_root
from sayso_protocol.errors import (
    BadProof,
    BadSignature,
    Malformed,
    SaysoError,
    UnknownSigner,
    WrongNetwork,
)
from sayso_protocol.network import Network
from sayso_protocol.primitives import ANYONE, sha256
from sayso_protocol.receipts.receipt import (
    Acknowledgement,
    ChainPoint,
    Receipt,
    Signed,
    check_results,
    check_row,
    count_reasons,
    join_rows,
    sign_statement,
)
from sayso_protocol.signatures.nodes import RECEIPT, sign_by_node
from sayso_protocol.verdicts.verdict import Reason, Row
from support.protocol_strategies import NETWORK, NODE, hashes
from support.receipt_values import number_reasons
from support.statements import NODE_KEY, OTHER_KEY, OTHER_NODE, TRUSTED, acknowledgements, receipts

ROWS = [Row(sha256(b"license %d" % index), sha256(b"item %d" % index)) for index in range(5)]
REASONS = [Reason.GRANTED, Reason.GRANTED, Reason.REVOKED, Reason.STALE, Reason.UNKNOWN]
RECEIPT_OF_ROWS = Receipt(
    network=NETWORK,
    node_key=NODE_KEY,
    grantee=ANYONE,
    purpose="train-ai",
    max_age_s=3_600,
    run_id="run 7",
    nonce=b"n" * 16,
    manifest_root=manifest_root(join_rows(ROWS)),
    results_root=results_root(join_rows(ROWS), number_reasons(REASONS)),
    counts=count_reasons(number_reasons(REASONS)),
    sequence=8,
    state=bytes(32),
    block=ChainPoint(19, b"\x05" * 32),
    time=1_750_000_000,
    run_until=0,
    until=1_750_604_800,
    heed=(b"\x01" * 20,),
)
ACKNOWLEDGEMENT = Acknowledgement(NETWORK, NODE_KEY, b"\x07" * 32, RECEIPT_OF_ROWS.block, 1_750_000_000)
CHANGES: list[tuple[str, Any, type[SaysoError]]] = [
    ("network", Network(1, NETWORK.registry), WrongNetwork),
    ("network", Network(NETWORK.chain_id, b"\x01" * 20), WrongNetwork),
    ("node_key", b"\x01" * 32, UnknownSigner),
    ("node_key", b"", UnknownSigner),
    ("node_key", OTHER_KEY, BadSignature),
    ("block", ChainPoint(20, b"\x05" * 32), BadSignature),
    ("block", ChainPoint(19, b"\x06" * 32), BadSignature),
    ("time", 1_750_000_001, BadSignature),
]
RECEIPT_CHANGES: list[tuple[str, Any, type[SaysoError]]] = [
    *CHANGES,
    ("grantee", b"\x01" * 20, BadSignature),
    ("purpose", "evaluate", BadSignature),
    ("max_age_s", 3_601, BadSignature),
    ("run_id", "run 8", BadSignature),
    ("nonce", b"", BadSignature),
    ("manifest_root", bytes(32), BadSignature),
    ("results_root", bytes(32), BadSignature),
    ("counts", (("granted", 5),), BadSignature),
    ("counts", (), BadSignature),
    ("sequence", 9, BadSignature),
    ("state", b"\x01" * 32, BadSignature),
    ("run_until", 1, BadSignature),
    ("heed", (), BadSignature),
    ("until", 1_750_604_801, BadSignature),
]
NAMES = [name for name, *_ in RECEIPT_CHANGES]


@given(receipts | acknowledgements)
def test_a_signed_statement_names_its_operator(statement: Receipt | Acknowledgement) -> None:
    signed: Signed[Any] = sign_statement(NODE, statement)
    assert signed.check(TRUSTED).name == "north"


@pytest.mark.parametrize(("name", "value", "error"), RECEIPT_CHANGES, ids=NAMES)
def test_a_changed_receipt_fails(name: str, value: Any, error: type[SaysoError]) -> None:
    signed = sign_statement(NODE, RECEIPT_OF_ROWS)
    with pytest.raises(error):
        Signed(replace(RECEIPT_OF_ROWS, **{name: value}), signed.signature).check(TRUSTED)


@pytest.mark.parametrize(("name", "value", "error"), [*CHANGES, ("digest", bytes(32), BadSignature)])
def test_a_changed_acknowledgement_fails(name: str, value: Any, error: type[SaysoError]) -> None:
    signed = sign_statement(NODE, ACKNOWLEDGEMENT)
    with pytest.raises(error):
        Signed(replace(ACKNOWLEDGEMENT, **{name: value}), signed.signature).check(TRUSTED)


def test_every_field_of_a_receipt_was_changed_above() -> None:
    assert set(NAMES) == set(Receipt.__dataclass_fields__)
    assert {*(name for name, *_ in CHANGES), "digest"} == set(Acknowledgement.__dataclass_fields__)


@given(receipts, st.integers(0, 63), st.integers(1, 255))
def test_a_changed_byte_of_the_signature_fails(receipt: Receipt, at: int, change: int) -> None:
    signature = bytearray(sign_statement(NODE, receipt).signature)
    signature[at] ^= change
    with pytest.raises(BadSignature):
        Signed(receipt, bytes(signature)).check(TRUSTED)


@pytest.mark.parametrize("length", [0, 63, 65])
def test_a_signature_has_64_bytes(length: int) -> None:
    signature = sign_statement(NODE, RECEIPT_OF_ROWS).signature
    with pytest.raises(BadSignature):
        Signed(RECEIPT_OF_ROWS, (signature + b"\0")[:length]).check(TRUSTED)


def test_signing_in_anothers_name_fails() -> None:
    with pytest.raises(BadSignature):
        sign_statement(OTHER_NODE, RECEIPT_OF_ROWS).check(TRUSTED)


def test_a_receipts_signature_is_not_an_acknowledgements() -> None:
    """Rule 4.5."""
    signature = sign_by_node(NODE, RECEIPT, ACKNOWLEDGEMENT.content())
    with pytest.raises(BadSignature):
        Signed(ACKNOWLEDGEMENT, signature).check(TRUSTED)


@given(receipts, receipts)
def test_different_receipts_have_different_content(one: Receipt, other: Receipt) -> None:
    assert (one.content() == other.content()) is (one == other)


def test_the_results_a_receipt_was_given_for() -> None:
    rows, reasons = join_rows(ROWS), number_reasons(REASONS)
    check_results(RECEIPT_OF_ROWS, rows, reasons)
    for index, reason in enumerate(REASONS):
        proof = prove_row(rows, reasons, index)
        assert check_row(RECEIPT_OF_ROWS, proof) is reason
        with pytest.raises(BadProof):
            check_row(RECEIPT_OF_ROWS, replace(proof, reason=proof.reason % 9 + 1))


def test_a_receipt_of_a_reason_nobody_knows() -> None:
    rows, reasons = join_rows(ROWS[:1]), b"\xff"
    receipt = replace(RECEIPT_OF_ROWS, results_root=results_root(rows, reasons), counts=(("new", 1),))
    with pytest.raises(BadProof):
        check_row(receipt, prove_row(rows, reasons, 0))


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [
        (ROWS[:-1], REASONS[:-1]),
        (ROWS[:-1], REASONS),
        (ROWS, REASONS[:-1]),
        (ROWS, []),
        ([], REASONS),
        ([], []),
        ([*ROWS, ROWS[0]], [*REASONS, REASONS[0]]),
        (ROWS[::-1], REASONS[::-1]),
        ([ROWS[1], ROWS[0], *ROWS[2:]], REASONS),
        (ROWS, [Reason.GRANTED] * 5),
        (ROWS, [REASONS[2], *REASONS[1:2], REASONS[0], *REASONS[3:]]),
    ],
)
def test_other_rows_or_reasons_fail(rows: list[Row], reasons: list[Reason]) -> None:
    with pytest.raises((BadProof, Malformed)):
        check_results(RECEIPT_OF_ROWS, join_rows(rows), number_reasons(reasons))


def test_a_receipt_whose_counts_were_invented_fails() -> None:
    invented = replace(RECEIPT_OF_ROWS, counts=(("granted", 5),))
    with pytest.raises(BadProof):
        check_results(invented, join_rows(ROWS), number_reasons(REASONS))


@given(st.lists(st.sampled_from(Reason), max_size=50))
def test_counts_are_sorted_and_add_up(reasons: list[Reason]) -> None:
    counts = count_reasons(number_reasons(reasons))
    assert list(counts) == sorted(counts)
    assert dict(counts) == {reason: reasons.count(reason) for reason in reasons}


def test_counts_know_every_reason() -> None:
    with pytest.raises(Malformed):
        count_reasons(bytes([len(Reason) + 1]))


@given(st.lists(st.builds(Row, hashes, hashes), min_size=1, max_size=20), st.data())
def test_roots_change_with_any_row(rows: list[Row], data: st.DataObject) -> None:
    reasons = [data.draw(st.sampled_from(Reason)) for _ in rows]
    more = [*rows, Row(data.draw(hashes), data.draw(hashes))]
    asked, answered = manifest_root(join_rows(rows)), bound(rows, reasons)
    assert manifest_root(join_rows(more)) != asked
    assert bound(more, [*reasons, Reason.GRANTED]) != answered
    for index, reason in enumerate(reasons):
        other = Reason.GRANTED if reason is not Reason.GRANTED else Reason.REVOKED
        assert bound(rows, [*reasons[:index], other, *reasons[index + 1 :]]) != answered


def bound(rows: list[Row], reasons: list[Reason]) -> bytes:
    return results_root(join_rows(rows), number_reasons(reasons))
