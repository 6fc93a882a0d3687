"""Keeps pending revocations in bounded space; a dropped one leaves a mark (rules 7.14 and 7.15).

A flood drops its own messages first. A mark holds the signer and the digest of a dropped revocation:
until that revocation arrives again, no license that its signer can revoke is clear. When marks have no
room either, every address that becomes known afterwards stays in doubt for good.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES

MARK_BYTES = 8  # of the digest; two revocations of one signer with the same mark harm only that signer
_ENTRY_BYTES = 2 * HASH_BYTES
_OLDEST_OF_SIGNER = "SELECT digest, signer FROM pending WHERE signer = ? ORDER BY seq LIMIT 1"
_OLDEST_OF_SOURCE = "SELECT digest, signer FROM pending WHERE source = ? ORDER BY seq LIMIT 1"


class PendingRoom(NamedTuple):
    """Limits for pending revocations.

    Attributes:
        pending: Messages in all; at some 16 KB each at most, 256 MB.
        source: Messages from one source.
        signer: Messages of one signer; all of them are examined when a consent of the signer arrives.
        marks: Marks, at some 100 bytes each.
    """

    pending: int = 16_384
    source: int = 1_024
    signer: int = 64
    marks: int = 262_144


class Heard(NamedTuple):
    """A verified revocation: digest, signer, envelope in canonical encoding, and bits."""

    digest: bytes
    signer: bytes
    body: bytes
    bits: Masks


class Load(NamedTuple):
    """Numbers of pending messages, of marks, and of marks that found no room."""

    pending: int
    marks: int
    lost: int


def load(db: Reading) -> Load:
    """Return the numbers of pending messages and of marks."""
    rows = db.execute("SELECT name, value FROM numbers WHERE name IN ('pending', 'marks', 'marks-lost')")
    values = dict(rows.fetchall())
    return Load(*(values.get(name, 0) for name in ("pending", "marks", "marks-lost")))


def has_lost(db: Reading) -> bool:
    """Return whether a mark ever found no room; addresses first known since then are in doubt."""
    query = "SELECT 1 FROM numbers WHERE name = 'marks-lost'"
    return db.execute(query).fetchone() is not None


def hold(db: Writing, heard: Heard, source: str, now: float, room: PendingRoom) -> bool:
    """Make a message pending, dropping others above the limits; False if it was pending already."""
    cursor = db.execute(
        "INSERT INTO pending (digest, signer, source, body, bits, arrived_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (heard.digest, heard.signer, source, heard.body, _pack(heard.bits), now),
    )
    if not cursor.rowcount:
        return False
    if _count(db, "SELECT count(*) FROM pending WHERE signer = ?", heard.signer) > room.signer:
        _drop(db, _OLDEST_OF_SIGNER, heard.signer, room)
    # The message dropped for its signer may come from another source, so each limit is checked.
    if _count(db, "SELECT count FROM pending_sources WHERE source = ?", source) > room.source:
        _drop(db, _OLDEST_OF_SOURCE, source, room)
    if load(db).pending > room.pending:
        query = "SELECT source FROM pending_sources ORDER BY count DESC LIMIT 1"
        _drop(db, _OLDEST_OF_SOURCE, db.execute(query).fetchone()[0], room)
    return True


def of_signers(db: Reading, signers: Iterable[bytes]) -> list[Heard]:
    """Return the pending messages of some signers, oldest first."""
    query = "SELECT seq, digest, signer, body, bits FROM pending WHERE signer IN"
    rows = sorted(many.among(db, query, signers))
    return [Heard(digest, by, body, _unpack(bits)) for _, digest, by, body, bits in rows]


def release(db: Writing, digest: bytes) -> None:
    """Remove a message from the pending ones."""
    db.execute("DELETE FROM pending WHERE digest = ?", (digest,))


def lift_mark(db: Writing, heard: Heard) -> bool:
    """Remove the mark of a message that arrived again; returns whether it had one."""
    key = (heard.digest[:MARK_BYTES], heard.signer)
    return db.execute("DELETE FROM marks WHERE digest = ? AND signer = ?", key).rowcount > 0


def missed_marks(db: Reading) -> set[bytes]:
    """Return the marks of known addresses: their dropped messages make licenses stale."""
    rows = db.execute("SELECT digest FROM marks JOIN people ON address = signer")
    return {digest for (digest,) in rows}


def is_marked(db: Reading, address: bytes) -> bool:
    """Return whether a revocation by this address was or may have been dropped, and is still missing."""
    query = (
        "SELECT 1 FROM marks WHERE signer = ? UNION ALL"
        " SELECT 1 FROM people WHERE address = ? AND unsure LIMIT 1"
    )
    return db.execute(query, (address, address)).fetchone() is not None


def _count(db: Reading, query: str, whose: str | bytes) -> int:
    row = db.execute(query, (whose,)).fetchone()
    return int(row[0]) if row else 0


def _drop(db: Writing, oldest: str, whose: str | bytes, room: PendingRoom) -> None:
    digest, signer = db.execute(oldest, (whose,)).fetchone()
    release(db, digest)
    if load(db).marks < room.marks:
        db.execute(
            "INSERT INTO marks VALUES (?, ?) ON CONFLICT DO NOTHING", (digest[:MARK_BYTES], signer)
        )
        return
    db.execute("UPDATE people SET unsure = 1 WHERE address = ?", (signer,))
    db.execute(
        "INSERT INTO numbers VALUES ('marks-lost', 1)"
        " ON CONFLICT (name) DO UPDATE SET value = numbers.value + 1"
    )


def _pack(bits: Masks) -> bytes:
    entries = (word.to_bytes(HASH_BYTES) + mask.to_bytes(HASH_BYTES) for word, mask in bits.items())
    return b"".join(entries)


def _unpack(data: bytes) -> Masks:
    starts = range(0, len(data), _ENTRY_BYTES)
    return {
        int.from_bytes(data[at : at + HASH_BYTES]): int.from_bytes(
            data[at + HASH_BYTES : at + _ENTRY_BYTES]
        )
        for at in starts
    }
