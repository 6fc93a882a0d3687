"""When blocks were made that set a bit or anchor a root, and the last final block (section 15).

Neither events nor anchors carry a time, and a trace dates what they did.
"""

from collections.abc import Iterable
from typing import Final

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import Block

_FINAL: Final = ("final-block", "final-block-time")  # names of its height and time in `numbers`


def want(db: Writing, number: int, block_hash: bytes) -> None:
    """Record that the time of this block is needed; repeating it changes nothing."""
    db.execute(
        "INSERT INTO dated_blocks VALUES (?, ?, NULL) ON CONFLICT (number) DO UPDATE"
        " SET hash = excluded.hash, time = NULL WHERE dated_blocks.hash <> excluded.hash",
        (number, block_hash),
    )


def wanted(db: Reading, after: int, limit: int) -> list[ChainPoint]:
    """Return blocks above a height whose times are not known, ascending."""
    query = (
        "SELECT number, hash FROM dated_blocks WHERE time IS NULL AND number > ? ORDER BY number LIMIT ?"
    )
    return [ChainPoint(*row) for row in db.execute(query, (after, limit))]


def date(db: Writing, block: ChainPoint, time: int) -> None:
    """Store the time of a block, if it is still the one at this height."""
    change = "UPDATE dated_blocks SET time = ? WHERE number = ? AND hash = ?"
    db.execute(change, (time, block.number, block.hash))


def dates_of(db: Reading, numbers: Iterable[int]) -> dict[int, int]:
    """Return the known times of blocks by height."""
    query = "SELECT number, time FROM dated_blocks WHERE time IS NOT NULL AND number IN"
    return dict(many.among(db, query, set(numbers)))


def set_final(db: Writing, block: Block) -> None:
    """Store the last final block."""
    rows = zip(_FINAL, block, strict=True)
    many.insert(db, "INTO numbers", rows, "ON CONFLICT (name) DO UPDATE SET value = excluded.value")


def final(db: Reading) -> Block | None:
    """Return the last final block that was dated, with its time; None before the first."""
    found = dict(many.among(db, "SELECT name, value FROM numbers WHERE name IN", _FINAL))
    return Block(*(int(found[name]) for name in _FINAL)) if len(found) == len(_FINAL) else None


def rewound(db: Writing, number: int) -> None:
    """Delete the blocks above a height, after a reorganisation, and a final block among them."""
    db.execute("DELETE FROM dated_blocks WHERE number > ?", (number,))
    if (last := final(db)) and last.number > number:
        db.executemany("DELETE FROM numbers WHERE name = ?", ((name,) for name in _FINAL))
