"""The chain as this node has followed it, and the batches whose roots stand on it."""

from typing import NamedTuple

from sayso_node.store.chain import archives, relays
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.receipt import ChainPoint

KEPT_BLOCKS = 256  # how deep a reorganisation can be recognised without reading from the start


class Anchor(NamedTuple):
    """Where a root stands on chain."""

    root: bytes
    submitter: bytes
    block_number: int
    block_hash: bytes


def followed(db: Reading) -> list[ChainPoint]:
    """The blocks that were followed last, newest first."""
    rows = db.execute("SELECT number, hash FROM blocks ORDER BY number DESC")
    return [ChainPoint(*row) for row in rows]


def newest(db: Reading) -> ChainPoint | None:
    """The block up to which the chain was read; None before the first."""
    row = db.execute("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
    return ChainPoint(*row) if row else None


def advance(db: Writing, point: ChainPoint) -> None:
    """The chain was read up to this block: kept in the transaction that keeps what was read."""
    db.execute(
        "INSERT INTO blocks VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET hash = excluded.hash",
        (point.number, point.hash),
    )
    db.execute("DELETE FROM blocks WHERE number <= ?", (point.number - KEPT_BLOCKS,))


def rewind(db: Writing, number: int) -> None:
    """Forget blocks above `number` and their anchors. Bits stay: a revocation outlives its fork."""
    db.execute("DELETE FROM blocks WHERE number > ?", (number,))
    db.execute("DELETE FROM anchors WHERE block_number > ?", (number,))
    archives.rewound(db, number)
    if db.execute("SELECT 1 FROM blocks LIMIT 1").fetchone():
        relays.rewound(db, number)
    else:
        relays.rewound_to_the_start(db)


def add_anchor(db: Writing, anchor: Anchor) -> bool:
    """A root was seen on chain; the first place counts. True if it was news."""
    cursor = db.execute("INSERT INTO anchors VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", anchor)
    return cursor.rowcount > 0


def add_batch(db: Writing, batch: Batch, *, own: bool) -> None:
    """Keep a batch and which licenses are in it."""
    root = batch.root
    licenses = b"".join(batch.licenses)
    row = (root, batch.sponsor, licenses, own)
    db.execute("INSERT INTO batches VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    db.executemany(
        "INSERT INTO batch_members VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        ((license_hash, root, index) for index, license_hash in enumerate(batch.licenses)),
    )


def batch(db: Reading, root: bytes) -> Batch | None:
    """A kept batch."""
    row = db.execute("SELECT sponsor, licenses FROM batches WHERE root = ?", (root,)).fetchone()
    if row is None:
        return None
    sponsor, joined = row
    starts = range(0, len(joined), HASH_BYTES)
    return Batch(sponsor, tuple(joined[start : start + HASH_BYTES] for start in starts))


def missing_batches(db: Reading, after: bytes, limit: int) -> list[bytes]:
    """Anchored roots whose batch this node does not have, ascending, the page after one."""
    rows = db.execute(
        "SELECT root FROM anchors WHERE root NOT IN (SELECT root FROM batches) AND root > ?"
        " ORDER BY root LIMIT ?",
        (after, limit),
    )
    return [root for (root,) in rows]


def anchor_of(db: Reading, license_hash: bytes) -> tuple[Anchor, int] | None:
    """The earliest anchor of a license, and its place in the batch."""
    row = db.execute(
        "SELECT root, submitter, block_number, block_hash, position"
        " FROM batch_members JOIN anchors USING (root) WHERE license = ?"
        " ORDER BY block_number LIMIT 1",
        (license_hash,),
    ).fetchone()
    return (Anchor(*row[:4]), row[4]) if row else None


def due(db: Reading, queued_before: float, limit: int) -> list[bytes]:
    """License hashes to anchor: all that wait, once the oldest waited long enough or a batch is full."""
    rows = db.execute("SELECT digest, queued_at FROM anchor_queue ORDER BY seq LIMIT ?", (limit,))
    waiting = rows.fetchall()
    if len(waiting) < limit and not any(queued_at <= queued_before for _, queued_at in waiting):
        return []
    return [digest for digest, _ in waiting]


def make_batch(db: Writing, sponsor: bytes, licenses: list[bytes]) -> Batch:
    """Turn waiting licenses into a batch of this node."""
    made = Batch(sponsor, tuple(licenses))
    add_batch(db, made, own=True)
    db.executemany("DELETE FROM anchor_queue WHERE digest = ?", ((one,) for one in licenses))
    return made
