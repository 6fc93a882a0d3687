"""Messages, the items they name, and the bits they set: plain functions over a connection."""

import sqlite3
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sayso_protocol.bits import StateEntry, news
from sayso_protocol.envelope import CONSENT, REVOCATION, Envelope, encode
from sayso_protocol.messages import Consent
from sayso_protocol.primitives import HASH_BYTES, NOBODY
from sayso_protocol.words import Masks

_NO_BITS = bytes(HASH_BYTES)
_SET_MASK = {
    "signed": "UPDATE bits SET signed = ? WHERE address = ? AND word = ?",
    "chain": "UPDATE bits SET chain = ? WHERE address = ? AND word = ?",
}


class Stored(NamedTuple):
    """A message as it was stored."""

    seq: int
    body: bytes
    arrived_at: float


def is_known(db: sqlite3.Connection, digest: bytes) -> bool:
    """Whether a message of this digest is stored."""
    return db.execute("SELECT 1 FROM messages WHERE digest = ?", (digest,)).fetchone() is not None


def add_consent(db: sqlite3.Connection, envelope: Envelope, now: float, *, own: bool) -> bool:
    """Store a consent; False if it was there. `own`: this node sponsors it, so it anchors it."""
    consent = envelope.message
    assert isinstance(consent, Consent)  # noqa: S101 - the type checker's only way to know
    seq = _insert(db, envelope, CONSENT, now)
    if seq is None:
        return False
    db.executemany("INSERT INTO items VALUES (?, ?)", ((item, seq) for item in envelope.items))
    people = {consent.contributor, consent.guardian} - {NOBODY}
    db.executemany("INSERT OR IGNORE INTO people VALUES (?)", ((one,) for one in people))
    if own:
        db.execute("INSERT INTO anchor_queue VALUES (?, ?, ?)", (seq, envelope.digest, now))
    return True


def add_revocation(db: sqlite3.Connection, envelope: Envelope, now: float) -> bool:
    """Store a revocation and its bits; False if its digest is known or it covers no new bit."""
    message = envelope.message
    assert not isinstance(message, Consent)  # noqa: S101 - the type checker's only way to know
    covered = _bits_in(db, message.contributor, message.bits, "signed")
    if not news(covered, message.bits) or _insert(db, envelope, REVOCATION, now) is None:
        return False
    merge_bits(db, message.contributor, message.bits, source="signed")
    return True


def _insert(db: sqlite3.Connection, envelope: Envelope, kind: int, now: float) -> int | None:
    cursor = db.execute(
        "INSERT OR IGNORE INTO messages (digest, kind, contributor, body, arrived_at)"
        " VALUES (?, ?, ?, ?, ?)",
        (envelope.digest, kind, envelope.message.contributor, encode(envelope), now),
    )
    return cursor.lastrowid if cursor.rowcount else None


def merge_bits(db: sqlite3.Connection, address: bytes, bits: Masks, *, source: str) -> bool:
    """OR bits into the state, as `signed` or `chain`; True if any was new to that source."""
    known = _bits_in(db, address, bits, source)
    fresh = news(known, bits)
    for word, mask in fresh.items():
        key = (address, word.to_bytes(HASH_BYTES))
        db.execute("INSERT OR IGNORE INTO bits VALUES (?, ?, ?, ?)", (*key, _NO_BITS, _NO_BITS))
        db.execute(_SET_MASK[source], ((known.get(word, 0) | mask).to_bytes(HASH_BYTES), *key))
    return bool(fresh)


def bits_of(db: sqlite3.Connection, address: bytes, *, source: str | None = None) -> Masks:
    """All bits of an address, or those of one source."""
    rows = db.execute("SELECT word, signed, chain FROM bits WHERE address = ?", (address,))
    return {int.from_bytes(word): _mask(signed, chain, source) for word, signed, chain in rows}


def _bits_in(db: sqlite3.Connection, address: bytes, words: Iterable[int], source: str) -> Masks:
    """The bits in some words: what a message costs must not grow with all that its signer revoked."""
    found: Masks = {}
    for word in words:
        key = (address, word.to_bytes(HASH_BYTES))
        query = "SELECT signed, chain FROM bits WHERE address = ? AND word = ?"
        if row := db.execute(query, key).fetchone():
            found[word] = _mask(row[0], row[1], source)
    return found


def _mask(signed: bytes, chain: bytes, source: str | None) -> int:
    masks = {"signed": int.from_bytes(signed), "chain": int.from_bytes(chain)}
    return masks[source] if source else masks["signed"] | masks["chain"]


def state_entries(db: sqlite3.Connection) -> Iterator[StateEntry]:
    """The bits of everybody in a held consent: what a receipt's state digest is over (rule 9.3)."""
    rows = db.execute("SELECT address, word, signed, chain FROM bits JOIN people USING (address)")
    for address, word, signed, chain in rows:
        yield address, int.from_bytes(word), _mask(signed, chain, None)


def consent(db: sqlite3.Connection, digest: bytes) -> Stored | None:
    """A stored consent by its license hash."""
    row = db.execute(
        "SELECT seq, body, arrived_at FROM messages WHERE digest = ? AND kind = ?", (digest, CONSENT)
    ).fetchone()
    return Stored(*row) if row else None


def consents_on(db: sqlite3.Connection, item: bytes) -> list[Stored]:
    """All stored consents that name an item."""
    rows = db.execute(
        "SELECT seq, body, arrived_at FROM items JOIN messages USING (seq) WHERE item = ?", (item,)
    )
    return [Stored(*row) for row in rows]


def licenses_of(db: sqlite3.Connection, contributor: bytes) -> list[bytes]:
    """License hashes of a contributor, oldest first."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE contributor = ? AND kind = ? ORDER BY seq",
        (contributor, CONSENT),
    )
    return [digest for (digest,) in rows]


def digests(db: sqlite3.Connection, kind: int, after: bytes, limit: int) -> list[bytes]:
    """Digests of a kind in ascending order, the page after one."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE kind = ? AND digest > ? ORDER BY digest LIMIT ?",
        (kind, after, limit),
    )
    return [digest for (digest,) in rows]


def unknown(db: sqlite3.Connection, wanted: Iterable[bytes]) -> list[bytes]:
    """Those digests that are not stored."""
    return [digest for digest in wanted if not is_known(db, digest)]


def bodies(db: sqlite3.Connection, wanted: Iterable[bytes]) -> Iterator[bytes]:
    """The stored envelopes of some digests; those not held are left out."""
    for digest in wanted:
        row = db.execute("SELECT body FROM messages WHERE digest = ?", (digest,)).fetchone()
        if row:
            yield row[0]


def keep_acknowledgement(db: sqlite3.Connection, digest: bytes, body: str) -> str:
    """Keep the first acknowledgement of a digest and return it: a repeat gets the same one."""
    db.execute("INSERT OR IGNORE INTO acknowledgements VALUES (?, ?)", (digest, body))
    row = db.execute("SELECT body FROM acknowledgements WHERE digest = ?", (digest,)).fetchone()
    first: str = row[0]
    return first


def next_number(db: sqlite3.Connection, name: str) -> int:
    """The next number of a named sequence, from 1, never given twice."""
    row = db.execute(
        "INSERT INTO numbers VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = value + 1 RETURNING value",
        (name,),
    ).fetchone()
    number: int = row[0]
    return number
