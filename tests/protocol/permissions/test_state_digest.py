"""Rule 9.3: the digest of the state is that of a sum, however the sum was reached."""

import hashlib
from random import Random

from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.permissions.state_digest import (
    EMPTY_SUM,
    SUM_BYTES,
    StateEntry,
    changed_sum,
    digest_of_sum,
)
from sayso_protocol.permissions.words import FULL
from support.protocol_strategies import ADA, BEN, addresses
from support.receipt_values import state_digest

Key = tuple[bytes, int]
State = dict[Key, int]
keys = st.tuples(st.sampled_from([ADA, BEN]) | addresses, st.integers(0, 4))
masks = st.integers(0, 3) | st.just(FULL)
states = st.dictionaries(keys, masks)


def entries(state: State) -> list[StateEntry]:
    return [(address, word, mask) for (address, word), mask in state.items()]


def by_hand(state: State) -> bytes:
    """As docs/protocol.md says it, with plain numbers."""
    total = [0] * 1_024
    for (address, word), mask in state.items():
        if mask:
            text = b"sayso state 1\0" + address + word.to_bytes(32, "big") + mask.to_bytes(32, "big")
            stream = hashlib.shake_128(text).digest(2_048)
            for at in range(1_024):
                number = stream[2 * at] << 8 | stream[2 * at + 1]
                total[at] = (total[at] + number) % 65_536
    joined = b"".join(number.to_bytes(2, "big") for number in total)
    return hashlib.sha256(joined).digest()


@given(states)
def test_the_digest_is_that_of_the_rule(state: State) -> None:
    assert state_digest(entries(state)) == by_hand(state)


def test_no_bits_are_the_sum_nought() -> None:
    assert len(EMPTY_SUM) == SUM_BYTES
    assert state_digest([]) == hashlib.sha256(bytes(2_048)).digest() == digest_of_sum(EMPTY_SUM)


@given(states, st.randoms(use_true_random=False))
def test_it_knows_no_order(state: State, shuffler: Random) -> None:
    mixed = entries(state)
    shuffler.shuffle(mixed)
    assert state_digest(mixed) == state_digest(entries(state))


@given(states, states)
def test_different_states_have_different_digests(one: State, other: State) -> None:
    same = {key: mask for key, mask in one.items() if mask} == {
        key: mask for key, mask in other.items() if mask
    }
    assert (state_digest(entries(one)) == state_digest(entries(other))) is same


@given(st.lists(st.tuples(keys, masks), max_size=20))
def test_a_sum_that_was_kept_up_to_date_is_that_from_nothing(changes: list[tuple[Key, int]]) -> None:
    state, total = State(), EMPTY_SUM
    for key, mask in changes:
        before = state.get(key, 0)
        state[key] = before | mask
        total = changed_sum(total, [(*key, state[key])], [(*key, before)])
        assert len(total) == SUM_BYTES
    assert digest_of_sum(total) == state_digest(entries(state))


@given(states, states)
def test_what_was_added_can_be_taken_away(state: State, other: State) -> None:
    start = changed_sum(EMPTY_SUM, entries(state))
    assert changed_sum(changed_sum(start, entries(other)), (), entries(other)) == start
