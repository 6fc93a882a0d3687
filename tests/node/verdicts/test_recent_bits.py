"""Bits that stay in memory are those of the store, whatever is committed in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.store.backends import BACKENDS
from sayso_node.store.revocations import bits, known_bits
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.verdicts import recent_bits
from sayso_node.verdicts.recent_bits import RecentBits
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.verdicts.known_bits import has_scope
from support.held_bits import bits_of
from support.protocol_strategies import ADA, BEN

TABLES = BACKENDS["sqlite"].tables
PEOPLE = [bytes([number]) * 20 for number in range(6)]
WORDS = [0, 1, 2, SCOPE_FLAG - 1, SCOPE_FLAG, SCOPE_FLAG | 7]
ASKED = st.tuples(st.just("ask"), st.sets(st.sampled_from(PEOPLE)), st.sets(st.sampled_from(WORDS)))
MERGED = st.tuples(
    st.sampled_from([bits.SIGNED, bits.CHAIN]),
    st.sampled_from(PEOPLE),
    st.dictionaries(st.sampled_from(WORDS), st.integers(1, 7), min_size=1),
)


def is_whole(known: StoreBits, who: bytes) -> bool:
    """Return whether all words of an address are in memory."""
    person = known._kept.get(who)
    return person is not None and person.masks is not None


@given(st.lists(ASKED | MERGED, max_size=40), st.integers(1, 12), st.integers(0, 3), st.integers(0, 3))
def test_they_are_what_the_store_says(
    steps: list[tuple[object, ...]], most: int, followed: int, few: int
) -> None:
    db, kept = TABLES(), RecentBits(most=most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_bits, "FOLLOWED", followed)
        patch.setattr(known_bits, "FEW_WORDS", few)
        for step in steps:
            match step:
                case ("ask", set(people), set(words)):
                    kept.follow(db)
                    state = {who: bits_of(db, who) for who in people}
                    for known in (kept, StoreBits(db)):
                        assert set(known.speakers(people)) == {who for who in people if state[who]}
                        for who, masks in state.items():
                            assert known.has_scopes(who) == has_scope(masks)
                            mine = {word: mask for word, mask in masks.items() if word in words}
                            assert known.masks(who, words) == mine
                            assert not is_whole(known, who) or len(masks) <= few
                case (str(source), bytes(who), dict(heard)):
                    bits.merge_bits(db, who, heard, source=source, now=1.0)
    assert kept._kept.currsize <= most


def test_only_whose_bits_changed_is_read_anew() -> None:
    db, kept = TABLES(), RecentBits()
    bits.merge_bits(db, ADA, {1: 1}, source=bits.SIGNED, now=1.0)
    kept.follow(db)
    assert kept.speakers([ADA, BEN]) == [ADA]
    bits.merge_bits(db, BEN, {1: 2}, source=bits.CHAIN, now=2.0)
    kept.follow(db)
    assert (is_whole(kept, ADA), is_whole(kept, BEN)) == (True, False)


def test_what_is_kept_is_bounded() -> None:
    db, kept = TABLES(), RecentBits(most=6)
    for who in PEOPLE:
        bits.merge_bits(db, who, {1: 1, 2: 2}, source=bits.SIGNED, now=1.0)
    kept.follow(db)
    for at in (0, 1, 0, 2):
        kept.masks(PEOPLE[at], [1])
    assert [is_whole(kept, who) for who in PEOPLE[:4]] == [False, True, True, False]
