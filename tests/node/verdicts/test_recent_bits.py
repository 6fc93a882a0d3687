"""Bits that stay in memory are those of the store, whatever is committed in between."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.store.backends import BACKENDS
from sayso_node.store import bits
from sayso_node.verdicts import recent_bits
from sayso_node.verdicts.recent_bits import RecentBits
from support.protocol_strategies import ADA, BEN

TABLES = BACKENDS["sqlite"].tables
PEOPLE = [bytes([number]) * 20 for number in range(4)]
ASKED = st.tuples(st.just("ask"), st.sampled_from(PEOPLE))
MERGED = st.tuples(
    st.sampled_from([bits.SIGNED, bits.CHAIN]),
    st.sampled_from(PEOPLE),
    st.dictionaries(st.integers(0, 2), st.integers(1, 7), min_size=1),
)


@given(st.lists(ASKED | MERGED, max_size=40), st.integers(1, 12), st.integers(0, 3))
def test_they_are_what_the_store_says(steps: list[tuple[object, ...]], most: int, followed: int) -> None:
    db, kept = TABLES(), RecentBits(most)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(recent_bits, "FOLLOWED", followed)
        for step in steps:
            match step:
                case ("ask", bytes(who)):
                    kept.follow(db)
                    assert kept.bits(who) == bits.bits_of(db, who)
                    assert kept.has(who)
                case (str(source), bytes(who), dict(heard)):
                    bits.merge_bits(db, who, heard, source=source, now=1.0)
    kept.follow(db)
    for who in filter(kept.has, PEOPLE):
        assert kept.bits(who) == bits.bits_of(db, who)
    assert kept._kept.currsize <= most


def test_only_whose_bits_changed_is_read_anew() -> None:
    db, kept = TABLES(), RecentBits()
    bits.merge_bits(db, ADA, {1: 1}, source=bits.SIGNED, now=1.0)
    kept.follow(db)
    of_ada = kept.bits(ADA)
    assert kept.bits(BEN) == {}
    bits.merge_bits(db, BEN, {1: 2}, source=bits.CHAIN, now=2.0)
    kept.follow(db)
    assert kept.bits(ADA) is of_ada
    assert not kept.has(BEN)


def test_what_is_kept_is_bounded() -> None:
    db, kept = TABLES(), RecentBits(6)
    for who in PEOPLE:
        bits.merge_bits(db, who, {1: 1, 2: 2}, source=bits.SIGNED, now=1.0)
    kept.follow(db)
    for at in (0, 1, 0, 2):
        kept.bits(PEOPLE[at])
    assert [kept.has(who) for who in PEOPLE] == [True, False, True, False]
