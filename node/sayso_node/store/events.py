"""Events: the bits that became revoked, in the order in which this store learnt them.

An event's `seq` is a cursor that is valid for one store only: a listener that resumes compares the
store's id first.
"""

from typing import NamedTuple

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import HASH_BYTES

STORE_ID_BYTES = 16
STORE_ID = "store-id"


class Event(NamedTuple):
    """New bits of one word.

    Attributes:
        address: The address whose bits they are, 20 bytes.
        word: Number of the word.
        mask: The new bits.
        source: `signed` or `chain`.
        digest: Digest of the revocation, 32 bytes; None for bits from the chain.
        time: Seconds since the epoch.
        seq: Position, ascending from 1 and never reused; 0 before the event is stored.
    """

    address: bytes
    word: int
    mask: int
    source: str
    digest: bytes | None
    time: float
    seq: int = 0


def add(db: Writing, event: Event) -> None:
    """Store an event, in the transaction that sets its bits."""
    word, mask = event.word.to_bytes(HASH_BYTES), event.mask.to_bytes(HASH_BYTES)
    db.execute(
        "INSERT INTO events (address, word, mask, source, digest, time) VALUES (?, ?, ?, ?, ?, ?)",
        (event.address, word, mask, event.source, event.digest, event.time),
    )


def events_after(db: Reading, seq: int, limit: int) -> list[Event]:
    """Return at most `limit` events after a cursor, oldest first."""
    rows = db.execute(
        "SELECT address, word, mask, source, digest, time, seq FROM events"
        " WHERE seq > ? ORDER BY seq LIMIT ?",
        (seq, limit),
    )
    return [
        Event(address, int.from_bytes(word), int.from_bytes(mask), *rest)
        for address, word, mask, *rest in rows
    ]


def addresses_after(db: Reading, seq: int) -> list[bytes]:
    """Return the addresses whose bits changed after a cursor, each once."""
    rows = db.execute("SELECT DISTINCT address FROM events WHERE seq > ?", (seq,))
    return [address for (address,) in rows]


def last_seq(db: Reading) -> int:
    """Return the newest event's cursor, 0 if there are no events."""
    row = db.execute("SELECT max(seq) FROM events").fetchone()
    newest: int = row[0] or 0
    return newest


def store_id(db: Reading) -> bytes:
    """Return the store's id: 16 random bytes, drawn when the store was created."""
    row = db.execute("SELECT value FROM singles WHERE name = ?", (STORE_ID,)).fetchone()
    drawn: bytes = row[0]
    return drawn
