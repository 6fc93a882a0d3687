"""What only the HTTP API reads: lists in pages, by `seq`, so that what comes meanwhile moves nothing."""

from typing import NamedTuple

from sayso_node.store.interface import Reading
from sayso_protocol.messages.message import CONSENT, REVOCATION


class Claim(NamedTuple):
    """A stored consent that names an item: its place, its license hash, its envelope."""

    seq: int
    license: bytes
    body: bytes


class HeldRevocation(NamedTuple):
    """A revocation: its envelope, and whether it is kept; else it is pending (rule 7.14)."""

    body: bytes
    is_kept: bool


def licenses_after(db: Reading, contributor: bytes, seq: int, limit: int) -> list[tuple[int, bytes]]:
    """Place and license hash of a contributor's consents after a place, oldest first."""
    rows = db.execute(
        "SELECT seq, digest FROM messages WHERE contributor = ? AND kind = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        (contributor, CONSENT, seq, limit),
    )
    return rows.fetchall()


def claims_after(db: Reading, item: bytes, seq: int, limit: int) -> list[Claim]:
    """The consents that name an item after a place, oldest first."""
    rows = db.execute(
        "SELECT seq, digest, body FROM items JOIN messages USING (seq)"
        " WHERE item = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT ?",
        (item, CONSENT, seq, limit),
    )
    return [Claim(*row) for row in rows]


def first_event(db: Reading) -> int:
    """The place of the oldest event that is kept, 0 if there is none."""
    first: int | None = db.execute("SELECT min(seq) FROM events").fetchone()[0]
    return first or 0


def revocation(db: Reading, digest: bytes) -> HeldRevocation | None:
    """A revocation by its digest, kept or pending."""
    query = "SELECT body FROM messages WHERE digest = ? AND kind = ?"
    if row := db.execute(query, (digest, REVOCATION)).fetchone():
        return HeldRevocation(row[0], is_kept=True)
    row = db.execute("SELECT body FROM pending WHERE digest = ?", (digest,)).fetchone()
    return HeldRevocation(row[0], is_kept=False) if row else None
