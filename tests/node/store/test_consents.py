"""A bundle of consents is kept as if each had come alone, whatever is in it."""

from functools import cache

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from nacl.signing import SigningKey

from node.store.harness import Tables
from sayso_node.store import many
from sayso_node.store.admission import consents, revocations
from sayso_node.store.admission.keeper import Keeper
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.admission.sponsors import LOT_KEY, Quotas
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import sha256
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import BEN, CLEO, full_words
from support.tries import tries

SPONSORS = [SigningKey(sha256(b"sponsor %d" % number)) for number in range(3)]
OURS, TRUSTED = (bytes(one.verify_key) for one in SPONSORS[:2])
# Ours and one other have room for two each, all strangers have room for three.
KEEPER = Keeper(OURS, Quotas(trusted=2, strangers=3, operators=frozenset({OURS, TRUSTED})))
TABLES = ("people", "terms", "bits", "sync_sums", "sponsors", "pending", "numbers")

sent = st.tuples(st.integers(1, 6), st.integers(0, 2))  # which consent, by which sponsor


@cache
def sponsored(number: int, sponsor: int) -> Envelope:
    """Half of them have a guardian, who spoke before anybody knew him."""
    guardian = (BEN, CLEO)[number % 2] if number % 3 else bytes(20)
    return consent(number, guardian=guardian).sponsored_by(SPONSORS[sponsor])


def filled(tables: Tables) -> Writing:
    """Some revocations wait: of a guardian, of words of a consent, of none that will come."""
    db = tables()
    db.execute("INSERT INTO singles VALUES (?, ?)", (LOT_KEY, bytes(16)))
    first = sponsored(1, 0).message
    assert isinstance(first, Consent)
    words = [dict.fromkeys(full_words(first), 3), {64: 1}]
    for early in (revocation("everything", contributor=BEN), *(revocation(words=one) for one in words)):
        assert revocations.admit(db, early, "test", NOW, PendingRoom()) is Admitted.HELD
    return db


def contents(db: Reading) -> dict[str, list[object]]:
    """What is held, without the order in which a bundle's revocations were promoted."""
    held = {name: sorted(db.execute(f"SELECT * FROM {name}")) for name in TABLES}
    return held | {
        "messages": sorted(db.execute("SELECT kind, digest, contributor, body FROM messages")),
        "items": sorted(db.execute("SELECT item, digest FROM items JOIN messages USING (seq)")),
        "people": sorted(db.execute("SELECT address, unsure FROM people")),
        "anchor_queue": sorted(db.execute("SELECT digest, queued_at FROM anchor_queue")),
    }


def keep(db: Writing, bundle: list[Envelope]) -> list[Admitted]:
    return consents.admit(db, bundle, KEEPER, NOW, NOW)


@settings(deadline=None, max_examples=tries(60))
@given(st.lists(st.lists(sent, max_size=8), max_size=3), st.sampled_from([2, 1_000]))
def test_together_as_one_by_one(
    tables: Tables, bundles: list[list[tuple[int, int]]], at_once: int
) -> None:
    together, alone = filled(tables), filled(tables)
    with pytest.MonkeyPatch.context() as patch:
        for size in ("ROWS_A_STATEMENT", "ROWS_A_QUESTION", "VALUES_A_STATEMENT"):
            patch.setattr(many, size, at_once)
        for bundle in bundles:
            envelopes = [sponsored(*one) for one in bundle]
            expected = [keep(alone, [one])[0] for one in envelopes]
            assert keep(together, envelopes) == expected
    assert contents(together) == contents(alone)


def test_each_table_takes_more_rows_than_one_statement_does(tables: Tables) -> None:
    db = tables()
    many.insert(
        db, "INTO people (address, unsure)", ((number.to_bytes(20), 0) for number in range(2_500))
    )
    wanted = [number.to_bytes(20) for number in range(1, 5_000, 2)]
    found = many.among(db, "SELECT address FROM people WHERE address IN", wanted)
    assert {address for (address,) in found} == set(wanted[:1_250])


def test_what_was_stored_and_erased_is_no_place_for_another(tables: Tables) -> None:
    """`seq` is a cursor for everybody: it never comes again."""
    db = filled(tables)
    keep(db, [sponsored(1, 0)])
    db.execute("DELETE FROM messages")
    keep(db, [sponsored(2, 0), sponsored(3, 1)])
    seqs = [seq for (seq,) in db.execute("SELECT seq FROM messages WHERE kind = 1 ORDER BY seq")]
    assert seqs == list(range(seqs[0], seqs[0] + 2))
    assert seqs[0] > 1
