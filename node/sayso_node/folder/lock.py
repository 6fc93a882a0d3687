"""A node's folder while a node runs in it: one process, and the store that belongs to its identity.

    with NodeFolder(path).held(): ...

A lock of the kernel (flock) keeps a second process out, also one in another container or network
namespace; it ends with the process that has it, however that ends. A note beside the identity says that
it was used: a store that is gone is then never replaced by an empty one, because a node that forgot what
it acknowledged could be convicted by its own answers (rule 9.7).
"""

import contextlib
import fcntl
import os
from pathlib import Path
from typing import Final

from sayso_node.errors import (
    FolderInUse,
    InvalidNodeConfig,
    StoreMissing,
    StoreMoved,
    StoreUnusable,
    WrongStore,
)
from sayso_node.folder.files import read_small
from sayso_node.store import singles
from sayso_node.store.interface import Reading, Store
from sayso_node.store.moving import marks
from sayso_node.store.opening import is_empty, snapshot_at
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text
from sayso_protocol.redaction import reason_of

LOCK_FILE: Final = "node.lock"
USED_FILE: Final = "identity.used"
_USED: Final = "This identity has a store. Back up both together: sayso node backup\n"
_RUN: Final = "The last run: "


class NodeFolder:
    """The folder of a node that starts."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._lock: int | None = None

    def lock(self) -> None:
        """Keep other processes out until release(); raises FolderInUse or InvalidNodeConfig."""
        path = self._path / LOCK_FILE
        try:
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600)
        except OSError as error:
            raise InvalidNodeConfig(
                f"cannot lock the folder {self._path}: {reason_of(error)}"
            ) from error
        try:
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            other = os.read(descriptor, 32).decode(errors="replace").strip()
            os.close(descriptor)
            who = f"process {other}" if other.isdecimal() else "another process"
            raise FolderInUse(f"{who} uses the folder {self._path}") from error
        self._lock = descriptor
        with contextlib.suppress(OSError):  # who has it is for people only
            os.ftruncate(descriptor, 0)
            os.pwrite(descriptor, f"{os.getpid()}\n".encode(), 0)

    def release(self) -> None:
        """Let other processes in; without a lock, do nothing."""
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    def check_store(self, store: Store, network: Network, node_key: bytes) -> None:
        """Keep other nodes out of a store; refuse an empty one under a used identity, and another's.

        Raises StoreMissing, StoreMoved and WrongStore. The store's start reports what else is wrong.
        """
        store.hold()
        if is_empty(store.location):
            if (self._path / USED_FILE).exists():
                text = f"the identity in {self._path} was used"
                raise StoreMissing(f"{text}, and its store {store.name} is missing or empty")
            return
        try:
            with snapshot_at(store.location, old=True) as db:
                _check(db, store.name, owner_of(network, node_key))
        except (StoreMoved, WrongStore):
            raise
        except StoreUnusable:
            return

    async def claim(
        self, store: Store, network: Network, node_key: bytes, *, joins: bool = False
    ) -> None:
        """Record whose a store is, and that the identity was used.

        A process that joins a node finds the store claimed. Raises WrongStore for a store of another
        node or network, StoreMoved for one that was moved away, and InvalidNodeConfig.
        """
        owner = owner_of(network, node_key)
        with store.read() as db:
            _check(db, store.name, owner)
            is_new = owner_in(db) is None
        if is_new and joins:
            raise WrongStore(f"the store {store.name} is no node's yet: start the node first")
        if is_new:
            await store.write(lambda db: singles.put(db, singles.OWNER, owner.encode()))
        if not (self._path / USED_FILE).exists():
            self.note_run(b"")

    def noted_run(self) -> bytes:
        """Return the last run that was noted; empty if none was, or the note cannot be read."""
        with contextlib.suppress(OSError, ValueError):
            return bytes.fromhex(read_small(self._path / USED_FILE).text.rpartition(_RUN)[2])
        return b""

    def note_run(self, run: bytes) -> None:
        """Note that the identity was used, and in which run last; raises InvalidNodeConfig."""
        used = self._path / USED_FILE
        part = used.with_name(USED_FILE + ".part")
        try:
            part.write_text(f"{_USED}{_RUN}{run.hex()}\n")
            part.replace(used)
        except OSError as error:
            raise InvalidNodeConfig(f"cannot write {used}: {reason_of(error)}") from error


def _check(db: Reading, name: str, owner: str) -> None:
    """Refuse the store of another owner, or one that was moved away; raises WrongStore or StoreMoved."""
    kept = owner_in(db)
    if kept not in (None, owner):
        raise WrongStore(f"the store {name} is that of {kept}, and this node is {owner}")
    marks.check_startable(db, name)


def owner_of(network: Network, node_key: bytes) -> str:
    """Return the name of a node in a network, as a store keeps it."""
    place = f"chain {network.chain_id}, registry {address_text(network.registry)}"
    return f"node {node_key.hex()} on {place}"


def owner_in(db: Reading) -> str | None:
    """Return whose a store is; None for a store that no node has claimed yet."""
    kept = singles.get(db, singles.OWNER)
    return None if kept is None else kept.decode(errors="replace")
