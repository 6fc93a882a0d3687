"""The filter never forgets a key; it takes as few strange ones for its own as it says."""

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed
from sayso_protocol.snapshots.fuse_filter import Keys, built, key_hashes, shape_for
from sayso_protocol.snapshots.key_list import list_bytes, list_of, unpacked_list
from sayso_protocol.snapshots.keys import as_keys, new_keys, sorted_keys
from support.snapshots import salts

SALT = next(salts())
key_sets = st.sets(st.binary(min_size=32, max_size=32), max_size=300)


def random_keys(count: int, seed: int) -> Keys:
    return np.random.default_rng(seed).integers(0, 256, (count, 32), np.uint8)


def keys_of(values: set[bytes]) -> Keys:
    return sorted_keys(as_keys(b"".join(values)))


@given(key_sets)
def test_what_is_in_the_set_is_found(values: set[bytes]) -> None:
    keys = keys_of(values)
    assert built(keys, salts()).holds(keys).all()
    made = list_of(SALT, keys)
    assert made.holds(keys).all()
    again = unpacked_list(SALT, len(keys), made.packed())
    assert (again.values == made.values).all()
    assert again.bits == made.bits
    assert len(made.packed()) == list_bytes(len(keys))


@pytest.mark.parametrize("count", [1, 2, 3, 30, 3_000, 100_000])
def test_one_other_key_in_65536_is_found(count: int) -> None:
    keys, others = random_keys(count, 1), random_keys(1 << 20, 2)
    made = built(keys, salts())
    assert made.holds(keys).all()
    assert made.holds(others).sum() < 2 * 16  # 16 are to be expected; more than 32 in 6,000 years
    assert list_of(SALT, keys).holds(others).sum() < 2 * 16


def test_an_empty_set_holds_nothing() -> None:
    none, some = random_keys(0, 1), random_keys(9, 1)
    assert not built(none, salts()).holds(some).any()
    assert not list_of(SALT, none).holds(some).any()
    assert not built(some, salts()).holds(none).any()


def test_the_size_is_near_what_it_must_be() -> None:
    assert shape_for(1_000_000).cells * 16 / 1_000_000 <= 18.3
    assert all(18 <= 8 * list_bytes(count) / count <= 19.1 for count in (100, 10_000, 65_537))
    sizes = [shape_for(count).cells for count in range(2_000)]
    assert all(count * 1.1 <= size for count, size in enumerate(sizes) if count)
    assert all(one <= other * 2 for one, other in pairwise(sizes[1:]))


def test_keys_may_lie_anywhere_in_memory() -> None:
    keys = random_keys(1_000, 1)
    made = built(keys, salts())
    assert made.holds(keys[::2]).all()
    assert made.holds(np.asfortranarray(keys)).all()
    padded = np.hstack([keys, keys])
    assert made.holds(padded[:, 32:]).all()


def test_hashes_are_those_of_plain_numbers() -> None:
    """Against Python's own integers, which know no overflow."""
    mask = (1 << 64) - 1
    for row in random_keys(50, 3):
        numbers = [int.from_bytes(row.tobytes()[at : at + 8], "little") for at in (0, 8)]
        first, second = (int.from_bytes(SALT[at : at + 8], "little") for at in (0, 8))
        product = ((numbers[0] + first) & mask) * ((numbers[1] + second) & mask) & mask
        assert int(key_hashes(SALT, row[None])[0]) == product ^ product >> 32


@given(key_sets, key_sets)
def test_new_keys_are_the_difference(some: set[bytes], others: set[bytes]) -> None:
    heads = {one[:16] for one in others}
    expected = sorted({one[:16] for one in some} - heads)
    found = new_keys(as_keys(b"".join(some)), keys_of(others))
    assert [row.tobytes()[:16] for row in found] == expected


@pytest.mark.parametrize(
    "wrong", [lambda data: data[:-1], lambda data: data + b"\0", lambda data: data[:-1] + b"\xff"]
)
def test_a_list_of_another_length_is_refused(wrong: object) -> None:
    data = list_of(SALT, random_keys(9, 1)).packed()
    with pytest.raises(Malformed):
        unpacked_list(SALT, 9, wrong(data))  # type: ignore[operator]


def test_a_list_out_of_order_is_refused() -> None:
    made = list_of(SALT, random_keys(2_000, 1))
    data = bytearray(made.packed())
    order = np.flatnonzero(np.diff(made.values >> np.uint64(16)) == 0)[0]  # two under one high half
    low = np.frombuffer(data, np.uint16)[order : order + 2]
    low[:] = low[::-1].copy()
    with pytest.raises(Malformed):
        unpacked_list(SALT, 2_000, bytes(data))
