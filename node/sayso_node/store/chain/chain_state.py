"""The followed part of the chain, and the batches whose roots are anchored on it."""

from collections.abc import Iterable
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.chain import archives, block_dates, endorsements, late_blocks, relays, untested
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.ethereum.batches import Batch
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.receipt import ChainPoint

KEPT_BLOCKS = 256  # a deeper reorganisation makes the node read the chain from the start


class Anchor(NamedTuple):
    """The place of an anchored root on chain."""

    root: bytes
    submitter: bytes
    block_number: int
    block_hash: bytes


def followed(db: Reading) -> list[ChainPoint]:
    """Return the most recently followed blocks, newest first."""
    rows = db.execute("SELECT number, hash FROM blocks ORDER BY number DESC")
    return [ChainPoint(*row) for row in rows]


def newest(db: Reading) -> ChainPoint | None:
    """Return the block up to which the chain was read, None before the first."""
    row = db.execute("SELECT number, hash FROM blocks ORDER BY number DESC LIMIT 1").fetchone()
    return ChainPoint(*row) if row else None


def want_reading(db: Writing) -> None:
    """Want the chain read again from the start, because what was read may be lost."""
    db.execute("INSERT INTO numbers VALUES ('chain-anew', 1) ON CONFLICT DO NOTHING")


def begun(db: Writing, first: int) -> None:
    """Record the block with which the first reading of the chain begins."""
    db.execute("INSERT INTO numbers VALUES ('chain-first', ?) ON CONFLICT DO NOTHING", (first,))


def is_reading_wanted(db: Reading, first: int) -> bool:
    """Return whether the chain is to be read again from `first`, or was only read from a later block."""
    query = "SELECT 1 FROM numbers WHERE name = 'chain-anew' OR (name = 'chain-first' AND value > ?)"
    return db.execute(query, (first,)).fetchone() is not None


def begin_anew(db: Writing) -> None:
    """Forget how far the chain was read; what it revoked stays."""
    rewind(db, -1)
    db.execute("DELETE FROM numbers WHERE name IN ('chain-anew', 'chain-first')")


def advance(db: Writing, point: ChainPoint) -> None:
    """Record the block up to which the chain was read, in the transaction that stores its events."""
    db.execute(
        "INSERT INTO blocks VALUES (?, ?) ON CONFLICT (number) DO UPDATE SET hash = excluded.hash",
        (point.number, point.hash),
    )
    db.execute("DELETE FROM blocks WHERE number <= ?", (point.number - KEPT_BLOCKS,))


def rewind(db: Writing, number: int) -> None:
    """Delete blocks above `number`, their anchors and endorsements; bits stay (rule 8.10)."""
    db.execute("DELETE FROM blocks WHERE number > ?", (number,))
    db.execute("DELETE FROM anchors WHERE block_number > ?", (number,))
    archives.rewound(db, number)
    block_dates.rewound(db, number)
    endorsements.rewound(db, number)
    late_blocks.rewound(db, number)
    untested.rewound(db, number)
    if db.execute("SELECT 1 FROM blocks LIMIT 1").fetchone():
        relays.rewound(db, number)
    else:
        relays.rewound_to_the_start(db)


def add_anchor(db: Writing, anchor: Anchor) -> bool:
    """Store an anchor that was seen on chain, unless its root has one; returns whether it is new."""
    block_dates.want(db, anchor.block_number, anchor.block_hash)
    cursor = db.execute("INSERT INTO anchors VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", anchor)
    return cursor.rowcount > 0


def anchored_in(db: Reading, root: bytes) -> ChainPoint | None:
    """Return the block in which a root was anchored, None if it was not."""
    query = "SELECT block_number, block_hash FROM anchors WHERE root = ?"
    row = db.execute(query, (root,)).fetchone()
    return ChainPoint(*row) if row else None


