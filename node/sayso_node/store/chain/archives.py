"""Transactions that set bits on the followed chain, with their receipt proofs (10.10 to 10.12).

A block with a revocation is wanted as soon as its event is read; its proofs are stored once an endpoint
has given them. A reorganisation that drops the block deletes both.
"""

from typing import NamedTuple

import msgpack

from sayso_node.store.interface import Reading, Writing
from sayso_node.supervision.retrying import backoff
from sayso_protocol.receipts.receipt import ChainPoint

ARCHIVE_PAUSE_MIN_S = 15.0  # after a failure: an endpoint may have a block before it has its receipts
ARCHIVE_PAUSE_MAX_S = 86_400.0


class Archived(NamedTuple):
    """A transaction of a block, with the trie nodes that prove it and its receipt (rule 10.10)."""

    place: int
    transaction: list[bytes]
    receipt: list[bytes]


class Archive(NamedTuple):
    """A block's header and the transactions in it that set bits."""

    block: ChainPoint
    header: bytes
    transactions: list[Archived]


def want(db: Writing, number: int, block_hash: bytes) -> None:
    """Record that a revocation is in this block of the followed chain; repeating it changes nothing."""
    row = db.execute("SELECT hash FROM receipt_blocks WHERE number = ?", (number,)).fetchone()
    if row is None or row[0] != block_hash:
        _forget(db, "number = ?", number)
        db.execute("INSERT INTO receipt_blocks VALUES (?, ?, NULL, 0, 0)", (number, block_hash))


def rewound(db: Writing, number: int) -> None:
    """Delete the blocks above a height, after a reorganisation."""
    _forget(db, "number > ?", number)


def wanted(db: Reading, now: float, limit: int) -> list[ChainPoint]:
    """Return blocks without stored proofs, newest first, except those that failed a short time ago."""
    rows = db.execute(
        "SELECT number, hash FROM receipt_blocks WHERE header IS NULL AND not_before <= ?"
        " ORDER BY number DESC LIMIT ?",
        (now, limit),
    )
    return [ChainPoint(*row) for row in rows]


def keep(db: Writing, archive: Archive) -> bool:
    """Store a block's proofs if the block is still wanted; returns whether it is."""
    block = archive.block
    change = "UPDATE receipt_blocks SET header = ? WHERE number = ? AND hash = ?"
    if not db.execute(change, (archive.header, block.number, block.hash)).rowcount:
        return False
    rows = ((block.number, one.place, msgpack.packb(one[1:])) for one in archive.transactions)
    db.executemany(
        "INSERT INTO receipt_transactions VALUES (?, ?, ?)"
        " ON CONFLICT (number, place) DO UPDATE SET nodes = excluded.nodes",
        rows,
    )
    return True


def failed(db: Writing, block: ChainPoint, now: float) -> None:
    """Record that no endpoint gave a block's proofs, so it is retried later each time."""
    query = "SELECT times FROM receipt_blocks WHERE number = ? AND hash = ?"
    row = db.execute(query, (block.number, block.hash)).fetchone()
    if row:
        pause = backoff(ARCHIVE_PAUSE_MIN_S, row[0], ARCHIVE_PAUSE_MAX_S)
        change = "UPDATE receipt_blocks SET times = times + 1, not_before = ? WHERE number = ?"
        db.execute(change, (now + pause, block.number))


def archived(db: Reading, number: int) -> Archive | None:
    """Return the stored proofs of the block at a height."""
    query = "SELECT hash, header FROM receipt_blocks WHERE number = ? AND header IS NOT NULL"
    row = db.execute(query, (number,)).fetchone()
    if row is None:
        return None
    rows = db.execute(
        "SELECT place, nodes FROM receipt_transactions WHERE number = ? ORDER BY place", (number,)
    )
    kept = [Archived(place, *msgpack.unpackb(nodes)) for place, nodes in rows]
    return Archive(ChainPoint(number, row[0]), row[1], kept)


def _forget(db: Writing, condition: str, number: int) -> None:
    for table in ("receipt_blocks", "receipt_transactions"):
        db.execute(f"DELETE FROM {table} WHERE {condition}", (number,))  # noqa: S608 - our own constants
