"""One function under everything: the same rows get the same answers in every form that Arrow has."""

import pickle
from collections.abc import Callable

import numpy as np
import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from cli.gate.conftest import Buyer
from sayso.errors import BadManifest, NothingToAsk
from sayso.gate.columns import join_columns
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.verdict import Reason

Form = Callable[[list[bytes | None]], pa.Array]


def _texts(values: list[bytes | None]) -> list[str | None]:
    return [None if one is None else hex_text(one) for one in values]


def _sliced(values: list[bytes | None]) -> pa.Array:
    padded = [b"x", *values, None, b"yy"]
    return pa.array(padded, pa.binary()).slice(1, len(values))


FORMS: dict[str, Form] = {
    "binary": lambda values: pa.array(values, pa.binary()),
    "large_binary": lambda values: pa.array(values, pa.large_binary()),
    "binary_view": lambda values: pa.array(values, pa.binary_view()),
    "fixed": lambda values: pa.array(
        [one if one is None or len(one) == 32 else None for one in values], pa.binary(32)
    ),
    "text": lambda values: pa.array(_texts(values), pa.string()),
    "large text": lambda values: pa.array(_texts(values), pa.large_string()),
    "text view": lambda values: pa.array(_texts(values), pa.string_view()),
    "dictionary": lambda values: pa.array(values, pa.binary()).dictionary_encode(),
    "sliced": _sliced,
    "sliced fixed": lambda values: FORMS["fixed"]([b"\7" * 32, *values, None]).slice(1, len(values)),
    "sliced text": lambda values: FORMS["text"]([b"\7", *values, None]).slice(1, len(values)),
    "chunked": lambda values: pa.chunked_array(
        [pa.array(values[:2], pa.binary()), pa.array(values[2:], pa.binary())]
    ),
}
hashes = st.binary(min_size=32, max_size=32)
values = st.lists(st.none() | hashes | st.binary(max_size=40), max_size=9)


@pytest.mark.parametrize("form", FORMS)
@given(values=values)
def test_every_form_of_a_hash(form: str, values: list[bytes | None]) -> None:
    right = pa.array([b"\1" * 32] * len(values), pa.binary(32))
    rows, named = join_columns(FORMS[form](values), right)
    expected = [one is not None and len(one) == 32 for one in values]
    assert named.tolist() == expected
    for row, value, is_hash in zip(rows, values, expected, strict=True):
        assert row.tobytes() == (value + b"\1" * 32 if is_hash and value else bytes(64))


@pytest.mark.parametrize("text", ["0X" + "ab" * 32, "0x" + "AB" * 32, "ab" * 32, "Ab" * 32])
def test_hashes_may_be_bare_or_in_capitals(text: str) -> None:
    texts = pa.array([text, "0x" + "cd" * 32, None])
    rows, named = join_columns(texts, pa.array([b"\1" * 32] * 3))
    assert named.tolist() == [True, True, False]
    assert rows[0].tobytes() == b"\xab" * 32 + b"\1" * 32


@pytest.mark.parametrize("text", ["0x" + "ab" * 31, "0y" + "ab" * 32, "ab" * 33, "0x" + "ag" * 32])
def test_a_text_that_is_no_hash(text: str) -> None:
    _, named = join_columns(pa.array([text]), pa.array([b"\1" * 32]))
    assert not named.any()


@pytest.mark.parametrize("offline", [False, True])
def test_batches_and_filters(buyer: Buyer, offline: bool) -> None:
    buyer.revoke()
    table = buyer.table()
    with buyer.offline() if offline else buyer.gate() as gate:
        verdicts = gate.batch(table.to_batches()[0])
        expected = [Reason.GRANTED, Reason.REVOKED, Reason.GRANTED, Reason.GRANTED]
        assert verdicts.reasons == expected
        assert verdicts.counts == {"granted": 3, "revoked": 1}
        assert gate.filter(table).equals(table.take([0, 2, 3]))
        reader = pa.RecordBatchReader.from_batches(table.schema, table.to_batches(max_chunksize=2))
        assert gate.filter(reader).read_all().equals(table.take([0, 2, 3]))
        again = pickle.loads(pickle.dumps(gate))
        assert again.filter(table).num_rows == 3
        again.close()


def test_a_row_that_names_nothing_is_not_clear(buyer: Buyer) -> None:
    table = buyer.table()
    items = pa.array([None, b"short", *table["item"].to_pylist()[2:]], pa.binary())
    with buyer.gate() as gate:
        verdicts = gate.batch(table.set_column(1, "item", items))
        assert verdicts.counts == {"granted": 2, "unknown": 2}
        assert np.flatnonzero(verdicts.clear).tolist() == [2, 3]
        # Nobody is asked about no rows.
        assert len(gate.batch(table.slice(0, 0))) == 0
        with pytest.raises(BadManifest):
            gate.batch(table.drop_columns(["item"]))


def test_a_gate_without_anybody_to_ask(buyer: Buyer) -> None:
    with pytest.raises(NothingToAsk):
        buyer.gate(offline=["s"])
    with pytest.raises(NothingToAsk):
        buyer.gate(offline=["s"], bundle="b", nodes=["http://127.0.0.1:1"])
