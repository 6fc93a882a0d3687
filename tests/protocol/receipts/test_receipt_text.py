"""Receipts and acknowledgements as JSON files (rule 9.6)."""

import json
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.receipt import Acknowledgement, ChainPoint, Receipt, Signed, sign_statement
from sayso_protocol.receipts.text import (
    acknowledgement_from_json,
    acknowledgement_to_json,
    receipt_from_json,
    receipt_to_json,
)
from support.json_places import Path, at, leaves, other_values, with_value, without
from support.protocol_strategies import ADA, BEN, NETWORK, NODE
from support.statements import NODE_KEY, TRUSTED, acknowledgements, receipts

HEED = tuple(sorted((ADA, BEN)))
POINT = ChainPoint(19, b"\x05" * 32)
RECEIPT = Receipt(
    NETWORK, NODE_KEY, ADA, "train-ai", 60, "run 7", b"n", bytes(32), b"\x01" * 32,
    (("granted", 2), ("revoked", 1)), 8, b"\x02" * 32, POINT, 1_750_000_000, 1_750_086_400,
    1_750_604_800, HEED,
)  # fmt: skip
ACKNOWLEDGEMENT = Acknowledgement(NETWORK, NODE_KEY, b"\x07" * 32, POINT, 1_750_000_000)
RECEIPT_JSON = receipt_to_json(sign_statement(NODE, RECEIPT))
ACKNOWLEDGEMENT_JSON = acknowledgement_to_json(sign_statement(NODE, ACKNOWLEDGEMENT))


@given(receipts)
def test_a_receipt_survives_its_file(receipt: Receipt) -> None:
    signed = sign_statement(NODE, receipt)
    read = receipt_from_json(json.loads(json.dumps(receipt_to_json(signed))))
    assert read == signed
    read.check(TRUSTED)


@given(acknowledgements)
def test_an_acknowledgement_survives_its_file(acknowledgement: Acknowledgement) -> None:
    signed = sign_statement(NODE, acknowledgement)
    read = acknowledgement_from_json(json.loads(json.dumps(acknowledgement_to_json(signed))))
    assert read == signed
    read.check(TRUSTED)


def test_the_files_are_as_documented() -> None:
    assert list(RECEIPT_JSON) == [
        "type", "network", "node_key", "grantee", "purpose", "max_age_s", "run_id", "nonce",
        "manifest_root", "results_root", "counts", "sequence", "state", "block", "time",
        "run_until", "until", "heed", "signature",
    ]  # fmt: skip
    assert list(ACKNOWLEDGEMENT_JSON) == [
        "type", "network", "node_key", "digest", "block", "time", "signature",
    ]  # fmt: skip
    assert RECEIPT_JSON["type"] == "sayso-receipt-1"
    assert ACKNOWLEDGEMENT_JSON["type"] == "sayso-acknowledgement-1"


READERS: list[tuple[dict[str, Any], Callable[[Any], Signed[Any]]]] = [
    (RECEIPT_JSON, receipt_from_json),
    (ACKNOWLEDGEMENT_JSON, acknowledgement_from_json),
]
PLACES = [
    pytest.param(whole, read, path, id=f"{whole['type']} {'.'.join(path)}")
    for whole, read in READERS
    for path in leaves(whole)
]


@pytest.mark.parametrize(("whole", "read", "path"), PLACES)
def test_any_changed_place_is_found(
    whole: dict[str, Any], read: Callable[[Any], Signed[Any]], path: Path
) -> None:
    for value in other_values(at(whole, path)):
        with pytest.raises(SaysoError):
            read(with_value(whole, path, value)).check(TRUSTED)
    with pytest.raises(SaysoError):
        read(without(whole, path)).check(TRUSTED)


@pytest.mark.parametrize("name", ["network", "block", "counts"])
@pytest.mark.parametrize("value", [None, [], "", 1, {}, {"type": 1}, {"granted": "2"}])
def test_a_table_is_a_table(name: str, value: Any) -> None:
    with pytest.raises(SaysoError):
        receipt_from_json(with_value(RECEIPT_JSON, (name,), value)).check(TRUSTED)


@pytest.mark.parametrize("counts", [{"gr\ud800": 2}, {"granted": -2}, {"granted": 2, "stale": 0}])
def test_counts_are_what_was_signed(counts: dict[str, int]) -> None:
    with pytest.raises(SaysoError):
        receipt_from_json(with_value(RECEIPT_JSON, ("counts",), counts)).check(TRUSTED)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=20),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=9), inner, max_size=3),
    max_leaves=6,
)


@given(json_values)
def test_only_our_errors_come_out_of_json(value: Any) -> None:
    for read in (receipt_from_json, acknowledgement_from_json):
        with pytest.raises(SaysoError):
            read(value)


@given(json_values, st.data())
def test_only_our_errors_come_out_of_a_changed_receipt(value: Any, data: st.DataObject) -> None:
    path = data.draw(st.sampled_from([*leaves(RECEIPT_JSON), ("network",), ("block",), ("counts",)]))
    if value != at(RECEIPT_JSON, path):
        with pytest.raises(SaysoError):
            receipt_from_json(with_value(RECEIPT_JSON, path, value)).check(TRUSTED)


def test_one_is_not_read_as_the_other() -> None:
    with pytest.raises(SaysoError):
        receipt_from_json(ACKNOWLEDGEMENT_JSON)
    with pytest.raises(SaysoError):
        acknowledgement_from_json(RECEIPT_JSON)
