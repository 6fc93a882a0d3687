"""The state of revocations: sets of bits that only grow (rule 5.6)."""

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.permissions.words import FULL, Masks
from support.merging import merged, news

# Few words and few bits, so that two draws meet; and some of the full size.
small = st.dictionaries(st.integers(0, 4), st.integers(0, 15))
masks = small | st.dictionaries(st.integers(0, (1 << 248) - 1), st.integers(0, FULL), max_size=6)
Bits = set[tuple[int, int]]


def bits(state: Masks) -> Bits:
    """The same as a plain set."""
    return {(word, bit) for word, mask in state.items() for bit in range(256) if mask >> bit & 1}


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
