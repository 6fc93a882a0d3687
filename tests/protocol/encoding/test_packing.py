"""Canonical msgpack (rule 6.1): one value, one encoding, and no other exception than ours."""

import struct
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.packing import all_of, fields, pack, unpack
from sayso_protocol.errors import Malformed, NotCanonical, SaysoError, TooLarge

LIMIT = 65_536
values = st.recursive(
    st.none() | st.integers(0, (1 << 64) - 1) | st.binary(max_size=300) | st.text(max_size=60),
    lambda inner: st.lists(inner, max_size=6),
    max_leaves=12,
)

OTHER_FORMS = {
    "uint8 for a fixint": b"\xcc\x01",
    "uint16 for a fixint": b"\xcd\x00\x01",
    "uint16 for a uint8": b"\xcd\x00\xff",
    "uint32 for a uint16": b"\xce\x00\x00\xff\xff",
    "uint64 for a uint32": b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff",
    "int8 for a fixint": b"\xd0\x01",
    "int16 for a uint8": b"\xd1\x00\xff",
    "int32 for a uint16": b"\xd2\x00\x00\xff\xff",
    "int64 for a uint32": b"\xd3\x00\x00\x00\x00\xff\xff\xff\xff",
    "str8 for a fixstr": b"\xd9\x01a",
    "str16 for a fixstr": b"\xda\x00\x01a",
    "str32 for a fixstr": b"\xdb\x00\x00\x00\x01a",
    "str16 for a str8": b"\xda\x00\x20" + b"a" * 32,
    "bin16 for a bin8": b"\xc5\x00\x01a",
    "bin32 for a bin8": b"\xc6\x00\x00\x00\x01a",
    "array16 for a fixarray": b"\xdc\x00\x01\x01",
    "array32 for a fixarray": b"\xdd\x00\x00\x00\x01\x01",
    "a longer form further in": b"\x92\x01\x91\xcc\x01",
}
FORBIDDEN = {
    "empty": b"",
    "map": b"\x81\x01\x02",
    "empty map": b"\x80",
    "map16": b"\xde\x00\x01\x01\x02",
    "map of maps": b"\x81" * 100,
    "false": b"\xc2",
    "true": b"\xc3",
    "a bool further in": b"\x91\x91\xc3",
    "negative fixint": b"\xff",
    "negative int8": b"\xd0\x80",
    "negative int64": b"\xd3" + b"\xff" * 8,
    "float32": b"\xca" + struct.pack(">f", 1.0),
    "float64": b"\xcb" + struct.pack(">d", 1.0),
    "NaN": b"\xcb" + struct.pack(">d", float("nan")),
    "infinity": b"\x91\xcb" + struct.pack(">d", float("inf")),
    "fixext": b"\xd4\x05\x00",
    "ext8": b"\xc7\x01\x05\x00",
    "empty ext8": b"\xc7\x00\x05",
    "timestamp": b"\xd6\xff\x00\x00\x00\x00",
    "never-used byte": b"\xc1",
    "trailing nil": b"\x01\xc0",
    "trailing zero": b"\x91\x01\x00",
    "two values": b"\x91\x01\x91\x01",
    "text that is not UTF-8": b"\xa1\xff",
    "half a character": b"\xa3\xed\xa0\x80",
    "overlong UTF-8": b"\xa2\xc0\x80",
    "nested nine deep": b"\x91" * 9 + b"\xc0",
    "nested a thousand deep": b"\x91" * 1000 + b"\xc0",
    "nested without end": b"\x91" * 60_000,
    "an array that promises too much": b"\xdd\xff\xff\xff\xff",
    "bytes that promise too much": b"\xc6\xff\xff\xff\xff",
    "arrays that promise what could be": b"\xdc\xf0\x00" * 500 + b"\xc0" * 62_000,
}


@given(values)
def test_what_was_packed_comes_out_again(value: Any) -> None:
    assert unpack(pack(value), max_bytes=LIMIT) == value


@given(values, st.data())
def test_truncated_bytes_are_malformed(value: Any, data: st.DataObject) -> None:
    whole = pack(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Malformed):
        unpack(whole[:cut], max_bytes=LIMIT)


@given(st.binary(max_size=200))
def test_arbitrary_bytes_are_canonical_or_refused(data: bytes) -> None:
    try:
        value = unpack(data, max_bytes=LIMIT)
    except SaysoError:
        return
    assert pack(value) == data


@pytest.mark.parametrize("data", OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_of_the_same_value_is_not_canonical(data: bytes) -> None:
    with pytest.raises(NotCanonical):
        unpack(data, max_bytes=LIMIT)


@pytest.mark.parametrize("data", FORBIDDEN.values(), ids=FORBIDDEN)
def test_other_types_and_shapes_are_malformed(data: bytes) -> None:
    with pytest.raises(Malformed):
        unpack(data, max_bytes=LIMIT)


def test_one_byte_too_many_is_too_large() -> None:
    data = pack(bytes(95))
    assert unpack(data, max_bytes=len(data)) == bytes(95)
    with pytest.raises(TooLarge):
        unpack(data, max_bytes=len(data) - 1)


def test_nesting_of_eight_is_allowed() -> None:
    assert unpack(b"\x91" * 8 + b"\xc0", max_bytes=LIMIT) == [[[[[[[[None]]]]]]]]


def test_an_array_may_be_as_long_as_the_caller_says() -> None:
    data = pack([0] * 1_025)
    assert len(unpack(data, max_bytes=LIMIT, max_array=1_025)) == 1_025
    with pytest.raises(Malformed):
        unpack(data, max_bytes=LIMIT)


def test_fields_are_of_exactly_the_stated_types() -> None:
    assert fields([1, b"", "", []], (int, bytes, str, list)) == [1, b"", "", []]
    wrong: list[Any] = [None, (), {}, [1], [1, b"", 0], [True, b""], ["1", b""], [1, "b"]]
    for value in wrong:
        with pytest.raises(Malformed):
            fields(value, (int, bytes))


def test_arrays_hold_one_type() -> None:
    assert all_of([b"a", b"b"], bytes) == (b"a", b"b")
    for values in ([b"a", "b"], [None], [1]):
        with pytest.raises(Malformed):
            all_of(values, bytes)
