"""How many consents are kept of whom: many of sponsors with standing, one bounded pool of all others.

Anybody can make wallets and sign any number of consents, and be a sponsor, too. What a flood fills is
the pool. Once that is half full, a lot decides, which is the harder to draw the fuller it is: so nobody
is shut out for having come late, and the pool never overflows. The lot hangs on the digest and on a
secret of this store: whoever hands in a consent again draws the same one. Revocations need no room here
(rule 7.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
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


def take_room(
    db: Writing, claims: Sequence[tuple[bytes, bytes]], now: float, quotas: Quotas
) -> list[bool]:
    """Count consents that are about to be kept, each a sponsor and a digest; False without room."""
    book = _Book(db, {sponsor for sponsor, _ in claims}, now, quotas)
    has_room = [book.take(sponsor, digest) for sponsor, digest in claims]
    book.write()
    return has_room


def pooled(db: Reading) -> int:
    """How many consents are in the pool."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (_POOL,)).fetchone()
    return int(row[0]) if row else 0


class _Book:
    """How much is held of some sponsors, and of all strangers; in memory until it is written."""

    def __init__(self, db: Writing, named: set[bytes], now: float, quotas: Quotas) -> None:
        query = "SELECT node_key, first_at, held FROM sponsors WHERE node_key IN"
        self._held = {key: (first_at, held) for key, first_at, held in many.among(db, query, named)}
        firsts = {key: self._held.get(key, (now, 0))[0] for key in named}
        self._quotas = {key: _quota(db, key, now - first, quotas) for key, first in firsts.items()}
        self._now = now
        self._pool = quotas.strangers
        self._pooled: int | None = None  # most need none of it
        self._db = db

    def take(self, sponsor: bytes, digest: bytes) -> bool:
        """Count one; False if there is no room for it."""
        first_at, held = self._held.get(sponsor, (self._now, 0))
        if held < self._quotas[sponsor]:
            held += 1
        elif not self._take_of_pool(digest):
            return False
        self._held[sponsor] = first_at, held
        return True

    def _take_of_pool(self, digest: bytes) -> bool:
        if self._pooled is None:
            self._pooled = pooled(self._db)
        free = 1 - self._pooled / self._pool if self._pool else 0.0
        lot = int.from_bytes(sha256(_secret(self._db) + digest)[:_LOT_BYTES]) / _LOTS
        has_won = free > 0 and (free >= _OPEN or lot < (free / _OPEN) ** _HARDNESS)
        self._pooled += has_won
        return has_won

    def write(self) -> None:
        """Keep what was counted."""
        rows = ((key, *value) for key, value in self._held.items())
        again = "ON CONFLICT (node_key) DO UPDATE SET held = excluded.held"
        many.insert(self._db, "INTO sponsors", rows, again)
        if self._pooled:
            again = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
            many.insert(self._db, "INTO numbers", [(_POOL, self._pooled)], again)


def _quota(db: Reading, sponsor: bytes, age_s: float, quotas: Quotas) -> int:
    if sponsor in quotas.operators:
        return quotas.trusted
    query = "SELECT 1 FROM batches JOIN anchors USING (root) WHERE sponsor = ? LIMIT 1"
    if age_s >= quotas.age_s and db.execute(query, (sponsor,)).fetchone():
        return quotas.standing
    return 0


def _secret(db: Reading) -> bytes:
    row = db.execute("SELECT value FROM singles WHERE name = ?", (LOT_KEY,)).fetchone()
    return bytes(row[0])
