"""Consents of contract wallets, with each wallet's last answer about its signature (rule 8.14).

A signature by a key is valid for good, but a contract wallet may change its answer, so it is asked
again. An answer is as old as the block at which it was given. A wallet that does not answer also goes to
the end of the queue, so that it cannot block the others.
"""

from math import inf

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import CONSENT


def said(db: Writing, license_hash: bytes, block_time: float, now: float, *, accepted: bool) -> None:
    """Store the wallet's answer, given at a block of this time, in seconds since the epoch.

    A block dated ahead of our clock counts as of now.
    """
    asked_at = min(block_time, now)
    db.execute(
        "INSERT INTO wallet_consents VALUES (?, ?, ?, ?) ON CONFLICT (license) DO UPDATE SET"
        " accepted = excluded.accepted, asked_at = excluded.asked_at, tried_at = excluded.tried_at",
        (license_hash, accepted, asked_at, now),
    )


def tried(db: Writing, license_hash: bytes, now: float) -> None:
    """Record that the wallet was asked without an answer; the previous answer keeps its age."""
    db.execute("UPDATE wallet_consents SET tried_at = ? WHERE license = ?", (now, license_hash))


def let_be(db: Writing, license_hash: bytes) -> None:
    """Stop asking about a consent that has ended."""
    tried(db, license_hash, inf)


def accepted_at(db: Reading, license_hash: bytes) -> float:
    """Return the time of the block at which the wallet accepted a consent.

    Minus infinity if the wallet refused last; infinity if a key signed.
    """
    row = db.execute(
        "SELECT accepted, asked_at FROM wallet_consents WHERE license = ?", (license_hash,)
    ).fetchone()
    if row is None:
        return inf
    accepted, asked_at = row
    return float(asked_at) if accepted else -inf


def any_held(db: Reading) -> bool:
    """Return whether the store has a contract wallet's consent."""
    return db.execute("SELECT 1 FROM wallet_consents LIMIT 1").fetchone() is not None


def longest_unasked(db: Reading, before: float, limit: int) -> dict[bytes, bytes]:
    """Return envelopes, by license, of consents last asked about before a time, oldest first."""
    rows = db.execute(
        "SELECT license, body FROM wallet_consents JOIN messages ON digest = license"
        " WHERE tried_at < ? AND kind = ? ORDER BY tried_at LIMIT ?",
        (before, CONSENT, limit),
    )
    return dict(rows.fetchall())
