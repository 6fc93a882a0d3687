"""Consents of contract wallets, and what the wallet last said to each (rule 8.14).

A key signs once and for all; a contract may change its mind, so it is asked again. An answer is as old
as the block it was given at. Who was asked and did not answer goes to the end of the queue all the same,
so that nobody keeps the others waiting.
"""

from math import inf

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import CONSENT


def said(db: Writing, license_hash: bytes, block_time: float, now: float, *, accepted: bool) -> None:
    """The wallet answered at a block of this time, seconds since the epoch.

    A block dated ahead of our clock makes no answer younger than now.
    """
    asked_at = min(block_time, now)
    db.execute(
        "INSERT INTO wallet_consents VALUES (?, ?, ?, ?) ON CONFLICT (license) DO UPDATE SET"
        " accepted = excluded.accepted, asked_at = excluded.asked_at, tried_at = excluded.tried_at",
        (license_hash, accepted, asked_at, now),
    )


def tried(db: Writing, license_hash: bytes, now: float) -> None:
    """The wallet was asked and nobody could tell: what it said before stays as old as it is."""
    db.execute("UPDATE wallet_consents SET tried_at = ? WHERE license = ?", (now, license_hash))


def let_be(db: Writing, license_hash: bytes) -> None:
    """Never ask about this consent again: it has ended."""
    tried(db, license_hash, inf)


def accepted_at(db: Reading, license_hash: bytes) -> float:
    """The time of the block at which the wallet accepted a consent.

    Never if it refused when it last answered; always if a key signed.
    """
    row = db.execute(
        "SELECT accepted, asked_at FROM wallet_consents WHERE license = ?", (license_hash,)
    ).fetchone()
    if row is None:
        return inf
    accepted, asked_at = row
    return float(asked_at) if accepted else -inf


def any_held(db: Reading) -> bool:
    """Whether any consent is a contract wallet's."""
    return db.execute("SELECT 1 FROM wallet_consents LIMIT 1").fetchone() is not None


def longest_unasked(db: Reading, before: float, limit: int) -> dict[bytes, bytes]:
    """The envelopes, by license, of consents last asked about before this time, the oldest first."""
    rows = db.execute(
        "SELECT license, body FROM wallet_consents JOIN messages ON digest = license"
        " WHERE tried_at < ? AND kind = ? ORDER BY tried_at LIMIT ?",
        (before, CONSENT, limit),
    )
    return dict(rows.fetchall())
