"""Ranges of blocks that are read again later, because an endpoint may have a block before its logs.

Time counts, not blocks: an index that lags by a minute lags by hundreds of blocks on a fast chain.
"""

from typing import Final, NamedTuple

from sayso_node.store.interface import Reading, Writing

PASSES_S: Final = (120.0, 600.0)  # after the first reading; an index that lags longer raises no hope

_PATROL: Final = "patrol"  # the name of the next block that is read again


class LateRange(NamedTuple):
    """Blocks to read again: the first and the last, and how many passes over them are done."""

    first: int
    last: int
    passes: int


def note(db: Writing, first: int, last: int, now: float) -> None:
    """Note a range that was read for the first time now, in the transaction that stores its events."""
    db.execute(
        "INSERT INTO late_ranges VALUES (?, ?, ?, 0) ON CONFLICT (last) DO UPDATE"
        " SET first = excluded.first, read_at = excluded.read_at, passes = 0",
        (last, first, now),
    )


def due(db: Reading, now: float) -> LateRange | None:
    """Return the blocks that are due for a pass, joined to one range; None without any."""
    for passes, after_s in enumerate(PASSES_S):
        first, last = db.execute(
            "SELECT min(first), max(last) FROM late_ranges WHERE passes = ? AND read_at <= ?",
            (passes, now - after_s),
        ).fetchone()
        if first is not None:
            return LateRange(first, last, passes)
    return None


def passed(db: Writing, done: LateRange) -> None:
    """Record that a range was read again, in the transaction that stores what was found."""
    db.execute(
        "UPDATE late_ranges SET passes = passes + 1 WHERE passes = ? AND last <= ?",
        (done.passes, done.last),
    )
    db.execute("DELETE FROM late_ranges WHERE passes >= ?", (len(PASSES_S),))


def patrol_from(db: Reading, first: int) -> int:
    """Return the first block that is to be read again of all that were ever read, not below `first`."""
    row = db.execute("SELECT value FROM numbers WHERE name = ?", (_PATROL,)).fetchone()
    return max(int(row[0]), first) if row else first


def patrolled(db: Writing, after: int) -> None:
    """Store the block with which the next patrol begins."""
    db.execute(
        "INSERT INTO numbers VALUES (?, ?) ON CONFLICT (name) DO UPDATE SET value = excluded.value",
        (_PATROL, after),
    )


def rewound(db: Writing, number: int) -> None:
    """Forget blocks above `number`, which are read anew."""
    db.execute("DELETE FROM late_ranges WHERE first > ?", (number,))
    db.execute("UPDATE late_ranges SET last = ? WHERE last > ?", (number, number))
