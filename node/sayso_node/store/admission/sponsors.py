"""Quotas: limits how many consents the node stores per sponsor, with one pool for all strangers.

Wallets and node keys cost nothing, so anybody can create and sponsor any number of consents; such a
flood fills only the strangers' pool. Above half of the pool, admission is pseudorandom, with a chance
that falls as the pool fills, so late consents still have a chance and the pool never overflows. It is
keyed by the digest and a secret of this store, so resubmitting a consent cannot change the result.
Revocations need no quota (rule 7.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import sha256

_LOT_BYTES = 8
_LOTS = float(1 << 8 * _LOT_BYTES)
_OPEN = 0.5  # share of the pool up to which every consent is admitted
_HARDNESS = 4  # above it, the chance is the free share of the other half to this power
_POOL = "pooled"
LOT_KEY = "lot-key"


class Quotas(NamedTuple):
    """Limits for consents, in messages of at most 64 KiB; most are smaller than 1 KiB.

    Attributes:
        trusted: For each operator of the network file, and for this node.
        standing: For each sponsor with standing.
        strangers: For all other sponsors together, and for consents above the other limits.
        age_s: Seconds for which a sponsor must be known, besides having an anchor, to have standing.
        operators: Node keys of the network file's operators.
    """

    trusted: int = 10_000_000
    standing: int = 1_000_000
    strangers: int = 100_000
    age_s: float = 604_800.0
    operators: frozenset[bytes] = frozenset()


def take_room(
    db: Writing, claims: Sequence[tuple[bytes, bytes]], now: float, quotas: Quotas
) -> list[bool]:
    """Reserve room for consents, given as sponsor and digest; False for each that finds none."""
    book = _Book(db, {sponsor for sponsor, _ in claims}, now, quotas)
    has_room = [book.take(sponsor, digest) for sponsor, digest in claims]
    book.write()
    return has_room


def pooled(db: Reading) -> int:
    """Return how many consents are in the strangers' pool."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (_POOL,)).fetchone()
    return int(row[0]) if row else 0


class _Book:
    """The counts of consents for some sponsors and the pool, in memory until write()."""

    def __init__(self, db: Writing, named: set[bytes], now: float, quotas: Quotas) -> None:
        query = "SELECT node_key, first_at, held FROM sponsors WHERE node_key IN"
        self._held = {key: (first_at, held) for key, first_at, held in many.among(db, query, named)}
        firsts = {key: self._held.get(key, (now, 0))[0] for key in named}
        self._quotas = {key: _quota(db, key, now - first, quotas) for key, first in firsts.items()}
        self._now = now
        self._pool = quotas.strangers
        self._pooled: int | None = None  # read only if needed
        self._db = db

    def take(self, sponsor: bytes, digest: bytes) -> bool:
        """Count one consent; returns whether there is room for it."""
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
        """Write the counts to the store."""
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
