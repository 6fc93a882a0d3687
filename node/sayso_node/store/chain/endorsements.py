"""Endorsements that were read from the chain: `Endorsed(sender, digest)` of the registry (rule 4.8).

The registry never takes one back, but a fork can. So an endorsement counts once its block is final, and
is then never looked up again.
"""

from collections.abc import Iterable
from typing import NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing


class Endorsement(NamedTuple):
    """Who endorsed which digest, and in which block."""

    sender: bytes
    digest: bytes
    block_number: int


def add(db: Writing, seen: Iterable[Endorsement]) -> None:
    """Store endorsements of blocks that may not be final yet."""
    rows = ((*one, 0) for one in seen)
    many.insert(db, "INTO endorsements", rows, "ON CONFLICT DO NOTHING")


def rewind(db: Writing, number: int) -> None:
    """Forget endorsements of blocks above `number`, which a fork replaced."""
    db.execute("DELETE FROM endorsements WHERE block_number > ? AND is_final = 0", (number,))


def settle(db: Writing, number: int) -> list[tuple[bytes, bytes]]:
    """Make the endorsements up to a final block count; returns sender and digest of each new one."""
    rows = db.execute(
        "UPDATE endorsements SET is_final = 1 WHERE is_final = 0 AND block_number <= ?"
        " RETURNING sender, digest",
        (number,),
    )
    return [(sender, digest) for sender, digest in rows]


def is_endorsed(db: Reading, sender: bytes, digest: bytes) -> bool:
    """Return whether an address endorsed a digest in a final block."""
    query = "SELECT 1 FROM endorsements WHERE sender = ? AND digest = ? AND is_final = 1"
    return db.execute(query, (sender, digest)).fetchone() is not None
