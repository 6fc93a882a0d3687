"""How many consents are kept of whom: many of sponsors with standing, one bounded pool of all others.

Anybody can make wallets and sign any number of consents, and be a sponsor, too. What a flood fills is
the pool. Once that is half full, a lot decides, which is the harder to draw the fuller it is: so nobody
is shut out for having come late, and the pool never overflows. The lot hangs on the digest and on a
secret of this store: whoever hands in a consent again draws the same one. Revocations need no room here
(rule 7.3).
"""

import sqlite3
from typing import NamedTuple

from sayso_protocol.primitives import sha256

_LOT_BYTES = 8
_LOTS = float(1 << 8 * _LOT_BYTES)
_OPEN = 0.5  # of the pool: while so much is free, whoever comes is let in
_HARDNESS = 4  # beyond, the chance is the free part of the other half to this power
_POOL = "pooled"
LOT_KEY = "lot-key"


class Quotas(NamedTuple):
    """How much is kept, in consents of at most 64 KiB, most of them below 1 KiB.

    Attributes:
        trusted: Of each sponsor that the network file names, and of this node itself.
        standing: Of each sponsor with standing.
        strangers: Of all others together, and of what is beyond a quota.
        age_s: A sponsor that was known for so long, and has an anchor on chain, has standing.
        operators: Node keys of those that the network file names.
    """

    trusted: int = 10_000_000
    standing: int = 1_000_000
    strangers: int = 100_000
    age_s: float = 604_800.0
    operators: frozenset[bytes] = frozenset()


def take_room(db: sqlite3.Connection, sponsor: bytes, digest: bytes, now: float, quotas: Quotas) -> bool:
    """Count a consent that is about to be kept; False if there is no room for it."""
    row = db.execute("SELECT first_at, held FROM sponsors WHERE node_key = ?", (sponsor,)).fetchone()
    first_at, held = row or (now, 0)
    if held < _quota(db, sponsor, now - first_at, quotas):
        db.execute("INSERT OR REPLACE INTO sponsors VALUES (?, ?, ?)", (sponsor, first_at, held + 1))
        return True
    if not _draws(db, digest, quotas.strangers):
        return False
    db.execute("INSERT OR IGNORE INTO sponsors VALUES (?, ?, 0)", (sponsor, now))
    db.execute(
        "INSERT INTO numbers VALUES (?, 1) ON CONFLICT (name) DO UPDATE SET value = value + 1", (_POOL,)
    )
    return True


def pooled(db: sqlite3.Connection) -> int:
    """How many consents are in the pool."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (_POOL,)).fetchone()
    return int(row[0]) if row else 0


def _draws(db: sqlite3.Connection, digest: bytes, pool: int) -> bool:
    free = 1 - pooled(db) / pool if pool else 0.0
    lot = int.from_bytes(sha256(_secret(db) + digest)[:_LOT_BYTES]) / _LOTS
    return free > 0 and (free >= _OPEN or lot < (free / _OPEN) ** _HARDNESS)


def _quota(db: sqlite3.Connection, sponsor: bytes, age_s: float, quotas: Quotas) -> int:
    if sponsor in quotas.operators:
        return quotas.trusted
    query = "SELECT 1 FROM batches JOIN anchors USING (root) WHERE sponsor = ? LIMIT 1"
    if age_s >= quotas.age_s and db.execute(query, (sponsor,)).fetchone():
        return quotas.standing
    return 0


def _secret(db: sqlite3.Connection) -> bytes:
    row = db.execute("SELECT value FROM singles WHERE name = ?", (LOT_KEY,)).fetchone()
    return bytes(row[0])
