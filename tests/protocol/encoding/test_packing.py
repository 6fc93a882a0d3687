"""Canonical msgpack (rule 6.1): one value, one encoding, and no other exception than ours."""

import struct
from typing import Any

import msgpack
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.encoding.packing import Reader, Uint, array_of, fields_of, pack
from sayso_protocol.errors import Malformed, NotCanonical, SaysoError, TooLarge

LIMIT = 65_536
# A shape for each kind of value, and some that messages have.
SHAPES: dict[str, tuple[Any, st.SearchStrategy[Any]]] = {
    "nothing": (None, st.none()),
    "number": (Uint, st.integers(0, (1 << 64) - 1)),
    "bytes": (bytes, st.binary(max_size=70_000)),
    "text": (str, st.text(max_size=300)),
    "hashes": (array_of(bytes), st.lists(st.binary(max_size=40)).map(tuple)),
    "lists": (array_of(bytes | None), st.lists(st.none() | st.binary(max_size=300)).map(tuple)),
    "numbers": (array_of(Uint), st.lists(st.integers(0, (1 << 64) - 1), max_size=40).map(tuple)),
    "message": (
        fields_of(Uint, fields_of(str, array_of(str)), fields_of(Uint, bytes) | None),
        st.tuples(
            st.integers(0, 300),
            st.tuples(st.text(), st.lists(st.text(max_size=5)).map(tuple)),
            st.none() | st.tuples(st.integers(0, 1 << 40), st.binary(max_size=20)),
        ),
    ),
}
READERS = {name: Reader[Any](shape, 1 << 20) for name, (shape, _) in SHAPES.items()}
valid = st.sampled_from(sorted(SHAPES)).flatmap(lambda name: st.tuples(st.just(name), SHAPES[name][1]))

OTHER_FORMS = {
    "uint8 for a fixint": ("number", b"\xcc\x01"),
    "uint16 for a fixint": ("number", b"\xcd\x00\x01"),
    "uint16 for a uint8": ("number", b"\xcd\x00\xff"),
    "uint32 for a uint16": ("number", b"\xce\x00\x00\xff\xff"),
    "uint64 for a uint32": ("number", b"\xcf\x00\x00\x00\x00\xff\xff\xff\xff"),
    "int8 for a fixint": ("number", b"\xd0\x01"),
    "int16 for a uint8": ("number", b"\xd1\x00\xff"),
    "int32 for a uint16": ("number", b"\xd2\x00\x00\xff\xff"),
    "int64 for a uint32": ("number", b"\xd3\x00\x00\x00\x00\xff\xff\xff\xff"),
    "str8 for a fixstr": ("text", b"\xd9\x01a"),
    "str16 for a fixstr": ("text", b"\xda\x00\x01a"),
    "str32 for a fixstr": ("text", b"\xdb\x00\x00\x00\x01a"),
    "str16 for a str8": ("text", b"\xda\x00\x20" + b"a" * 32),
    "bin16 for a bin8": ("bytes", b"\xc5\x00\x01a"),
    "bin32 for a bin8": ("bytes", b"\xc6\x00\x00\x00\x01a"),
    "array16 for a fixarray": ("numbers", b"\xdc\x00\x01\x01"),
    "array32 for a fixarray": ("numbers", b"\xdd\x00\x00\x00\x01\x01"),
    "a longer form further in": ("numbers", b"\x92\x01\xcc\x01"),
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


@given(valid)
def test_what_was_packed_comes_out_again(case: tuple[str, Any]) -> None:
    name, value = case
    assert READERS[name].read(pack(value)) == value
    assert pack(value) == msgpack.packb(value)


@given(valid, st.data())
def test_truncated_bytes_are_malformed(case: tuple[str, Any], data: st.DataObject) -> None:
    name, value = case
    whole = pack(value)
    cut = data.draw(st.integers(0, len(whole) - 1))
    with pytest.raises(Malformed):
        READERS[name].read(whole[:cut])


@given(st.sampled_from(sorted(READERS)), st.binary(max_size=200))
def test_arbitrary_bytes_are_canonical_or_refused(name: str, data: bytes) -> None:
    try:
        value = READERS[name].read(data)
    except SaysoError:
        return
    assert pack(value) == data


@pytest.mark.parametrize(("name", "data"), OTHER_FORMS.values(), ids=OTHER_FORMS)
def test_another_form_of_the_same_value_is_not_canonical(name: str, data: bytes) -> None:
    with pytest.raises(NotCanonical):
        READERS[name].read(data)


@pytest.mark.parametrize("data", FORBIDDEN.values(), ids=FORBIDDEN)
@pytest.mark.parametrize("name", READERS)
def test_other_types_and_shapes_are_malformed(name: str, data: bytes) -> None:
    with pytest.raises(Malformed):
        READERS[name].read(data)


def test_one_byte_too_many_is_too_large() -> None:
    data = pack(bytes(95))
    assert Reader[bytes](bytes, len(data)).read(data) == bytes(95)
    with pytest.raises(TooLarge):
        Reader[bytes](bytes, len(data) - 1).read(data)


def test_an_array_may_be_as_long_as_its_shape_says() -> None:
    data = pack([0] * 1_025)
    assert len(Reader[tuple[int, ...]](array_of(Uint, 1_025), LIMIT).read(data)) == 1_025
    with pytest.raises(Malformed):
        Reader[tuple[int, ...]](array_of(Uint), LIMIT).read(data)


FORM = Reader[Any](fields_of(Uint, bytes, str, array_of(bytes)), LIMIT)


def test_fields_are_of_exactly_the_stated_types() -> None:
    assert FORM.read(pack([1, b"", "", [b"a"]])) == (1, b"", "", (b"a",))
    right: list[Any] = [1, b"", "", []]
    strange: tuple[Any, ...] = (
        None,
        [],
        [1],
        -1,
        1.0,
        True,
        "1",
        b"1",
        1,
        "b",
        ["b"],
        [None],
        [[b"a"]],
        {},
    )
    for at in range(4):
        for value in strange:
            changed = [*right[:at], value, *right[at + 1 :]]
            if type(value) is not type(right[at]) or value == -1 or (at == 3 and value):
                with pytest.raises(Malformed):
                    FORM.read(pack(changed))
    for value in (None, [], right[:3], [*right, 0]):
        with pytest.raises(Malformed):
            FORM.read(pack(value))


def test_another_form_of_a_known_shape_is_not_canonical() -> None:
    with pytest.raises(NotCanonical):
        FORM.read(b"\x94\xcc\x01\xc4\x00\xa0\x90")
    with pytest.raises(TooLarge):
        FORM.read(bytes(LIMIT + 1))
