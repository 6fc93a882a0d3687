"""Stores and finds messages; the functions take a transaction of the store."""

from collections.abc import Iterable, Iterator
from typing import Final, NamedTuple

from sayso_node.store import many
from sayso_node.store.integrity.checksums import check_message, of_message
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import CONSENT

# Kinds of tombstones, below all others: known, but neither listed nor given out.
ERASED: Final = 0  # of a consent (rule 8.13)
ENDED: Final = -1  # of a statement (rule 15.7)
TOMBSTONES: Final = (ERASED, ENDED)


class Message(NamedTuple):
    """A message to store: digest, kind, contributor and envelope in canonical encoding."""

    digest: bytes
    kind: int
    contributor: bytes
    body: bytes


class Stored(NamedTuple):
    """A stored message."""

    seq: int
    body: bytes
    arrived_at: float


def is_known(db: Reading, digest: bytes) -> bool:
    """Return whether a message with this digest is stored."""
    return db.execute("SELECT 1 FROM messages WHERE digest = ?", (digest,)).fetchone() is not None


def known_of(db: Reading, digests: Iterable[bytes]) -> set[bytes]:
    """Return those of some digests that are stored."""
    rows = many.among(db, "SELECT digest FROM messages WHERE digest IN", digests)
    return {digest for (digest,) in rows}


def bodies_of(db: Reading, digests: Iterable[bytes]) -> dict[bytes, bytes]:
    """Return the stored envelopes of those of some digests that are known; empty for a tombstone."""
    return dict(many.among(db, "SELECT digest, body FROM messages WHERE digest IN", digests))


def insert(db: Writing, message: Message, now: float) -> None:
    """Store a message that is not known yet."""
    insert_many(db, [(db.next_seq("messages", 1), message)], now)


def insert_many(db: Writing, numbered: Iterable[tuple[int, Message]], now: float) -> None:
    """Store messages that are not known yet, each under a free `seq`, with their checksums."""
    rows = ((seq, *one, now, of_message(one.digest, one.kind, one.body, now)) for seq, one in numbered)
    many.insert(db, "INTO messages (seq, digest, kind, contributor, body, arrived_at, sum)", rows)


def bury(db: Writing, seq: int) -> None:
    """Replace a consent by its tombstone."""
    query = "SELECT digest, arrived_at FROM messages WHERE seq = ?"
    digest, arrived_at = db.execute(query, (seq,)).fetchone()
    kept = of_message(digest, ERASED, b"", arrived_at)
    change = "UPDATE messages SET kind = ?, body = ?, sum = ? WHERE seq = ?"
    db.execute(change, (ERASED, b"", kept, seq))


def bury_statement(db: Writing, digest: bytes) -> None:
    """Replace a statement by its tombstone, which does not say whose it was, nor since when."""
    row = (ENDED, b"", b"", 0.0, of_message(digest, ENDED, b"", 0.0))
    columns = "kind = ?, contributor = ?, body = ?, arrived_at = ?, sum = ?"
    db.execute(f"UPDATE messages SET {columns} WHERE digest = ?", (*row, digest))  # noqa: S608 - our own names


def is_tombstone(db: Reading, digest: bytes) -> bool:
    """Return whether a message is known and gone: an erased consent, or a statement that has ended."""
    query = "SELECT kind FROM messages WHERE digest = ?"
    row = db.execute(query, (digest,)).fetchone()
    return row is not None and row[0] in TOMBSTONES


def erased(db: Reading, digest: bytes) -> Stored | None:
    """Return the tombstone of a consent by its license hash; raises StoreDamaged."""
    return _stored(db, digest, ERASED)


def consent(db: Reading, digest: bytes) -> Stored | None:
    """Return a stored consent by its license hash; raises StoreDamaged."""
    return _stored(db, digest, CONSENT)


