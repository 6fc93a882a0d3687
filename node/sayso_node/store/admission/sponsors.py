"""Quotas: limits how many consents the node stores per sponsor, with one pool for all strangers.

Wallets and node keys cost nothing, so anybody can create and sponsor any number of consents; such a
flood fills only the strangers' pool. Above half of the pool, admission is pseudorandom, with a chance
that falls as the pool fills, so late consents still have a chance and the pool never overflows. It is
keyed by the digest and a secret of this store, so resubmitting a consent cannot change the result. A
consent that expired leaves the pool after a month, and does not enter it again. Of a statement that
ended only the digest stays, for ever, so it counts as one hash: else strangers could leave digests
without end. Revocations need no quota (rule 7.3).
"""

from collections.abc import Sequence
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import sha256

_LOT_BYTES = 8
_LOTS = float(1 << 8 * _LOT_BYTES)
POOLED_S = 2_592_000.0  # 30 days for which an expired consent stays in the strangers' pool
_LEAVING = 256  # consents of the pool that leave at once
_BATCHES = 1_000  # of a sponsor that are looked at, so that a look costs little
ANCHORS_A_BLOCK = 4  # those with the lowest roots give standing
_OPEN = 0.5  # share of the pool up to which every consent is admitted
_HARDNESS = 4  # above it, the chance is the free share of the other half to this power
_POOL = "pooled"
_POOLED_HASHES = "pooled-hashes"
LOT_KEY = "lot-key"
_STANDING = "standing-block"
_NEVER = 2.0**53  # when a statement of the pool expires there: it leaves by its end (rule 15.7)


class Applicant(NamedTuple):
    """A consent for which room is needed: its sponsor's node key, its digest, and when it expires."""

    sponsor: bytes
    digest: bytes
    expires_at: float


class Quotas(NamedTuple):
    """Limits for consents, in messages of at most 64 KiB; most are smaller than 1 KiB.

    Attributes:
        trusted: For each operator of the network file, and for this node.
        standing: For each sponsor with standing, at most: one that has an anchor in an old enough block.
        strangers: For all other sponsors together, and for consents above the other limits.
        operators: Node keys of the network file's operators.
        anchored: For each such block in which a sponsor has an anchor.
        hashes: Hashes of statements, for each consent that a quota allows.
    """

    trusted: int = 10_000_000
    standing: int = 1_000_000
    strangers: int = 100_000
    operators: frozenset[bytes] = frozenset()
    anchored: int = 10_000
    hashes: int = 10


def take_room(db: Writing, applicants: Sequence[Applicant], now: float, quotas: Quotas) -> list[bool]:
    """Reserve room for consents; False for each that finds none."""
    book = _Book(db, {one.sponsor for one in applicants}, now, quotas)
    has_room = [book.take(one) for one in applicants]
    book.write()
    return has_room


class StatementRooms:
    """The hashes of statements for each sponsor and the pool, in memory until write().

    They have quotas of their own, so that neither consents nor statements crowd out the others.
    """

    def __init__(self, db: Writing, quotas: Quotas) -> None:
        self._db, self._quotas = db, quotas
        self._held: dict[bytes, int] = {}
        self._quota: dict[bytes, int] = {}
        self._pool = quotas.hashes * quotas.strangers
        self._pooled: int | None = None  # read only if needed
        self._entered = list[tuple[bytes, float]]()

    def take(self, sponsor: bytes, digest: bytes, hashes: int) -> bool:
        """Count a statement; returns whether there is room for it."""
        if sponsor not in self._held:
            query = "SELECT held FROM statement_sponsors WHERE node_key = ?"
            row = self._db.execute(query, (sponsor,)).fetchone()
            self._held[sponsor] = int(row[0]) if row else 0
            self._quota[sponsor] = self._quotas.hashes * _quota(self._db, sponsor, self._quotas)
        if self._held[sponsor] + hashes <= self._quota[sponsor]:
            self._held[sponsor] += hashes
            return True
        if self._pooled is None:
            self._pooled = _number(self._db, _POOLED_HASHES)
        after = self._pooled + hashes
        if after > self._pool or not _has_won(self._db, digest, 1 - self._pooled / self._pool):
            return False
        self._pooled = after
        self._entered.append((digest, _NEVER))
        return True

    def write(self) -> None:
        """Write the counts to the store."""
        again = "ON CONFLICT (node_key) DO UPDATE SET held = excluded.held"
        rows = ((key, held) for key, held in self._held.items() if held)
        many.insert(self._db, "INTO statement_sponsors", rows, again)
        if self._pooled:
            _set_number(self._db, _POOLED_HASHES, self._pooled)
        many.insert(self._db, "INTO pool", self._entered)


def count_ended(db: Writing, sponsor: bytes, digest: bytes, hashes: int) -> None:
    """Count a statement that has ended as one hash, its digest, where its hashes were counted."""
    if db.execute("DELETE FROM pool WHERE digest = ?", (digest,)).rowcount:
        change = "UPDATE numbers SET value = value - ? WHERE name = ?"
        db.execute(change, (hashes - 1, _POOLED_HASHES))
        return
    # What an earlier version let into the pool has no row there, and may exceed what is counted here.
    change = "UPDATE statement_sponsors SET held = held - ? WHERE node_key = ? AND held >= ?"
    db.execute(change, (hashes - 1, sponsor, hashes))


