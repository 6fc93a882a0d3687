"""How much waits in the store, counted up to a limit, so that the count costs as little as it says."""

from typing import Final

from sayso_node.store.interface import Reading

MOST_COUNTED: Final = 10_000
_QUEUES: Final = {
    "anchors": "anchor_queue",
    "batches": "missing_batches",
    "relays": "relay_wants WHERE done = 0",
    "transactions": "intents WHERE state = 'open'",
    "receipts": "receipt_blocks WHERE header IS NULL",
    "pending": "pending",
    "statements": "waiting",
}
QUEUES: Final = tuple(_QUEUES)


def lengths(db: Reading) -> dict[str, int]:
    """Return the length of each queue in rows, at most MOST_COUNTED."""
    return {
        name: db.execute(
            f"SELECT count(*) FROM (SELECT 1 FROM {table} LIMIT ?) AS counted",  # noqa: S608 - our tables
            (MOST_COUNTED,),
        ).fetchone()[0]
        for name, table in _QUEUES.items()
    }