def _stored(db: Reading, digest: bytes, kind: int) -> Stored | None:
    query = "SELECT seq, digest, kind, body, arrived_at, sum FROM messages WHERE digest = ? AND kind = ?"
    row = db.execute(query, (digest, kind)).fetchone()
    if row is None:
        return None
    seq, name, kind, body, arrived_at, kept = row
    check_message(name, kind, body, arrived_at, kept)
    return Stored(seq, body, arrived_at)


Held = tuple[bytes, bytes, float]  # a stored license: hash, body, arrival; no body if it was erased
_HELD = "SELECT digest, kind, body, arrived_at, sum FROM messages WHERE"
_LICENSES = f"+kind IN ({CONSENT}, {ERASED})"  # the plus sign keeps the index over kinds out


def seqs_of(db: Reading, digests: Iterable[bytes]) -> Iterator[int]:
    """Return the `seq` of those of some digests that are stored; ascending ones are found fastest."""
    return (seq for (seq,) in many.among(db, "SELECT seq FROM messages WHERE digest IN", digests))


def held_at(db: Reading, seqs: Iterable[int]) -> Iterator[Held]:
    """Return the licenses among the messages with some `seq`; ascending ones are read fastest.

    Raises StoreDamaged.
    """
    return _checked(many.among(db, f"{_HELD} {_LICENSES} AND seq IN", seqs))


def held_of(db: Reading, names: Iterable[bytes]) -> Iterator[Held]:
    """Return those of some licenses that are stored or were erased; raises StoreDamaged."""
    return _checked(many.among(db, f"{_HELD} {_LICENSES} AND digest IN", names))


def _checked(rows: Iterable[tuple[bytes, int, bytes, float, int]]) -> Iterator[Held]:
    for digest, kind, body, arrived_at, kept in rows:
        check_message(digest, kind, body, arrived_at, kept)
        yield digest, body, arrived_at


def licenses_of(db: Reading, contributor: bytes) -> list[bytes]:
    """Return the license hashes of a contributor, oldest first."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE contributor = ? AND kind = ? ORDER BY seq",
        (contributor, CONSENT),
    )
    return [digest for (digest,) in rows]


def digests(db: Reading, kind: int, after: bytes, limit: int) -> list[bytes]:
    """Return digests of a kind in ascending order: one page, after `after`."""
    rows = db.execute(
        "SELECT digest FROM messages WHERE kind = ? AND digest > ? ORDER BY digest LIMIT ?",
        (kind, after, limit),
    )
    return [digest for (digest,) in rows]


def bodies(db: Reading, wanted: Iterable[bytes]) -> Iterator[bytes]:
    """Return the stored envelopes of some digests; digests without a message are skipped."""
    for digest in wanted:
        query = "SELECT body FROM messages WHERE digest = ? AND kind > ?"
        if row := db.execute(query, (digest, ERASED)).fetchone():
            yield row[0]


def keep_acknowledgement(db: Writing, digest: bytes, body: str) -> str:
    """Store the first acknowledgement of a digest and return it; a repeat returns the same one."""
    db.execute("INSERT INTO acknowledgements VALUES (?, ?) ON CONFLICT DO NOTHING", (digest, body))
    row = db.execute("SELECT body FROM acknowledgements WHERE digest = ?", (digest,)).fetchone()
    first: str = row[0]
    return first


def note_time(db: Writing, name: str, time: int) -> None:
    """Store a time under a name unless a later one is stored; seconds since the epoch."""
    db.execute(
        "INSERT INTO numbers VALUES (?, ?)"
        " ON CONFLICT (name) DO UPDATE SET value = excluded.value WHERE excluded.value > numbers.value",
        (name, time),
    )


def noted_time(db: Reading, name: str) -> int:
    """Return the latest time stored under a name, or 0."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def next_number(db: Writing, name: str) -> int:
    """Return the next number of a named sequence, from 1, never reused."""
    row = db.execute(
        "INSERT INTO numbers VALUES (?, 1)"
        " ON CONFLICT (name) DO UPDATE SET value = numbers.value + 1 RETURNING value",
        (name,),
    ).fetchone()
    number: int = row[0]
    return number