def add_batch(db: Writing, batch: Batch, *, own: bool) -> None:
    """Store a batch and the licenses in it."""
    root = batch.root
    licenses = b"".join(batch.licenses)
    row = (root, batch.sponsor, licenses, own)
    db.execute("INSERT INTO batches VALUES (?, ?, ?, ?) ON CONFLICT DO NOTHING", row)
    db.executemany(
        "INSERT INTO batch_members VALUES (?, ?, ?) ON CONFLICT DO NOTHING",
        ((license_hash, root, index) for index, license_hash in enumerate(batch.licenses)),
    )


def batch(db: Reading, root: bytes) -> Batch | None:
    """Return a stored batch."""
    row = db.execute("SELECT sponsor, licenses FROM batches WHERE root = ?", (root,)).fetchone()
    if row is None:
        return None
    sponsor, joined = row
    starts = range(0, len(joined), HASH_BYTES)
    return Batch(sponsor, tuple(joined[start : start + HASH_BYTES] for start in starts))


def missing_batches(db: Reading, after: bytes, limit: int) -> list[bytes]:
    """Return anchored roots without a stored batch, ascending: one page, after `after`."""
    query = "SELECT root FROM missing_batches WHERE root > ? ORDER BY root LIMIT ?"
    rows = db.execute(query, (after, limit))
    return [root for (root,) in rows]


def anchor_of(db: Reading, license_hash: bytes) -> tuple[Anchor, int] | None:
    """Return the earliest anchor of a license, and the position of the license in the batch."""
    row = db.execute(
        "SELECT root, submitter, block_number, block_hash, position"
        " FROM batch_members JOIN anchors USING (root) WHERE license = ?"
        " ORDER BY block_number LIMIT 1",
        (license_hash,),
    ).fetchone()
    return (Anchor(*row[:4]), row[4]) if row else None


def first_anchors(db: Reading, digests: Iterable[bytes], last: int) -> dict[bytes, int]:
    """Return the heights of the first anchors of some digests, of blocks up to `last`."""
    query = (
        "SELECT license, block_number FROM batch_members JOIN anchors USING (root)"
        " WHERE block_number <= ? AND license IN"
    )
    found: dict[bytes, int] = {}
    for digest, number in many.among(db, query, digests, (last,)):
        found[digest] = min(number, found.get(digest, number))
    return found


def anchor_block(db: Reading, license_hash: bytes) -> int | None:
    """Return the height of the block of a license's earliest anchor, or None."""
    found = anchor_of(db, license_hash)
    return found[0].block_number if found else None


def queue(db: Writing, digest: bytes, now: float) -> None:
    """Queue a stored message for the next batch of this node, unless it waits or is in a batch."""
    db.execute(
        "INSERT INTO anchor_queue SELECT seq, digest, ? FROM messages WHERE digest = ?"
        " AND NOT EXISTS (SELECT 1 FROM batch_members WHERE license = digest)"
        " ON CONFLICT DO NOTHING",
        (now, digest),
    )


def due(db: Reading, queued_before: float, limit: int) -> list[bytes]:
    """Return the waiting digests, if the oldest has waited long enough or a batch is full."""
    oldest = db.execute("SELECT queued_at FROM anchor_queue ORDER BY seq LIMIT 1").fetchone()
    if oldest is None:
        return []
    if oldest[0] > queued_before:
        last = "SELECT 1 FROM anchor_queue ORDER BY seq LIMIT 1 OFFSET ?"
        if db.execute(last, (limit - 1,)).fetchone() is None:
            return []
    rows = db.execute("SELECT digest FROM anchor_queue ORDER BY seq LIMIT ?", (limit,))
    return [digest for (digest,) in rows]


def make_batch(db: Writing, sponsor: bytes, licenses: list[bytes]) -> Batch:
    """Make waiting licenses into a batch of this node."""
    made = Batch(sponsor, tuple(licenses))
    add_batch(db, made, own=True)
    db.executemany("DELETE FROM anchor_queue WHERE digest = ?", ((one,) for one in licenses))
    return made
