"""Digests that an address endorsed by a transaction to the registry (rules 10.4.8 and 10.4.9).

An endorsement is a contract wallet's signature under a statement: it counts once its block is final. The
first event counts; a reorganisation that drops its block deletes it.
"""

from sayso_node.store.interface import Reading, Writing


def add(db: Writing, signer: bytes, digest: bytes, number: int) -> bool:
    """Store an endorsement seen in the block at this height; returns whether it is new."""
    row = (signer, digest, number)
    cursor = db.execute("INSERT INTO endorsements VALUES (?, ?, ?) ON CONFLICT DO NOTHING", row)
    return cursor.rowcount > 0


def endorsed_in(db: Reading, signer: bytes, digest: bytes) -> int | None:
    """Return the height of the followed block in which an address endorsed a digest, or None."""
    query = "SELECT block_number FROM endorsements WHERE signer = ? AND digest = ?"
    row = db.execute(query, (signer, digest)).fetchone()
    return row[0] if row else None


def is_endorsed(db: Reading, signer: bytes, digest: bytes, last_final: int) -> bool:
    """Return whether an address endorsed a digest in a block up to this height, which is final."""
    number = endorsed_in(db, signer, digest)
    return number is not None and number <= last_final


def rewound(db: Writing, number: int) -> None:
    """Delete the endorsements of blocks above a height, after a reorganisation."""
    db.execute("DELETE FROM endorsements WHERE block_number > ?", (number,))
