"""Bits only grow, merging is OR, and each source is known apart: against a dictionary."""

import asyncio
import itertools
from collections.abc import Iterable
from functools import partial
from pathlib import Path
from unittest import mock

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables, add_consent
from sayso_node.store import many
from sayso_node.store.admission import revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.events import feed as events
from sayso_node.store.interface import Writing
from sayso_node.store.revocations import bits
from sayso_node.store.revocations.bits import current_digest, merge_bits, state_entries
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.permissions.words import FULL, Masks
from sayso_protocol.primitives import NOBODY
from support.held_bits import bits_of
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO, full_words
from support.rebuilding import rebuild_bits
from support.receipt_values import state_digest
from support.sql_steps import counted_steps
from support.tries import tries

SOURCES = (bits.SIGNED, bits.CHAIN)
WORD = next(iter(full_words(consent(1).message)))
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


def merge(db: Writing, address: bytes, heard: Masks, *, source: str) -> bool:
    return merge_bits(db, address, heard, source=source, now=NOW)


def admit(db: Writing, envelope: Envelope) -> Admitted:
    return revocations.admit(db, envelope, "test", NOW, PendingRoom())


@settings(deadline=None)
@given(st.lists(merges, max_size=12))
def test_bits_are_the_or_of_all_that_was_merged(
    tables: Tables, history: list[tuple[bytes, str, Masks]]
) -> None:
    db, oracle = tables(), Oracle()
    for address, source, heard in history:
        known = {word: oracle.get((address, source, word), 0) for word in heard}
        news = any(mask & ~known[word] for word, mask in heard.items())
        assert merge(db, address, heard, source=source) is news
        for word, mask in heard.items():
            oracle[address, source, word] = known[word] | mask
        for who in (ADA, BEN):
            assert bits_of(db, who) == expected(oracle, who, *SOURCES)
            for one in SOURCES:
                assert without_empty(bits_of(db, who, source=one)) == expected(oracle, who, one)


@settings(deadline=None)
@given(st.lists(merges, max_size=12))
def test_events_say_each_new_bit_once_and_in_order(
    tables: Tables, history: list[tuple[bytes, str, Masks]]
) -> None:
    """Who adds them up has the state, wherever he begins to listen."""
    db, heard_of = tables(), dict[bytes, Masks]()
    for number, (address, source, heard) in enumerate(history):
        before = events.last_seq(db)
        merge_bits(db, address, heard, source=source, now=number, digest=bytes([number]) * 32)
        for event in events.events_after(db, before, 100):
            known = heard_of.setdefault(event.address, {})
            assert event.mask
            assert not event.mask & known.get(event.word, 0)
            known[event.word] = known.get(event.word, 0) | event.mask
            assert (event.address, event.source, event.time) == (address, source, number)
            assert event.digest == bytes([number]) * 32
        for who in (ADA, BEN):
            assert heard_of.get(who, {}) == bits_of(db, who)
    everything = events.events_after(db, 0, 1_000)
    assert [one.seq for one in everything] == list(range(1, len(everything) + 1))
    assert events.events_after(db, 2, 3) == everything[2:5]


@settings(deadline=None, max_examples=tries(40))
@given(st.lists(merges, max_size=6), st.data())
def test_the_kept_digest_is_the_one_from_nothing(
    tables: Tables, history: list[tuple[bytes, str, Masks]], data: st.DataObject
) -> None:
    """Whoever becomes known before, between or after; in any order, with any repeats."""
    digests = []
    some: list[Envelope] = [consent(1), consent(2, guardian=BEN)]
    for order in (history, data.draw(st.permutations(history * 2))):
        db = tables()
        consents = data.draw(st.permutations(some))
        for at, (address, source, heard) in enumerate(order):
            if data.draw(st.booleans()) and consents:
                add_consent(db, consents.pop(), NOW)
            merge(db, address, heard, source=source)
            assert current_digest(db) == state_digest(state_entries(db)), at
        for one in consents:
            add_consent(db, one, NOW)
        digests.append(current_digest(db))
        assert digests[-1] == state_digest(state_entries(db))
    assert digests[0] == digests[1]


