"""Bits only grow, merging is OR, and each source is known apart: against a dictionary."""

import itertools

from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import tables
from sayso_node.store import messages
from sayso_protocol.bits import state_digest
from sayso_protocol.words import FULL, Masks
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO

SOURCES = ("signed", "chain")
words = st.sampled_from([0, 1, 64, 2**247 - 1, 2**247, 2**248 - 1])
masks = st.sampled_from([1, 2, 3, 1 << 255, FULL]) | st.integers(1, FULL)
merges = st.tuples(
    st.sampled_from([ADA, BEN]), st.sampled_from(SOURCES), st.dictionaries(words, masks, max_size=4)
)
Oracle = dict[tuple[bytes, str, int], int]


def expected(oracle: Oracle, address: bytes, *sources: str) -> Masks:
    found: Masks = {}
    for (who, source, word), mask in oracle.items():
        if who == address and source in sources:
            found[word] = found.get(word, 0) | mask
    return found


def without_empty(bits: Masks) -> Masks:
    return {word: mask for word, mask in bits.items() if mask}


@settings(deadline=None)
@given(st.lists(merges, max_size=12))
def test_bits_are_the_or_of_all_that_was_merged(history: list[tuple[bytes, str, Masks]]) -> None:
    db, oracle = tables(), Oracle()
    for address, source, bits in history:
        known = {word: oracle.get((address, source, word), 0) for word in bits}
        news = any(mask & ~known[word] for word, mask in bits.items())
        assert messages.merge_bits(db, address, bits, source=source) is news
        for word, mask in bits.items():
            oracle[address, source, word] = known[word] | mask
        for who in (ADA, BEN):
            assert messages.bits_of(db, who) == expected(oracle, who, *SOURCES)
            for one in SOURCES:
                assert without_empty(messages.bits_of(db, who, source=one)) == expected(oracle, who, one)


@settings(deadline=None, max_examples=25)
@given(st.lists(merges, max_size=5), st.randoms(use_true_random=False))
def test_order_and_repetition_change_nothing(history: list[tuple[bytes, str, Masks]], random) -> None:  # type: ignore[no-untyped-def]
    shuffled = history * 2
    random.shuffle(shuffled)
    digests = []
    for order in (history, shuffled):
        db = tables()
        messages.add_consent(db, consent(1, guardian=BEN), NOW, own=False)
        for address, source, bits in order:
            messages.merge_bits(db, address, bits, source=source)
        digests.append(state_digest(messages.state_entries(db)))
    assert digests[0] == digests[1]


def test_the_state_is_that_of_contributors_and_guardians_of_held_consents() -> None:
    """Rule 9.3; from whichever source a bit is known."""
    db = tables()
    for address, source in itertools.product((ADA, BEN, CLEO), SOURCES):
        messages.merge_bits(db, address, {5: 1 if source == "chain" else 2}, source=source)
    assert list(messages.state_entries(db)) == []
    messages.add_consent(db, consent(1), NOW, own=False)
    assert list(messages.state_entries(db)) == [(ADA, 5, 3)]
    messages.add_consent(db, consent(2, guardian=CLEO), NOW, own=False)
    assert sorted(messages.state_entries(db)) == sorted([(ADA, 5, 3), (CLEO, 5, 3)])


def test_a_revocation_is_kept_if_no_stored_message_carries_one_of_its_bits() -> None:
    """That the chain has a bit is no reason to drop the message: a fork may take the chain's away."""
    db = tables()
    messages.merge_bits(db, ADA, {7: 1}, source="chain")
    assert messages.add_revocation(db, revocation(words={7: 1}), NOW)
    assert not messages.add_revocation(db, revocation(words={7: 1}), NOW)  # its digest is known
    assert messages.add_revocation(db, revocation(words={7: 3}), NOW)  # one bit of two is new
    assert not messages.add_revocation(db, revocation(words={7: 2}), NOW)  # it is carried already
    assert messages.bits_of(db, ADA, source="signed") == {7: 3}
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (2,)


def test_somebody_elses_bits_cover_nothing() -> None:
    db = tables()
    assert messages.add_revocation(db, revocation("everything", contributor=ADA), NOW)
    assert messages.add_revocation(db, revocation("everything", contributor=BEN), NOW)


def test_what_a_revocation_costs_does_not_grow_with_what_its_signer_revoked() -> None:
    """Otherwise anybody could slow the one writer down for everybody, with words of his own."""
    db = tables()
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def cost(number: int) -> int:
        envelope, steps[0] = revocation(words={number: 1, number + 1: 1}), 0
        db.set_progress_handler(count, 1)
        assert messages.add_revocation(db, envelope, NOW)
        db.set_progress_handler(None, 1)
        return steps[0]

    messages.merge_bits(db, ADA, dict.fromkeys(range(10), 1), source="chain")
    few = cost(1_000_000)
    messages.merge_bits(db, ADA, dict.fromkeys(range(3_000), 1), source="chain")
    assert cost(2_000_000) < 2 * few
