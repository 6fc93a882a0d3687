"""Messages as they are kept and found again: plain functions over a connection."""

from collections.abc import Iterable, Iterator
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import CONSENT

ERASED = 0  # the kind of a tombstone (rule 8.13): known, but neither listed nor given to anybody


class Message(NamedTuple):
    """A message as it is stored: digest, kind, contributor and the canonical bytes of its envelope."""

    digest: bytes
    kind: int
    contributor: bytes
    body: bytes


class Stored(NamedTuple):
    """A message as it was stored."""

    seq: int
    body: bytes
    arrived_at: float


def is_known(db: Reading, digest: bytes) -> bool:
    """Whether a message of this digest is stored."""
    return db.execute("SELECT 1 FROM messages WHERE digest = ?", (digest,)).fetchone() is not None


def known_of(db: Reading, digests: Iterable[bytes]) -> set[bytes]:
    """Which of some digests are stored."""
    rows = many.among(db, "SELECT digest FROM messages WHERE digest IN", digests)
    return {digest for (digest,) in rows}


def insert(db: Writing, message: Message, now: float) -> None:
    """Store the bytes of a message that is not known yet."""
    db.execute(
        "INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, ?, ?, ?)",
        (*message, now),
    )


def consent(db: Reading, digest: bytes) -> Stored | None:
    """A stored consent by its license hash."""
    row = db.execute(
        "SELECT seq, body, arrived_at FROM messages WHERE digest = ? AND kind = ?", (digest, CONSENT)
    ).fetchone()
    return Stored(*row) if row else None


def consents_on(db: Reading, item: bytes) -> list[Stored]:
    """All stored consents that name an item."""
    rows = db.execute(
        "SELECT seq, body, arrived_at FROM items JOIN messages USING (seq) WHERE item = ?", (item,)
    )
    return [Stored(*row) for row in rows]


def licenses_on(db: Reading, item: bytes) -> list[bytes]:
    """License hashes of all stored consents that name an item, oldest first."""
    query = "SELECT digest FROM items JOIN messages USING (seq) WHERE item = ? ORDER BY seq"
    return [digest for (digest,) in db.execute(query, (item,))]


def licenses_of(db: Reading, contributor: bytes) -> list[bytes]:
    """License hashes of a contributor, oldest first."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE contributor = ? AND kind = ? ORDER BY seq",
        (contributor, CONSENT),
    )
    return [digest for (digest,) in rows]


def digests(db: Reading, kind: int, after: bytes, limit: int) -> list[bytes]:
    """Digests of a kind in ascending order, the page after one."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE kind = ? AND digest > ? ORDER BY digest LIMIT ?",
        (kind, after, limit),
    )
    return [digest for (digest,) in rows]


def bodies(db: Reading, wanted: Iterable[bytes]) -> Iterator[bytes]:
    """The stored envelopes of some digests; those not held are left out."""
    for digest in wanted:
        query = "SELECT body FROM messages WHERE digest = ? AND kind <> ?"
        if row := db.execute(query, (digest, ERASED)).fetchone():
            yield row[0]


def keep_acknowledgement(db: Writing, digest: bytes, body: str) -> str:
    """Keep the first acknowledgement of a digest and return it: a repeat gets the same one."""
    db.execute("INSERT INTO acknowledgements VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, body))
    row = db.execute("SELECT body FROM acknowledgements WHERE digest = ?", (digest,)).fetchone()
    first: str = row[0]
    return first


def note_time(db: Writing, name: str, time: int) -> None:
    """Keep the latest of the times that were noted under a name, seconds since the epoch."""
    db.execute(
        "INSERT INTO numbers VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > numbers.value",
        (name, time),
    )


def noted_time(db: Reading, name: str) -> int:
    """The latest time that was noted under a name, or 0."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def next_number(db: Writing, name: str) -> int:
    """The next number of a named sequence, from 1, never given twice."""
    row = db.execute(
        "INSERT INTO numbers VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = numbers.value + 1 RETURNING value",
        (name,),
    ).fetchone()
    number: int = row[0]
    return number