def test_the_state_is_that_of_the_people_of_held_consents(
    tables: Tables,
) -> None:
    """Rule 9.3; from whichever source a bit is known."""
    db = tables()
    for address, source in itertools.product((ADA, BEN, CLEO), SOURCES):
        merge(db, address, {5: 1 if source == "chain" else 2}, source=source)
    assert list(state_entries(db)) == []
    add_consent(db, consent(1, grantee=NOBODY), NOW)
    assert list(state_entries(db)) == [(ADA, 5, 3)]
    add_consent(db, consent(2, grantee=NOBODY, guardian=CLEO), NOW)
    assert sorted(state_entries(db)) == sorted([(ADA, 5, 3), (CLEO, 5, 3)])
    add_consent(db, consent(3, grantee=BEN), NOW)
    assert sorted(state_entries(db)) == sorted([(ADA, 5, 3), (BEN, 5, 3), (CLEO, 5, 3)])


def test_a_revocation_is_kept_if_no_stored_message_carries_one_of_its_bits(tables: Tables) -> None:
    """That the chain has a bit is no reason to drop the message: a fork may take the chain's away."""
    db = tables()
    add_consent(db, consent(1), NOW)
    merge(db, ADA, {WORD: 1}, source="chain")
    assert admit(db, revocation(words={WORD: 1})) is Admitted.STORED
    assert admit(db, revocation(words={WORD: 1})) is Admitted.COVERED  # its digest is known
    assert admit(db, revocation(words={WORD: 3})) is Admitted.STORED  # one bit of two is new
    assert admit(db, revocation(words={WORD: 2})) is Admitted.COVERED  # it is carried already
    assert bits_of(db, ADA, source="signed") == {WORD: 3}
    assert db.execute("SELECT count(*) FROM messages").fetchone() == (3,)


def test_somebody_elses_bits_cover_nothing(tables: Tables) -> None:
    db = tables()
    add_consent(db, consent(1, guardian=BEN), NOW)
    for who in (ADA, BEN):
        assert admit(db, revocation("everything", contributor=who)) is Admitted.STORED


ALIKE = st.integers(0, 9).map(lambda number: bytes([number]) * 20)


@pytest.mark.parametrize("few", [0, 3, 200])
@settings(deadline=None)
@given(spoke=st.sets(ALIKE), asked=st.lists(ALIKE, unique=True))
def test_those_who_have_bits_are_found(
    tables: Tables, few: int, spoke: set[bytes], asked: list[bytes]
) -> None:
    """Whether there are few of them between those asked about, or many."""
    db = tables()
    for address in spoke:
        merge(db, address, {1: 1, 2: 1}, source=bits.CHAIN)
    with mock.patch.object(many, "FEW_BETWEEN", few):
        found = [*bits.speakers_among(db, asked)]
    assert sorted(found) == sorted(spoke & {*asked})


def test_finding_them_costs_no_more_for_one_with_many_words(tmp_path: Path) -> None:
    counts = []
    for words in (100, 10_000):
        with counted_steps() as steps, NodeRig(tmp_path, name=str(words)) as rig, rig.store.read() as db:
            rows = ((CLEO, at.to_bytes(32), bytes(32), bytes(32)) for at in range(words))
            asyncio.run(rig.store.write(partial(_add_words, rows)))
            before = steps.count
            assert [*bits.speakers_among(db, [ADA, BEN, CLEO])] == [CLEO]
            counts.append(steps.count - before)
    assert counts[0] == counts[1] > 0


def _add_words(rows: Iterable[tuple[bytes, ...]], db: Writing) -> None:
    db.executemany("INSERT INTO bits VALUES (?, ?, ?, ?, NULL)", rows)
    rebuild_bits(db)
