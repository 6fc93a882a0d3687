"""Builds the body of a snapshot or a delta, in a process of its own so that the node is not delayed.

It reads an Order from standard input, reads the store in one transaction, writes the body to a file, and
prints a Made as JSON. A delta has what is newer than the cursor of the part before it. If that is much,
or the store is another, a snapshot is made instead. The process never has the node's key, so it cannot
sign.
"""

import os
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import msgspec

from sayso_node.errors import StoreDamaged
from sayso_node.store.interface import Reading
from sayso_node.store.opening import snapshot_at
from sayso_node.store.revocations import bits
from sayso_node.store.snapshots import news, whole
from sayso_node.store.snapshots.news import Cursor
from sayso_node.store.snapshots.statement_keys import all_displaced, all_disputed, heeded_surely
from sayso_protocol.network import Network
from sayso_protocol.snapshots.fuse_filter import CELL, SALT_BYTES, Shape, built
from sayso_protocol.snapshots.head import Counts
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.keys import as_keys, sorted_keys
from sayso_protocol.snapshots.snapshot import packed_lists

DAMAGED = 3  # exit status: the store is not what was stored
_NICE = 10  # answering requests has priority


@dataclass(frozen=True)
class After:
    """The part that a delta follows.

    Attributes:
        cursor: What the part and those before it contain.
        salt: The salt of their snapshot, for the names.
        heeded: Whom the part before says that this node heeds.
        most: A delta of more rows becomes a snapshot.
    """

    cursor: Cursor
    salt: bytes
    heeded: tuple[bytes, ...]
    most: int


@dataclass(frozen=True)
class Order:
    """What to build.

    Attributes:
        store: Location of the store.
        body: Path of the file for the body.
        network: The network of the stored messages.
        confirmed: Licenses that arrived before are named; seconds since the epoch (rule 13.3.5).
        heeded: The addresses whose disputes count here.
        after: None for a snapshot.
    """

    store: str
    body: str
    network: Network
    confirmed: float
    heeded: tuple[bytes, ...]
    after: After | None


@dataclass(frozen=True)
class Made:
    """The result besides the body.

    Attributes:
        state: State digest (rule 9.3), 32 bytes.
        salt: Salt of the body, 16 bytes.
        counts: Counts for the head.
        heeded: Whom the head says that this node heeds, ascending.
        shape: Shape of a snapshot's filter; None for a delta.
        cursor: What this part and those before it contain.
    """

    state: bytes
    salt: bytes
    counts: Counts
    heeded: tuple[bytes, ...]
    shape: Shape | None
    cursor: Cursor


def make(order: Order) -> Made:
    """Write the body and return what its head needs; raises StoreUnusable and OSError."""
    with snapshot_at(order.store) as db:
        here, state = news.position(db, order.confirmed), bits.current_digest(db)
        after = order.after
        if after and here.follows(after.cursor) and here.distance(after.cursor) <= after.most:
            # Nobody comes back into a file (rule 13.8.6).
            heeded = heeded_surely(db, [one for one in after.heeded if one in order.heeded])
            salt, counts, body = _delta(db, after, order, heeded)
            shape = None
        else:
            heeded = heeded_surely(db, order.heeded)
            salt, counts, body, shape = _snapshot(db, order, heeded)
    Path(order.body).write_bytes(body)
    return Made(state, salt, counts, heeded, shape, here)


def _snapshot(
    db: Reading, order: Order, heeded: tuple[bytes, ...]
) -> tuple[bytes, Counts, bytes, Shape]:
    joined, crowded = whole.read_keys(db)
    joined += b"".join(all_displaced(db))
    joined += b"".join(all_disputed(db, heeded, order.confirmed))
    keys = as_keys(joined)
    made = built(keys, _salts())
    counts, lists = packed_lists(made.salt, len(keys), whole.read_names(db, crowded, order.confirmed))
    return made.salt, counts, made.cells.astype(CELL).tobytes() + lists, made.shape


def _delta(
    db: Reading, after: After, order: Order, heeded: tuple[bytes, ...]
) -> tuple[bytes, Counts, bytes]:
    new = news.read_news(db, after.cursor, order.network, order.confirmed, heeded)
    keys, salt = sorted_keys(as_keys(new.joined)), next(_salts())
    counts, lists = packed_lists(after.salt, len(keys), new.named, new.withdrawn)
    return salt, counts, list_of(salt, keys).packed() + lists


def _salts() -> Iterator[bytes]:
    """Draw salts, only after the keys are fixed (rule 13.4)."""
    while True:
        yield os.urandom(SALT_BYTES)


def main() -> None:
    """Run the process."""
    os.nice(_NICE)
    order = msgspec.json.decode(sys.stdin.buffer.read(), type=Order)
    try:
        made = make(order)
    except StoreDamaged:
        sys.exit(DAMAGED)
    sys.stdout.buffer.write(msgspec.json.encode(made))


if __name__ == "__main__":
    main()
