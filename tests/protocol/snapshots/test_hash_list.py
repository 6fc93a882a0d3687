"""A list of names has exactly what was put in, is read in one way only, and costs 78 bits a name."""

import tracemalloc

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import sha256
from sayso_protocol.snapshots.hash_list import (
    Names,
    hashed,
    hashes_of,
    license_key,
    list_bytes,
    packed,
    person_key,
    unpacked,
)
from sayso_protocol.verdicts.license_table import among

SALT = bytes(range(16))
NAMES = hashed(SALT, (b"%d" % number for number in range(100)))
many = st.lists(st.binary(min_size=12, max_size=12), max_size=60)
near = st.lists(st.integers(0, 300).map(lambda one: one.to_bytes(12)), max_size=60)


def listed(values: list[bytes]) -> Names:
    return np.unique(np.frombuffer(b"".join(values), "S12"))


def raw(names: Names) -> list[bytes]:
    """With the zeros at the end, which numpy leaves out."""
    data = names.tobytes()
    return [data[at : at + 12] for at in range(0, len(data), 12)]


@given(many | near, many | near)
def test_it_has_what_was_put_in_and_nothing_else(values: list[bytes], others: list[bytes]) -> None:
    names = listed(values)
    data = packed(names)
    assert len(data) == list_bytes(len(names))
    again = unpacked(data, len(names))
    assert raw(again) == sorted(set(values))
    wanted = np.frombuffer(b"".join([*values, *others]), "S12")
    assert among(wanted, again).tolist() == [one in set(values) for one in [*values, *others]]


def test_a_hash_is_the_first_96_bits_of_sha_256() -> None:
    assert raw(hashes_of(SALT, [b"key"])) == [sha256(SALT + b"key")[:12]]
    keys = {person_key(bytes(20)), license_key(bytes(32)), person_key(b"\1" * 20)}
    assert sorted(map(len, keys)) == [21, 21, 33]


def test_a_name_costs_at_most_80_bits_at_a_million() -> None:
    assert 8 * list_bytes(1_000_000) / 1_000_000 <= 78.1
    assert all(8 * list_bytes(count) / count <= 104 for count in (1, 2, 3, 10, 1_000, 65_537))


def test_a_hundred_thousand_are_coded_in_bounded_memory() -> None:
    names = listed([sha256(b"%d" % number)[:12] for number in range(100_000)])
    data = packed(names)
    tracemalloc.start()
    again = unpacked(data, len(names))
    peak = tracemalloc.get_traced_memory()[1]
    tracemalloc.stop()
    assert (again == names).all()
    assert peak < 8 * len(data)


@given(st.integers(0, 8 * len(packed(NAMES)) - 1))
def test_every_bit_matters(at: int) -> None:
    data = bytearray(packed(NAMES))
    data[at // 8] ^= 1 << at % 8
    try:
        again = unpacked(bytes(data), len(NAMES))
    except Malformed:
        return
    assert raw(again) != raw(NAMES)
    assert packed(again) == bytes(data)


@pytest.mark.parametrize("count", [0, 99, 101, 1 << 64])
def test_another_number_is_refused(count: int) -> None:
    with pytest.raises(Malformed):
        unpacked(packed(NAMES), count)


@given(st.binary(max_size=60), st.integers(0, 5))
def test_a_list_is_read_in_one_way_only(data: bytes, count: int) -> None:
    size = list_bytes(count)
    data = data.ljust(size, b"\0")[:size]
    try:
        names = unpacked(data, count)
    except Malformed:
        return
    assert packed(names) == data
