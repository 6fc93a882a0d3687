"""Queries for the HTTP API's lists; pages follow `seq`, so new messages do not shift them."""

from collections.abc import Sequence
from typing import Final, NamedTuple

from sayso_node.store.interface import Reading
from sayso_node.store.messages import Stored
from sayso_node.store.shared_claims import list_of
from sayso_protocol.messages.message import CONSENT, REVOCATION

LAST_SEQ: Final = 2**63 - 1


class Claim(NamedTuple):
    """A stored consent that names an item: its `seq`, license hash and envelope."""

    seq: int
    license: bytes
    body: bytes


class HeldRevocation(NamedTuple):
    """A revocation: its envelope, and whether it is stored for good or pending (rule 7.14)."""

    body: bytes
    is_kept: bool


def licenses_after(db: Reading, contributor: bytes, seq: int, limit: int) -> list[tuple[int, bytes]]:
    """Return `seq` and license hash of a contributor's consents after a `seq`, oldest first."""
    rows = db.execute(
        "SELECT seq, digest FROM messages WHERE contributor = ? AND kind = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        (contributor, CONSENT, seq, limit),
    )
    return rows.fetchall()


def licenses_before(db: Reading, contributor: bytes, seq: int, limit: int) -> list[tuple[int, bytes]]:
    """As `licenses_after`, newest first: those before a `seq`, or from the newest on if it is 0."""
    rows = db.execute(
        "SELECT seq, digest FROM messages WHERE contributor = ? AND kind = ? AND seq < ?"
        " ORDER BY seq DESC LIMIT ?",
        (contributor, CONSENT, seq or LAST_SEQ, limit),
    )
    return rows.fetchall()


def claims_after(
    db: Reading, item: bytes, seq: int, limit: int, parties: Sequence[bytes] = ()
) -> list[Claim]:
    """Return consents that name an item after a `seq`, oldest first; `parties` leaves only theirs."""
    key, names = (list_of(item, parties), "shared_items") if parties else (item, "items")
    rows = db.execute(
        f"SELECT seq, digest, body FROM {names} JOIN messages USING (seq)"  # noqa: S608 - our own names
        f" WHERE {'list' if parties else 'item'} = ? AND kind = ? AND seq > ? ORDER BY seq LIMIT ?",
        (key, CONSENT, seq, limit),
    )
    return [Claim(*row) for row in rows]


def first_event(db: Reading) -> int:
    """Return the `seq` of the oldest stored event, 0 if there are no events."""
    first: int | None = db.execute("SELECT min(seq) FROM events").fetchone()[0]
    return first or 0


def revocation(db: Reading, digest: bytes) -> HeldRevocation | None:
    """Return a revocation by its digest, stored or pending."""
    query = "SELECT body FROM messages WHERE digest = ? AND kind = ?"
    if row := db.execute(query, (digest, REVOCATION)).fetchone():
        return HeldRevocation(row[0], is_kept=True)
    row = db.execute("SELECT body FROM pending WHERE digest = ?", (digest,)).fetchone()
    return HeldRevocation(row[0], is_kept=False) if row else None


def revocations_after(db: Reading, signer: bytes, seq: int, limit: int) -> list[Stored]:
    """Return the stored revocations that an address signed after a `seq`, oldest first."""
    rows = db.execute(
        "SELECT seq, body, arrived_at FROM messages WHERE contributor = ? AND kind = ? AND seq > ?"
        " ORDER BY seq LIMIT ?",
        (signer, REVOCATION, seq, limit),
    )
    return [Stored(*row) for row in rows]
