"""What is stored comes out again, by hash, by item, by contributor and page by page."""

import asyncio

from hypothesis import given, settings
from hypothesis import strategies as st

from node.store.harness import Tables, add_consent
from sayso_node.store import messages, queries
from sayso_node.store.admission import revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.chain import chain_state
from sayso_node.store.interface import Store
from sayso_node.store.messages import Message
from sayso_protocol.messages.envelope import decode, encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.primitives import sha256
from support.node_rig import NOW, consent, revocation
from support.protocol_strategies import BEN, NETWORK, NODE, a_consent, item_hashes, signed
from support.tries import tries


def test_a_consent_comes_out_as_it_was_stored(tables: Tables) -> None:
    db, first, second = tables(), consent(1, count=3), consent(2)
    assert add_consent(db, first, NOW)
    assert add_consent(db, second, NOW + 1)
    stored = messages.consent(db, first.digest)
    assert stored is not None
    assert decode(stored.body, NETWORK) == first
    assert stored.arrived_at == NOW
    assert messages.consent(db, revocation("everything").digest) is None
    assert messages.licenses_of(db, first.message.signer) == [first.digest, second.digest]
    assert messages.licenses_of(db, BEN) == []


def test_a_second_copy_changes_nothing(tables: Tables) -> None:
    db, one = tables(), consent(1)
    assert add_consent(db, one, NOW, own=True)
    assert not add_consent(db, one, NOW + 5, own=True)
    stored = messages.consent(db, one.digest)
    assert stored
    assert stored.arrived_at == NOW
    assert chain_state.due(db, NOW, 10) == [one.digest]


def test_a_revocation_is_no_license(tables: Tables) -> None:
    db, held, one = tables(), consent(1), revocation("everything")
    add_consent(db, held, NOW)
    revocations.admit(db, one, "test", NOW, PendingRoom())
    assert messages.is_known(db, one.digest)
    assert messages.consent(db, one.digest) is None
    assert messages.licenses_of(db, one.message.signer) == [held.digest]


def test_every_consent_on_an_item_is_found(tables: Tables) -> None:
    db, items = tables(), item_hashes(3)
    one = signed(a_consent(items), items).sponsored_by(NODE)
    other = signed(a_consent(items[1:], contributor=BEN, parties=(BEN,)), items[1:])
    for envelope in (one, other.sponsored_by(NODE), consent(9)):
        add_consent(db, envelope, NOW)
    on = [{one.seq for one in queries.claims_after(db, item, 0, 10)} for item in items]
    assert on == [{1}, {1, 2}, {1, 2}]


def test_only_what_this_node_sponsors_waits_for_an_anchor(tables: Tables) -> None:
    db, own, other = tables(), consent(1), consent(2)
    add_consent(db, own, NOW, own=True)
    add_consent(db, other, NOW)
    assert chain_state.due(db, NOW, 10) == [own.digest]


@settings(deadline=None, max_examples=tries(25))
@given(st.sets(st.integers(1, 60)), st.sets(st.integers(1, 60)), st.integers(1, 9))
def test_pages_hold_every_digest_of_a_kind_once(
    tables: Tables, consents: set[int], revocations: set[int], page: int
) -> None:
    db = tables()
    held = {
        CONSENT: {envelope.digest for envelope in map(consent, consents)},
        REVOCATION: {sha256(bytes([number])) for number in revocations},
    }
    for number in consents:
        add_consent(db, consent(number), NOW)
    for number in revocations:
        one = Message(sha256(bytes([number])), REVOCATION, BEN, b"body")
        messages.insert(db, one, NOW)
    for kind, digests in held.items():
        listed: list[bytes] = []
        while found := messages.digests(db, kind, listed[-1] if listed else b"", page):
            assert len(found) <= page
            listed += found
            assert len(listed) <= len(digests)
        assert listed == sorted(digests)


def test_bodies_of_what_is_held(tables: Tables) -> None:
    db, held, other = tables(), consent(1), consent(2)
    add_consent(db, held, NOW)
    assert list(messages.bodies(db, [other.digest, held.digest])) == [encode(held)]


async def test_the_first_acknowledgement_wins(store: Store) -> None:
    """Of many at once: all callers get the same, and it is the same ever after."""
    digest = bytes(32)
    said = await asyncio.gather(
        *(
            store.write(lambda db, n=n: messages.keep_acknowledgement(db, digest, f"number {n}"))  # type: ignore[misc]
            for n in range(50)
        )
    )
    assert len(set(said)) == 1
    later = await store.write(lambda db: messages.keep_acknowledgement(db, digest, "later"))
    assert later == said[0]
    other = await store.write(lambda db: messages.keep_acknowledgement(db, b"\1" * 32, "another"))
    assert other == "another"


async def test_numbers_are_given_once_from_one_on(store: Store) -> None:
    drawn = await asyncio.gather(
        *(store.write(lambda db: messages.next_number(db, "receipts")) for _ in range(100))
    )
    assert sorted(drawn) == list(range(1, 101))
    assert await store.write(lambda db: messages.next_number(db, "others")) == 1


async def test_a_number_of_a_failed_change_was_given_to_nobody(store: Store) -> None:
    def fails(db: object) -> int:
        messages.next_number(db, "receipts")  # type: ignore[arg-type]
        raise KeyError

    await asyncio.gather(store.write(fails), return_exceptions=True)
    assert await store.write(lambda db: messages.next_number(db, "receipts")) == 1