def pooled(db: Reading) -> int:
    """Return how many consents are in the strangers' pool."""
    return _number(db, _POOL)


def standing_block(db: Reading) -> int:
    """Return the number of the last block whose anchors give standing, 0 if none does yet."""
    return _number(db, _STANDING)


def set_standing_block(db: Writing, number: int) -> None:
    """Store the number of the last block whose anchors give standing."""
    _set_number(db, _STANDING, number)


def leave_pool(db: Writing, now: float) -> list[bytes]:
    """Free the room of some consents of the pool that expired a month ago; returns their digests."""
    query = "SELECT digest FROM pool WHERE expires_at < ? ORDER BY expires_at LIMIT ?"
    digests = [digest for (digest,) in db.execute(query, (now - POOLED_S, _LEAVING))]
    db.executemany("DELETE FROM pool WHERE digest = ?", ((one,) for one in digests))
    if digests:
        change = "UPDATE numbers SET value = value - ? WHERE name = ?"
        db.execute(change, (len(digests), _POOL))
    return digests


class _Book:
    """The counts of consents for some sponsors and the pool, in memory until write()."""

    def __init__(self, db: Writing, named: set[bytes], now: float, quotas: Quotas) -> None:
        query = "SELECT node_key, held FROM sponsors WHERE node_key IN"
        self._held = dict.fromkeys(named, 0) | dict(many.among(db, query, named))
        self._quotas = {key: _quota(db, key, quotas) for key in named}
        self._now = now
        self._pool = quotas.strangers
        self._pooled: int | None = None  # read only if needed
        self._entered = list[tuple[bytes, float]]()
        self._db = db

    def take(self, one: Applicant) -> bool:
        """Count one consent; returns whether there is room for it."""
        if self._held[one.sponsor] < self._quotas[one.sponsor]:
            self._held[one.sponsor] += 1
            return True
        if one.expires_at < self._now - POOLED_S or not self._take_of_pool(one.digest):
            return False
        self._entered.append((one.digest, one.expires_at))
        return True

    def _take_of_pool(self, digest: bytes) -> bool:
        if self._pooled is None:
            self._pooled = pooled(self._db)
        free = 1 - self._pooled / self._pool if self._pool else 0.0
        has_won = _has_won(self._db, digest, free)
        self._pooled += has_won
        return has_won

    def write(self) -> None:
        """Write the counts to the store."""
        rows = ((key, held) for key, held in self._held.items() if held)
        again = "ON CONFLICT (node_key) DO UPDATE SET held = excluded.held"
        many.insert(self._db, "INTO sponsors", rows, again)
        if self._pooled:
            _set_number(self._db, _POOL, self._pooled)
        many.insert(self._db, "INTO pool", self._entered)


def _has_won(db: Reading, digest: bytes, free: float) -> bool:
    """Return whether a message enters the pool, of which a share is free."""
    lot = int.from_bytes(sha256(_secret(db) + digest)[:_LOT_BYTES]) / _LOTS
    return free > 0 and (free >= _OPEN or lot < (free / _OPEN) ** _HARDNESS)


def _quota(db: Reading, sponsor: bytes, quotas: Quotas) -> int:
    if sponsor in quotas.operators:
        return quotas.trusted
    return min(quotas.standing, quotas.anchored * _blocks_of(db, sponsor, quotas))


def _blocks_of(db: Reading, sponsor: bytes, quotas: Quotas) -> int:
    """Return in how many old blocks a sponsor has an anchor that counts, as far as it matters.

    One transaction can anchor roots for any number of keys, so only a few of a block count.
    """
    query = (
        "SELECT count(*) FROM (SELECT DISTINCT one.block_number FROM"
        " (SELECT root FROM batches WHERE sponsor = ? LIMIT ?) AS made JOIN anchors one USING (root)"
        " WHERE one.block_number <= ? AND (SELECT count(*) FROM (SELECT 1 FROM anchors other WHERE"
        " other.block_number = one.block_number AND other.root < one.root LIMIT ?) AS lower) < ?"
        " LIMIT ?) AS counted"
    )
    enough = -(-quotas.standing // max(quotas.anchored, 1))
    limits = _BATCHES, standing_block(db), ANCHORS_A_BLOCK, ANCHORS_A_BLOCK, enough
    count: int = db.execute(query, (sponsor, *limits)).fetchone()[0]
    return count


def _secret(db: Reading) -> bytes:
    row = db.execute("SELECT value FROM singles WHERE name = ?", (LOT_KEY,)).fetchone()
    return bytes(row[0])


def _number(db: Reading, name: str) -> int:
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (name,)).fetchone()
    return int(row[0]) if row else 0


def _set_number(db: Writing, name: str, value: int) -> None:
    again = "ON CONFLICT (name) DO UPDATE SET value = excluded.value"
    many.insert(db, "INTO numbers", [(name, value)], again)
