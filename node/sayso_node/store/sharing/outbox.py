"""The outbox: messages that a process took in and that the node has still to send to its peers.

A row is written in the transaction that stores its message, and deleted after the message was passed on.
So a message is sent at least once, whichever process is killed. Only a store on a server has an outbox
(postgres/session.py); in a file, the process that takes a message in sends it.
"""

from collections.abc import Iterable, Sequence
from typing import Final, NamedTuple

from sayso_node.store import many, messages, queries
from sayso_node.store.interface import Reading, Writing

AT_ONCE: Final = 256  # messages in one reading
OUTBOX_ROOM: Final = 65_536  # rows, above which messages that are not urgent are refused


class Unsent(NamedTuple):
    """The first messages of the outbox: all their digests, and the bytes of those that still exist."""

    digests: list[bytes]
    bodies: list[bytes]


def put(db: Writing, digests: Iterable[tuple[bytes, bool]], now: float) -> None:
    """Add stored messages: the digest of each, and whether it is urgent."""
    rows = ((digest, int(urgent), now) for digest, urgent in digests)
    many.insert(db, "INTO store_outbox (digest, urgent, at)", rows, "ON CONFLICT DO NOTHING")


def first(db: Reading) -> Unsent:
    """Return the messages whose turn it is: urgent ones first, then the oldest."""
    query = "SELECT digest FROM store_outbox ORDER BY urgent DESC, at LIMIT ?"
    digests = [digest for (digest,) in db.execute(query, (AT_ONCE,))]
    bodies = messages.bodies_of(db, digests)
    found = ((one, bodies.get(one)) for one in digests)
    return Unsent(digests, [body for one, kept in found if (body := _body(db, one, kept))])


def _body(db: Reading, digest: bytes, kept: bytes | None) -> bytes:
    """Return the bytes of a message, which may be pending; empty if it was erased or dropped."""
    if kept is not None:
        return kept
    held = queries.revocation(db, digest)
    return held.body if held else b""


def drop(db: Writing, digests: Sequence[bytes]) -> None:
    """Delete messages that were sent."""
    db.executemany("DELETE FROM store_outbox WHERE digest = ?", ((one,) for one in digests))


def has_room(db: Reading) -> bool:
    """Return whether messages that are not urgent may be added."""
    query = "SELECT 1 FROM store_outbox ORDER BY urgent DESC, at LIMIT 1 OFFSET ?"
    return db.execute(query, (OUTBOX_ROOM,)).fetchone() is None
