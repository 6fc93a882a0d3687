"""Events: bits that became revoked, statements, and their withdrawals, in the order of this store.

An event's `seq` is a cursor that is valid for one store only: a listener that resumes compares the
store's id first.
"""

from collections.abc import Iterable, Sequence
from heapq import nsmallest
from typing import Any, NamedTuple

from sayso_node.store import many
from sayso_node.store.interface import Reading, Writing
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.primitives import HASH_BYTES

STORE_ID_BYTES = 16
STORE_ID = "store-id"


class Event(NamedTuple):
    """New bits of one word, or a statement that is newly kept, withdrawn or extended.

    Attributes:
        address: The address whose bits they are, or the signer of the statement, 20 bytes.
        word: Number of the word; 0 for a statement.
        mask: The new bits; 0 for a statement.
        source: `signed` or `chain`.
        digest: Digest of the revocation, or of the statement, 32 bytes; None for bits from the chain.
        time: Seconds since the epoch.
        kind: The kind of message that the event is about.
        is_withdrawn: Whether it is the withdrawal of the statement.
        seq: Position, ascending from 1 and never reused; 0 before the event is stored.
    """

    address: bytes
    word: int
    mask: int
    source: str
    digest: bytes | None
    time: float
    kind: int = REVOCATION
    is_withdrawn: bool = False
    seq: int = 0


_COLUMNS = "address, word, mask, source, digest, time, kind, withdrawn, seq"


def add_many(db: Writing, first: int, some: Iterable[Event]) -> None:
    """Store events from a free `seq` on, in the transaction that makes them true."""
    rows = (
        (
            event.address,
            event.word.to_bytes(HASH_BYTES),
            event.mask.to_bytes(HASH_BYTES),
            *event[3:7],
            int(event.is_withdrawn),
            seq,
        )
        for seq, event in enumerate(some, first)
    )
    many.insert(db, f"INTO events ({_COLUMNS})", rows)


def events_after(db: Reading, seq: int, limit: int) -> list[Event]:
    """Return at most `limit` events after a cursor, oldest first."""
    query = f"SELECT {_COLUMNS} FROM events WHERE seq > ? ORDER BY seq LIMIT ?"  # noqa: S608 - our own names
    return _events(db.execute(query, (seq, limit)))


def events_of(db: Reading, parties: Iterable[tuple[int, bytes]], seq: int, limit: int) -> list[Event]:
    """Return at most `limit` events after a cursor that concern one of some parties, oldest first.

    The cost is that of a look-up for each party, and of what it finds: not of other events.
    """
    query = (
        "SELECT seq FROM event_parties WHERE role = ? AND address = ? AND seq > ? ORDER BY seq LIMIT ?"
    )
    found = {
        number for party in parties for (number,) in db.execute(query, (*party, seq, limit)).fetchall()
    }
    query = f"SELECT {_COLUMNS} FROM events WHERE seq IN"  # noqa: S608 - our own names
    rows = many.among(db, query, nsmallest(limit, found))
    return sorted(_events(rows), key=lambda event: event.seq)


def _events(rows: Iterable[Sequence[Any]]) -> list[Event]:
    return [
        Event(
            who, int.from_bytes(word), int.from_bytes(mask), source, digest, time, kind, bool(gone), seq
        )
        for who, word, mask, source, digest, time, kind, gone, seq in rows
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
