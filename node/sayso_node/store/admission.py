"""Which revocations are kept for ever (rules 7.12 and 7.13).

A wallet costs nothing, so anybody can sign any number of revocations. Kept are those that can matter
here: of a word of a held consent, of any scope of somebody known, or of what is on chain, too. Others
wait until they matter.
"""

import sqlite3
from collections.abc import Callable
from enum import StrEnum

from sayso_node.store import messages, pending
from sayso_node.store.bits import CHAIN, SIGNED, add_person, is_known, masks_at, merge_bits
from sayso_node.store.messages import Message
from sayso_node.store.pending import Heard, Room
from sayso_node.store.sync_index import Change
from sayso_protocol.envelope import CONSENT, REVOCATION, Envelope, encode
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import Consent
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.scopes import SCOPE_FLAG
from sayso_protocol.words import Masks


class Admitted(StrEnum):
    """What became of a revocation."""

    STORED = "stored"
    COVERED = "covered"  # its digest is known, or it brings no bit that no stored message carries
    HELD = "held"  # it waits
    WAITING = "waiting"  # it waited already
    DECLINED = "declined"  # a consent that there is no room for


def admit(db: sqlite3.Connection, envelope: Envelope, source: str, now: float, room: Room) -> Admitted:
    """Keep a verified revocation, or let it wait."""
    message = envelope.message
    assert not isinstance(message, Consent)  # noqa: S101 - the type checker's only way to know
    heard = Heard(envelope.digest, message.contributor, encode(envelope), message.bits)
    pending.lift_mark(db, heard)
    if messages.is_known(db, heard.digest) or not _is_news(db, heard):
        return Admitted.COVERED
    if _matters(db, heard):
        _store(db, heard, now)
        return Admitted.STORED
    return Admitted.HELD if pending.hold(db, heard, source, now, room) else Admitted.WAITING


def add_consent(
    db: sqlite3.Connection,
    envelope: Envelope,
    now: float,
    *,
    own: bool,
    changes: list[Change] | None = None,
) -> bool:
    """Store a consent and, in the same transaction, what waited for it; False if it was there.

    `own`: this node sponsors it, so it anchors it. `changes`: see `messages.insert`.
    """
    consent = envelope.message
    assert isinstance(consent, Consent)  # noqa: S101 - the type checker's only way to know
    message = Message(envelope.digest, CONSENT, consent.contributor, encode(envelope))
    seq = messages.insert(db, message, now, changes)
    if seq is None:
        return False
    db.executemany("INSERT INTO items VALUES (?, ?)", ((item, seq) for item in envelope.items))
    if own:
        db.execute("INSERT INTO anchor_queue VALUES (?, ?, ?)", (seq, envelope.digest, now))
    _learn(db, consent, now)
    return True


def _learn(db: sqlite3.Connection, consent: Consent, now: float) -> None:
    """Its people and words are known from now on."""
    unsure = pending.has_lost(db)
    words = range(consent.base, consent.base + len(consent.license_masks))
    terms = (consent.contributor, consent.base.to_bytes(HASH_BYTES), len(words))
    is_new = add_person(db, consent.contributor, unsure=unsure)
    if db.execute("INSERT OR IGNORE INTO terms VALUES (?, ?, ?)", terms).rowcount or is_new:
        _promote(
            db,
            consent.contributor,
            now,
            lambda bits: _has_scope(bits) or any(word in words for word in bits),
        )
    if consent.guardian != NOBODY and add_person(db, consent.guardian, unsure=unsure):
        _promote(db, consent.guardian, now, _has_scope)


def add_chain_bits(db: sqlite3.Connection, address: bytes, bits: Masks, now: float) -> bool:
    """Bits were seen on chain; True if any was new there."""
    news = merge_bits(db, address, bits, source=CHAIN, now=now)
    if news:
        _promote(db, address, now, lambda waiting: _on_chain(db, address, waiting))
    return news


def _store(db: sqlite3.Connection, heard: Heard, now: float) -> None:
    message = Message(heard.digest, REVOCATION, heard.signer, heard.body)
    messages.insert(db, message, now)
    merge_bits(db, heard.signer, heard.bits, source=SIGNED, now=now, digest=heard.digest)


def _promote(
    db: sqlite3.Connection, signer: bytes, now: float, matters: Callable[[Masks], bool]
) -> None:
    """What waited and matters now is kept; what is covered by another message is merely released."""
    for heard in pending.of_signer(db, signer):
        if matters(heard.bits):
            pending.release(db, heard.digest)
            if _is_news(db, heard):
                _store(db, heard, now)


def _is_news(db: sqlite3.Connection, heard: Heard) -> bool:
    """Whether it has a bit that no stored message carries: a fork may take away what the chain has."""
    return any(mask & ~masks_at(db, heard.signer, word)[0] for word, mask in heard.bits.items())


def _matters(db: sqlite3.Connection, heard: Heard) -> bool:
    return (
        (_has_scope(heard.bits) and is_known(db, heard.signer))
        or any(_is_licensed(db, heard.signer, word) for word in heard.bits)
        or _on_chain(db, heard.signer, heard.bits)
    )


def _has_scope(bits: Masks) -> bool:
    return any(word & SCOPE_FLAG for word in bits)


def _is_licensed(db: sqlite3.Connection, address: bytes, word: int) -> bool:
    """Whether the word holds permissions of a held consent: they begin at a multiple of 64 (5.5)."""
    base = word - word % LIMITS.words
    query = "SELECT words FROM terms WHERE address = ? AND base = ?"
    row = db.execute(query, (address, base.to_bytes(HASH_BYTES))).fetchone()
    return row is not None and word - base < row[0]


def _on_chain(db: sqlite3.Connection, address: bytes, bits: Masks) -> bool:
    return not any(mask & ~masks_at(db, address, word)[1] for word, mask in bits.items())
