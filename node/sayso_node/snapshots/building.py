"""Makes the body of a snapshot or a delta, in a process of its own: nobody waits for it.

    python -m sayso_node.snapshots.building STORE FOLDER [--after]

It reads the store at the location STORE in one transaction and leaves in FOLDER the `body`, and the keys
of the whole state in `keys.next`. A delta (`--after`) has those that are not in `keys`, where they are
put once they are published: what was made in vain is in the next one. On standard output it says in
JSON what the head of the file needs. It cannot sign: it is never given the node's key.
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
_NICE = 10  # answers come first


@dataclass(frozen=True)
class Made:
    """What was made, but for the body itself.

    Attributes:
        state: Digest of the revocation state (rule 9.3), in hexadecimal digits.
        salt: Of the body, likewise.
        counts: As in the head.
        shape: Of a snapshot's filter; None of a delta.
    """

    state: str
    salt: str
    counts: Counts
    shape: Shape | None

    @classmethod
    def parse(cls, text: bytes) -> Self:
        """Read what the process said."""
        said = json.loads(text)
        shape = Shape(**said["shape"]) if said["shape"] else None
        return cls(said["state"], said["salt"], Counts(**said["counts"]), shape)


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
    """Drawn only now that the keys are fixed (rule 13.4)."""
    while True:
        yield os.urandom(SALT_BYTES)


def _read_keys(path: Path) -> Keys:
    return np.fromfile(path, np.uint8).reshape(-1, HASH_BYTES)


def main() -> None:
    """The process."""
    os.nice(_NICE)
    store, folder, *others = sys.argv[1:]
    made = make(store, Path(folder), after=others == ["--after"])
    sys.stdout.write(json.dumps(asdict(made) if made else None))


if __name__ == "__main__":
    main()
