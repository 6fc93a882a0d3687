"""What became revoked, in the order in which this store learnt it; `seq` is a listener's cursor.

A cursor is good for one store only: who resumes compares the store's id first.
"""

from typing import NamedTuple

from sayso_node.store.interface import Reading, Writing
from sayso_protocol.primitives import HASH_BYTES

STORE_ID_BYTES = 16
STORE_ID = "store-id"


class Event(NamedTuple):
    """Bits of one word that were new.

    Attributes:
        address: Whose bits, 20 bytes.
        word: The word's number.
        mask: The bits that were new.
        source: `signed` or `chain`.
        digest: The revocation that brought them, 32 bytes; None from the chain.
        time: When, seconds since the epoch.
        seq: Its place, from 1, ascending, never given twice; 0 before it is kept.
    """

    address: bytes
    word: int
    mask: int
    source: str
    digest: bytes | None
    time: float
    seq: int = 0


def add(db: Writing, event: Event) -> None:
    """Keep an event, in the transaction that sets its bits."""
    word, mask = event.word.to_bytes(HASH_BYTES), event.mask.to_bytes(HASH_BYTES)
    db.execute(
        "INSERT INTO events (address, word, mask, source, digest, time) VALUES (?, ?, ?, ?, ?, ?)",
        (event.address, word, mask, event.source, event.digest, event.time),
    )


def events_after(db: Reading, seq: int, limit: int) -> list[Event]:
    """The events after a cursor, oldest first, at most `limit`."""
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
    """Whose bits have changed after a cursor, each once."""
    rows = db.execute("SELECT DISTINCT address FROM events WHERE seq > ?", (seq,))
    return [address for (address,) in rows]


def last_seq(db: Reading) -> int:
    """The newest event's cursor, 0 before the first."""
    row = db.execute("SELECT max(seq) FROM events").fetchone()
    newest: int = row[0] or 0
    return newest


def store_id(db: Reading) -> bytes:
    """16 random bytes, drawn when the store was made."""
    row = db.execute("SELECT value FROM singles WHERE name = ?", (STORE_ID,)).fetchone()
    drawn: bytes = row[0]
    return drawn
