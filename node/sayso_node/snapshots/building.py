"""Builds the body of a snapshot or a delta, in a process of its own so that the node is not delayed.

    python -m sayso_node.snapshots.building STORE FOLDER [--after]

It reads the store at the location STORE in one transaction. It writes to FOLDER the `body`, and the keys
of the whole state as `keys.next`. A delta (`--after`) has those keys that are not in the file `keys`, to
which the node renames `keys.next` after publishing; so a body that was not published is part of the next
one. It prints the fields for the file's head as JSON. It never has the node's key and cannot sign.
"""

import json
import os
import sys
from collections.abc import Iterator
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Self

import numpy as np

from sayso_node.store import bits, revoked
from sayso_node.store.admission import pending
from sayso_node.store.opening import snapshot_at
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.snapshots.fuse_filter import CELL, SALT_BYTES, Keys, Shape, built
from sayso_protocol.snapshots.head import Counts
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.keys import joined_keys, new_keys

BODY, KEYS, NEXT_KEYS = "body", "keys", "keys.next"
_NICE = 10  # answering requests has priority


@dataclass(frozen=True)
class Made:
    """The result besides the body.

    Attributes:
        state: State digest (rule 9.3), in hexadecimal digits.
        salt: Salt of the body, in hexadecimal digits.
        counts: Counts for the head.
        shape: Shape of a snapshot's filter; None for a delta.
    """

    state: str
    salt: str
    counts: Counts
    shape: Shape | None

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read the output of the process."""
        fields = json.loads(text)
        shape = Shape(**fields["shape"]) if fields["shape"] else None
        return cls(fields["state"], fields["salt"], Counts(**fields["counts"]), shape)


def make(store: str, folder: Path, *, after: bool) -> Made | None:
    """Write `body` and `keys.next` into the folder; None when the store has lost marks (rule 13.3)."""
    with snapshot_at(store) as db:
        if pending.has_lost(db):
            return None
        state = bits.current_digest(db)
        doubted = revoked.doubted(db)
        keys = joined_keys(revoked.entries(db), doubted)
        addresses = bits.speakers(db)
    known = _read_keys(folder / KEYS) if after else keys[:0]
    news = new_keys(keys, known) if after else keys
    salt, body, shape = _body(news, after=after)
    (folder / BODY).write_bytes(body)
    keys.tofile(folder / NEXT_KEYS)
    return Made(state.hex(), salt.hex(), Counts(len(news), addresses, len(doubted)), shape)


def _body(keys: Keys, *, after: bool) -> tuple[bytes, bytes, Shape | None]:
    if after:
        salt = os.urandom(SALT_BYTES)
        return salt, list_of(salt, keys).packed(), None
    made = built(keys, _salts())
    return made.salt, made.cells.astype(CELL).tobytes(), made.shape


def _salts() -> Iterator[bytes]:
    """Draw salts, only after the keys are fixed (rule 13.4)."""
    while True:
        yield os.urandom(SALT_BYTES)


def _read_keys(path: Path) -> Keys:
    return np.fromfile(path, np.uint8).reshape(-1, HASH_BYTES)


def main() -> None:
    """Run the process."""
    os.nice(_NICE)
    store, folder, *others = sys.argv[1:]
    made = make(store, Path(folder), after=others == ["--after"])
    sys.stdout.write(json.dumps(asdict(made) if made else None))


if __name__ == "__main__":
    main()
