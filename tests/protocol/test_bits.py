"""The state of revocations: sets of bits that only grow (rule 5.6)."""

import hashlib
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.bits import StateEntry, merged, news, state_digest
from sayso_protocol.words import FULL, Masks
from support.protocol_strategies import ADA, BEN, addresses

# Few words and few bits, so that two draws meet; and some of the full size.
small = st.dictionaries(st.integers(0, 4), st.integers(0, 15))
masks = small | st.dictionaries(st.integers(0, (1 << 248) - 1), st.integers(0, FULL), max_size=6)
states = st.dictionaries(
    st.tuples(st.sampled_from([ADA, BEN]) | addresses, st.integers(0, 4)), st.integers(0, 3)
)
Bits = set[tuple[int, int]]


def bits(state: Masks) -> Bits:
    """The same as a plain set."""
    return {(word, bit) for word, mask in state.items() for bit in range(256) if mask >> bit & 1}


def entries(state: dict[tuple[bytes, int], int]) -> list[StateEntry]:
    return [(address, word, mask) for (address, word), mask in state.items()]


@given(masks, masks)
def test_merging_is_the_union_of_sets(one: Masks, other: Masks) -> None:
    assert bits(merged(one, other)) == bits(one) | bits(other)


@given(masks, masks, masks)
def test_merging_knows_no_order_and_no_repeats(a: Masks, b: Masks, c: Masks) -> None:
    assert merged(a, b) == merged(b, a)
    assert merged(merged(a, b), c) == merged(a, merged(b, c))
    assert merged(a, a) == a
    assert merged(a, {}) == a


@given(masks, masks)
def test_merging_changes_neither_side(a: Masks, b: Masks) -> None:
    before = dict(a), dict(b)
    merged(a, b)
    news(a, b)
    assert (a, b) == before


@given(masks, masks)
def test_news_is_exactly_what_was_missing(known: Masks, heard: Masks) -> None:
    fresh = news(known, heard)
    assert bits(fresh) == bits(heard) - bits(known)
    assert all(fresh.values())
    assert news(merged(known, heard), heard) == {}
    assert bits(merged(known, fresh)) == bits(merged(known, heard))


@given(states, st.randoms(use_true_random=False))
def test_the_digest_knows_no_order(state: dict[tuple[bytes, int], int], shuffler: Random) -> None:
    rows = entries(state)
    mixed = list(rows)
    shuffler.shuffle(mixed)
    assert state_digest(mixed) == state_digest(rows)


@given(states, states)
def test_different_states_have_different_digests(
    one: dict[tuple[bytes, int], int], other: dict[tuple[bytes, int], int]
) -> None:
    same = {key: mask for key, mask in one.items() if mask} == {
        key: mask for key, mask in other.items() if mask
    }
    assert (state_digest(entries(one)) == state_digest(entries(other))) is same


def test_the_digest_is_over_the_bytes_of_rule_9_3() -> None:
    rows = sorted([ADA + bytes(31) + b"\x07" + bytes(31) + b"\x01", BEN + b"\0" * 63 + b"\x02"])
    expected = hashlib.sha256(b"".join(rows)).digest()
    assert state_digest([(BEN, 0, 2), (ADA, 7, 1), (ADA, 9, 0)]) == expected
    assert state_digest([]) == hashlib.sha256(b"").digest()
