"""Writes events, each with those whom it concerns, in the transaction that changes what they are about.

A revocation concerns the circle of its signer. A statement concerns those who licensed, passed on or
hold what it names. So does its withdrawal, which is an event of its own if the scope `statement H` names
a kept statement. Other scopes of somebody who made statements concern everybody: they may withdraw many
at once (rule 5.9), and a bit does not say which.
"""

from collections.abc import Iterable, Sequence
from typing import Final

from sayso_node.store import many
from sayso_node.store.events import circles, concerned
from sayso_node.store.events import feed as events
from sayso_node.store.events.circles import EVERYBODY, Link, Party
from sayso_node.store.events.concerned import Affairs
from sayso_node.store.events.feed import Event
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.statements.passing import Passing
from sayso_node.store.statements.sublicenses import Grants
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import DISPUTE, SUBLICENSE
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.withdrawing import withdrawal_scopes, withdrawn_by
from sayso_protocol.permissions.scopes import SCOPE_FLAG, scope_word
from sayso_protocol.primitives import HASH_BYTES

NEAR: Final = 64  # in a circle; a revocation that concerns more concerns everybody
LATE: Final = 64
SIGNED: Final = "signed"
Heard = tuple[Event, Iterable[Party]]


def publish_bits(
    db: Writing,
    address: bytes,
    news: Sequence[tuple[int, int]],
    *,
    source: str,
    digest: bytes | None,
    now: float,
) -> None:
    """Write the events of an address's new bits: word and mask of each."""
    if not news:
        return
    near = circles.around(db, [address], NEAR) or {EVERYBODY}
    scopes = [word for word, _ in news if word & SCOPE_FLAG]
    ended = _withdrawn(db, address, scopes)
    is_signer = bool(scopes) and _has_stated(db, address)
    written: list[Heard] = []
    for word, mask in news:
        many_ended = is_signer and word & SCOPE_FLAG and word not in ended
        event = Event(address, word, mask, source, digest, now)
        written.append((event, {EVERYBODY} if many_ended else near))
        if word in ended:
            kind, statement = ended[word]
            event = Event(address, 0, 0, source, statement, now, kind, is_withdrawn=True)
            written.append((event, concerned.by_withdrawal(db, statement, kind, address)))
    _write(db, written)


def publish_statements(db: Writing, kept: Sequence[Envelope], grants: Grants, now: float) -> None:
    """Write the events of newly kept uses, removals and disputes, and of those already withdrawn.

    `grants` are those of the consents among what they name.
    """
    named = [(one.message.signer, one.items) for one in kept if one.message.kind != DISPUTE]
    affairs = Affairs.of_named(db, named, grants)
    withdrawing = _withdrawing(db, (one.message.signer for one in kept))
    written: list[Heard] = []
    for one in kept:
        message = one.message
        subject = message.subject if isinstance(message, Dispute) else ""
        about = message.kind, message.signer, one.items, affairs, subject
        event = Event(message.signer, 0, 0, SIGNED, one.digest, now, message.kind)
        written.append((event, concerned.by_statement(db, *about)))
        if message.signer in withdrawing and _is_withdrawn(db, event, withdrawn_by(message, one.digest)):
            written.append((event._replace(is_withdrawn=True), written[-1][1]))
    _write(db, written)
    _note_words(db, ((one.message.signer, one.digest, one.message.kind) for one in kept))


def publish_passing(db: Writing, passing: Sequence[Passing], now: float) -> None:
    """Write the events of sublicenses that newly pass licenses on, and add to the circles of people.

    A sublicense has an event each time that licenses are added to those that it passes on (rule 7.17).
    """
    withdrawing = _withdrawing(db, (terms.signer for terms, _ in passing))
    written: list[Heard] = []
    near = list[Link]()
    for terms, met in passing:
        if met:
            found, links = concerned.by_passing(db, terms, met.values())
            near += links
            event = Event(terms.signer, 0, 0, SIGNED, terms.digest, now, SUBLICENSE)
            written.append((event, found))
            if terms.signer in withdrawing and _is_withdrawn(
                db, event, withdrawal_scopes(terms.digest, terms.grantee)
            ):
                written.append((event._replace(is_withdrawn=True), found))
    circles.add(db, near)
    _write(db, written)
    _note_words(db, ((terms.signer, terms.digest, SUBLICENSE) for terms, _ in passing))


def publish_late(db: Writing, licenses: Sequence[bytes], now: float) -> None:
    """Write again the events of kept uses and removals that named some licenses before these came.

    Of each license at most LATE, so that nobody makes consents of others dear.
    """
    written: list[Heard] = []
    query = "SELECT kind, digest, signer FROM named WHERE hash = ? AND kind <> ? LIMIT ?"
    for one in many.found_in(db, "named", "hash", licenses):
        rows = db.execute(query, (one, DISPUTE, LATE)).fetchall()
        affairs = Affairs.of_named(db, [(signer, [one]) for _, _, signer in rows])
        for kind, digest, signer in rows:
            event = Event(signer, 0, 0, SIGNED, digest, now, kind)
            written.append((event, concerned.by_statement(db, kind, signer, [one], affairs)))
    _write(db, written)


def _note_words(db: Writing, kept: Iterable[tuple[bytes, bytes, int]]) -> None:
    """Note the words that withdraw statements: signer, digest and kind of each."""
    rows = ((signer, word_of(digest), digest, kind) for signer, digest, kind in kept)
    many.insert(db, "INTO statement_words", rows, "ON CONFLICT DO NOTHING")


def word_of(digest: bytes) -> bytes:
    """Return the word that withdraws the statement of this digest alone, 32 bytes."""
    return scope_word(withdrawal_scopes(digest)[0]).to_bytes(HASH_BYTES)


def _withdrawing(db: Reading, signers: Iterable[bytes]) -> set[bytes]:
    """Return those of some signers who have withdrawn anything at all: most have not."""
    return set(many.found_in(db, "bits", "address", set(signers)))


def _is_withdrawn(db: Reading, event: Event, scopes: Iterable[str]) -> bool:
    """Return whether a new statement's withdrawal came before it; `scopes` withdraw it."""
    words = [scope_word(one).to_bytes(HASH_BYTES) for one in scopes]
    query = "SELECT word FROM bits WHERE address = ? AND word IN"
    return next(iter(many.among(db, query, words, (event.address,))), None) is not None


def _withdrawn(db: Reading, signer: bytes, words: Iterable[int]) -> dict[int, tuple[int, bytes]]:
    """Return by word the kept statements that some words of their signer withdraw: kind and digest."""
    query = "SELECT word, kind, digest FROM statement_words WHERE signer = ? AND word IN"
    asked = [one.to_bytes(HASH_BYTES) for one in words]
    rows = many.among(db, query, asked, (signer,))
    return {int.from_bytes(word): (kind, digest) for word, kind, digest in rows}


def _has_stated(db: Reading, signer: bytes) -> bool:
    query = "SELECT 1 FROM statement_words WHERE signer = ? LIMIT 1"
    return db.execute(query, (signer,)).fetchone() is not None


def _write(db: Writing, written: Sequence[Heard]) -> None:
    if not written:
        return
    first = db.next_seq("events", len(written))
    events.add_many(db, first, [event for event, _ in written])
    rows = (
        (int(party.role), party.address, seq)  # SQLite takes a plain number at once
        for seq, (_, parties) in enumerate(written, first)
        for party in parties
    )
    many.insert(db, "INTO event_parties (role, address, seq)", rows)
