"""However many entries there are, a walk that breaks off has fetched something, and walks end."""

import random

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from protocol.sync.model import Side, walk_once
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.requests import CellsRequest, ListRequest

FEWEST = 60  # requests that a peer answers in a round
sizes = st.sampled_from([0, 300, 10_000, 1_000_000, 10_000_000, 100_000_000])
counts = st.sampled_from([0, 1, 2, 17, 300, 1_000])
crowds = st.sampled_from([b"", b"", b"\7", b"\7\7\7", b"\7" * 6])


def entries(rng: random.Random, count: int, crowd: bytes) -> set[bytes]:
    return {crowd + rng.randbytes(32 - len(crowd)) for _ in range(count)}


@settings(deadline=None, max_examples=30)
@given(sizes, counts, counts, crowds, st.integers(FEWEST, 120), st.integers(0, 1 << 32))
def test_each_round_that_breaks_off_brings_something_and_rounds_end(
    common: int, missing: int, more: int, crowd: bytes, most: int, seed: int
) -> None:
    rng = random.Random(seed)
    theirs = Side(common, entries(rng, missing, crowd))
    ours = Side(common, entries(rng, more, crowd))
    while lacking := len(theirs.own - ours.own):
        outcome, bill = walk_once(ours, theirs, rng.randbytes(16), most)
        assert bill.questions <= most
        assert len(theirs.own - ours.own) < lacking
        if outcome is not None:
            assert outcome.complete
            assert theirs.own <= ours.own


@pytest.mark.parametrize("common", [100_000, 1_000_000, 10_000_000, 1_000_000_000])
@pytest.mark.parametrize("differences", [100, 1_000, 10_000])
def test_what_a_difference_costs_does_not_grow_with_the_entries(common: int, differences: int) -> None:
    rng = random.Random(1)
    ours, theirs = (Side(common, entries(rng, differences // 2, b"")) for _ in range(2))
    outcome, bill = walk_once(ours, theirs, rng.randbytes(16))
    assert outcome == (True, False)
    assert theirs.own <= ours.own
    assert bill.sent <= 45 * differences


def test_what_a_cell_shows_wrongly_is_found_one_by_one() -> None:
    """An attacker chooses three entries so that they look like a single one, which nobody has."""
    rng = random.Random(2)
    node = b"\x11\x11"
    one, two, three = (node + rng.randbytes(30) for _ in range(3))
    ours, theirs = Side(10_000_000, {three}), Side(10_000_000, {one, two})
    outcome, _ = walk_once(ours, theirs, sha256(b"salt")[:16])
    assert outcome == (True, False)
    assert ours.own == {one, two, three}
    assert [type(each) for each in theirs.asked].count(CellsRequest) >= 2


def test_few_entries_are_listed_and_many_are_not() -> None:
    rng = random.Random(3)
    ours, theirs = (Side(10_000_000, entries(rng, 500, b"")) for _ in range(2))
    walk_once(ours, theirs, rng.randbytes(16))
    listed = [node for one in theirs.asked if isinstance(one, ListRequest) for node in one.nodes]
    assert len(listed) < 10
