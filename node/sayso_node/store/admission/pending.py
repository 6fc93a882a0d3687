"""Keeps pending revocations in bounded space; a dropped one leaves a mark (rules 7.14 and 7.15).

A flood drops its own messages first. A mark holds the signer and the digest of a dropped revocation:
until that revocation arrives again, no license that its signer can revoke is clear. Marks are bounded as
well, see marks.py.
"""

from collections.abc import Iterable, Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.admission import marks
from sayso_node.store.admission.marks import Dropped, MarkLimits
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES

_ENTRY_BYTES = 2 * HASH_BYTES
_OLDEST_OF_SIGNER = "SELECT digest, signer, source FROM pending WHERE signer = ? ORDER BY seq LIMIT 1"
_OLDEST_OF_SOURCE = "SELECT digest, signer, source FROM pending WHERE source = ? ORDER BY seq LIMIT 1"


class PendingRoom(NamedTuple):
    """Limits for pending revocations.

    Attributes:
        pending: Messages in all; at some 16 KB each at most, 256 MB.
        source: Messages from one source.
        signer: Messages of one signer; all of them are examined when a consent of the signer arrives.
        marks: Marks, at some 150 bytes each; those above are merged.
        signer_marks: Marks of one signer, above which one mark stands for the address.
        bits: Bits of each of two bitmaps for merged marks: 2 MiB each.
    """

    pending: int = 16_384
    source: int = 1_024
    signer: int = 64
    marks: int = 262_144
    signer_marks: int = 64
    bits: int = 16_777_216

    @property
    def for_marks(self) -> MarkLimits:
        """Return the limits for marks."""
        return MarkLimits(self.signer_marks, self.marks, self.bits)


class Heard(NamedTuple):
    """A verified revocation: digest, signer, envelope in canonical encoding, and bits."""

    digest: bytes
    signer: bytes
    body: bytes
    bits: Masks


class Load(NamedTuple):
    """Numbers of pending messages, of marks, and of merged marks."""

    pending: int
    marks: int
    merged: int


def load(db: Reading) -> Load:
    """Return the numbers of pending messages and of marks."""
    rows = db.execute("SELECT name, value FROM numbers WHERE name IN ('pending', 'marks')")
    values = dict(rows.fetchall())
    return Load(values.get("pending", 0), values.get("marks", 0), marks.merged(db))


def hold(db: Writing, heard: Heard, source: str, now: float, room: PendingRoom) -> bool:
    """Make a message pending, dropping others above the limits; False if it was pending already."""
    marks.expire(db, now)
    cursor = db.execute(
        "INSERT INTO pending (digest, signer, source, body, bits, arrived_at)"
        " VALUES (?, ?, ?, ?, ?, ?) ON CONFLICT DO NOTHING",
        (heard.digest, heard.signer, source, heard.body, _pack(heard.bits), now),
    )
    if not cursor.rowcount:
        return False
    if _count(db, "SELECT count(*) FROM pending WHERE signer = ?", heard.signer) > room.signer:
        _drop(db, _OLDEST_OF_SIGNER, heard.signer, now, room)
    # The message dropped for its signer may come from another source, so each limit is checked.
    if _count(db, "SELECT count FROM pending_sources WHERE source = ?", source) > room.source:
        _drop(db, _OLDEST_OF_SOURCE, source, now, room)
    if load(db).pending > room.pending:
        query = "SELECT source FROM pending_sources ORDER BY count DESC LIMIT 1"
        _drop(db, _OLDEST_OF_SOURCE, db.execute(query).fetchone()[0], now, room)
    return True


def of_signers(db: Reading, signers: Iterable[bytes]) -> list[tuple[Heard, str]]:
    """Return the pending messages of some signers with their sources, oldest first."""
    query = "SELECT seq, digest, signer, body, bits, source FROM pending WHERE signer IN"
    rows = sorted(many.among(db, query, signers))
    return [
        (Heard(digest, by, body, _unpack(bits)), source) for _, digest, by, body, bits, source in rows
    ]


def release(db: Writing, digest: bytes) -> None:
    """Remove a message from the pending ones."""
    db.execute("DELETE FROM pending WHERE digest = ?", (digest,))


def lift_mark(db: Writing, heard: Heard) -> bool:
    """Remove the mark of a message that arrived again; returns whether it had one."""
    return marks.lift(db, heard.digest, heard.signer)


def missed_marks(db: Reading) -> set[bytes]:
    """Return the marks of known addresses: their dropped messages make licenses stale."""
    rows = db.execute("SELECT digest FROM marks JOIN people ON address = signer")
    return {digest for (digest,) in rows}


def is_marked(db: Reading, address: bytes) -> bool:
    """Return whether a revocation by this address was or may have been dropped, and is still missing."""
    query = (
        "SELECT 1 FROM marks WHERE signer = ? UNION ALL"
        " SELECT 1 FROM people WHERE address = ? AND unsure <> 0 LIMIT 1"
    )
    return db.execute(query, (address, address)).fetchone() is not None


def marked_among(db: Reading, addresses: Sequence[bytes]) -> set[bytes]:
    """Return those of some addresses that `is_marked` holds for."""
    unsure = many.among(db, "SELECT address FROM people WHERE unsure <> 0 AND address IN", addresses)
    return {*many.found_in(db, "marks", "signer", addresses), *(one for (one,) in unsure)}


def _count(db: Reading, query: str, whose: str | bytes) -> int:
    row = db.execute(query, (whose,)).fetchone()
    return int(row[0]) if row else 0


def _drop(db: Writing, oldest: str, whose: str | bytes, now: float, room: PendingRoom) -> None:
    dropped = Dropped(*db.execute(oldest, (whose,)).fetchone())
    release(db, dropped.digest)
    marks.leave(db, dropped, now, room.for_marks)


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
