"""Roots over rows, and proofs of single rows (rule 9.2)."""

from dataclasses import replace
from hashlib import sha256

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding import row_tree
from sayso_protocol.encoding.row_tree import (
    ROW_BYTES,
    RowProof,
    manifest_root,
    prove_row,
    results_root,
    roots,
)
from sayso_protocol.errors import BadProof, Malformed

COUNTS = [1, 2, 31, 32, 33, 64, 1_023, 1_024, 1_025, 2_000]


def rows_of(count: int) -> bytes:
    return b"".join(sha256(b"%d" % number).digest() for number in range(2 * count))


def reasons_of(count: int) -> bytes:
    return bytes(1 + number % 9 for number in range(count))


def slow_root(tag: int, leaves: list[bytes]) -> bytes:
    """As the rule says it, without joining anything."""
    level = 0
    while level == 0 or len(leaves) > 1:
        groups = [leaves[at : at + 32] for at in range(0, len(leaves), 32)]
        leaves = [sha256(bytes([tag, level, *b"".join(group)])).digest() for group in groups]
        level += 1
    return leaves[0]


@pytest.mark.parametrize("count", COUNTS)
def test_roots_are_what_the_rule_says(count: int) -> None:
    rows, reasons = rows_of(count), reasons_of(count)
    leaves = [rows[at : at + ROW_BYTES] for at in range(0, len(rows), ROW_BYTES)]
    results = [leaf + bytes([reason]) for leaf, reason in zip(leaves, reasons, strict=True)]
    assert roots(rows, reasons) == (slow_root(1, leaves), slow_root(2, results))
    assert roots(rows, reasons) == (manifest_root(rows), results_root(rows, reasons))


@pytest.mark.parametrize("count", COUNTS)
def test_the_size_of_a_part_changes_nothing(count: int, monkeypatch: pytest.MonkeyPatch) -> None:
    rows, reasons = rows_of(count), reasons_of(count)
    whole = results_root(rows, reasons)
    for size in (32, 64, 1_024):
        monkeypatch.setattr(row_tree, "_ROWS_AT_ONCE", size)
        assert results_root(rows, reasons) == whole


@given(st.sampled_from(COUNTS), st.data())
def test_a_row_can_be_proved_alone(count: int, data: st.DataObject) -> None:
    index = data.draw(st.integers(0, count - 1))
    rows, reasons = rows_of(count), reasons_of(count)
    proof = prove_row(rows, reasons, index)
    root = results_root(rows, reasons)
    proof.check(count, root)
    assert proof.row == rows[index * ROW_BYTES : (index + 1) * ROW_BYTES]
    for wrong in altered(proof, data):
        with pytest.raises(BadProof):
            wrong.check(count, root)
    for other in {count - 1, count + 1, count * 32, 0} - {count}:
        # Where the node above is full under both counts, the same path may be right for both.
        if other > index // 32 * 32 + 32:
            continue
        with pytest.raises(BadProof):
            proof.check(other, root)


def altered(proof: RowProof, data: st.DataObject) -> list[RowProof]:
    level = data.draw(st.integers(0, len(proof.path) - 1))
    at = data.draw(st.integers(0, len(proof.row) - 1))
    changes = [
        replace(proof, row=flipped(proof.row, at)),
        replace(proof, row=proof.row[:-1]),
        replace(proof, reason=proof.reason % 9 + 1),
        replace(proof, reason=0),
        replace(proof, reason=proof.reason + 256),
        replace(proof, index=proof.index + 1),
        replace(proof, index=-1),
        replace(proof, path=proof.path[:-1]),
        replace(proof, path=(*proof.path, b"")),
        replace(proof, path=()),
    ]
    if siblings := proof.path[level]:
        byte = data.draw(st.integers(0, len(siblings) - 1))
        for other in (flipped(siblings, byte), siblings[:-1], siblings + b"\0", b""):
            path = (*proof.path[:level], other, *proof.path[level + 1 :])
            changes.append(replace(proof, path=path))
    return changes


def flipped(data: bytes, at: int) -> bytes:
    return data[:at] + bytes([data[at] ^ 1]) + data[at + 1 :]


@pytest.mark.parametrize(
    ("rows", "reasons"),
    [(b"", b""), (bytes(63), b"\1"), (bytes(64), b""), (bytes(64), b"\1\1"), (bytes(64), b"\0")],
)
def test_rows_without_one_reason_each(rows: bytes, reasons: bytes) -> None:
    with pytest.raises(Malformed):
        roots(rows, reasons)


@pytest.mark.parametrize("index", [-1, 2])
def test_there_is_no_such_row(index: int) -> None:
    with pytest.raises(BadProof):
        prove_row(rows_of(2), reasons_of(2), index)
