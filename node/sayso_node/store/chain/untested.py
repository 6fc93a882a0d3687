"""Blocks whose headers are still to be tested for events, and blocks whose events are doubted.

A header is tested once: its bloom filter shows that the block has none of our events, or the block is
doubted until its events are proved and its logs agree (chain/following/log_audit.py).
"""

from typing import NamedTuple

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint


class Untested(NamedTuple):
    """A range of blocks: the first, the last, and the last one's hash, empty where it is unknown."""

    first: int
    last: int
    last_hash: bytes


class Doubt(NamedTuple):
    """A block that may have events which its logs left out.

    Attributes:
        block: The block.
        since: When it was first doubted, seconds since the epoch.
        tried_at: When it was last asked about, likewise.
        is_proved: Whether its events are proved and stored, and only its logs still differ.
        silences: Whether the node falls silent if this lasts; endpoints lack receipts of old blocks.
    """

    block: ChainPoint
    since: float
    tried_at: float
    is_proved: bool
    silences: bool


def note(db: Writing, blocks: Untested) -> None:
    """Note a range, in the transaction that stores what its logs gave."""
    db.execute(
        "INSERT INTO untested_ranges VALUES (?, ?, ?) ON CONFLICT (last) DO UPDATE"
        " SET last_hash = excluded.last_hash, first = CASE WHEN excluded.first < untested_ranges.first"
        " THEN excluded.first ELSE untested_ranges.first END",
        (blocks.last, blocks.first, blocks.last_hash),
    )


def newest(db: Reading) -> Untested | None:
    """Return the range with the newest blocks, None without any."""
    query = "SELECT first, last, last_hash FROM untested_ranges ORDER BY last DESC LIMIT 1"
    row = db.execute(query).fetchone()
    return Untested(*row) if row else None


def tested(db: Writing, blocks: Untested, down_to: int, parent: bytes) -> None:
    """Record that the blocks of a range from `down_to` on are tested; `parent` is the hash before."""
    db.execute("DELETE FROM untested_ranges WHERE last = ?", (blocks.last,))
    if blocks.first < down_to:
        note(db, Untested(blocks.first, down_to - 1, parent))


def doubt(db: Writing, block: ChainPoint, now: float, *, silences: bool) -> None:
    """Begin to doubt a block, in the transaction that records its test."""
    row = (block.number, block.hash, now, int(silences))
    db.execute("INSERT INTO doubted_blocks VALUES (?, ?, ?, 0, 0, ?) ON CONFLICT DO NOTHING", row)


def doubts(db: Reading) -> list[Doubt]:
    """Return all doubted blocks, the oldest first."""
    query = "SELECT number, hash, since, tried_at, proved, silences FROM doubted_blocks ORDER BY number"
    return [
        Doubt(ChainPoint(number, name), since, tried, bool(proved), bool(silences))
        for number, name, since, tried, proved, silences in db.execute(query)
    ]


def tried(db: Writing, number: int, now: float, *, is_proved: bool) -> None:
    """Record that a doubted block was asked about, and whether its events are proved and stored."""
    query = (
        "UPDATE doubted_blocks SET tried_at = ?, proved = CASE WHEN proved = 1 THEN 1 ELSE ? END"
        " WHERE number = ?"
    )
    db.execute(query, (now, int(is_proved), number))


def settled(db: Writing, number: int) -> None:
    """Stop doubting a block."""
    db.execute("DELETE FROM doubted_blocks WHERE number = ?", (number,))


def rewound(db: Writing, number: int) -> None:
    """Forget blocks above `number`, which are read anew."""
    db.execute("DELETE FROM untested_ranges WHERE first > ?", (number,))
    change = "UPDATE untested_ranges SET last = ?, last_hash = ? WHERE last > ?"
    db.execute(change, (number, b"", number))
    db.execute("DELETE FROM doubted_blocks WHERE number > ?", (number,))
