"""Moves a node's store to another place: from the file in its folder to a database, or back.

The node is stopped. Everything is copied and compared before anything changes; then the old store is
marked as moved away, and node.toml names the new one (store/moving/marks.py).
"""

import asyncio
from pathlib import Path
from typing import Final, NamedTuple

from sayso_node.errors import InvalidNodeConfig, StoreDamaged, StoreMissing, StoreMoved, WrongStore
from sayso_node.folder.config import NodeConfig, load_config
from sayso_node.folder.lock import NodeFolder, owner_in, owner_of
from sayso_node.folder.settings import put_store
from sayso_node.interfaces import Randomness
from sayso_node.store.interface import Store
from sayso_node.store.moving import contents, marks
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import (
    damage_of,
    filling,
    is_empty,
    is_postgres,
    location_in,
    snapshot_at,
    store_at,
    tables,
)

_MOVE_BYTES: Final = 16


class Moved(NamedTuple):
    """What was moved: rows and digest of all tables, None if an earlier move was finished; to where."""

    rows: int | None
    digest: bytes | None
    name: str


def move_store(folder: Path, to: str, randomness: Randomness) -> Moved:
    """Move the store of a stopped node, and let its settings name the new place.

    Args:
        folder: The node's folder.
        to: `postgresql://...`, or empty for the file in the folder.
        randomness: Draws the name of the move.

    Raises InvalidNodeConfig, FolderInUse, StoreMissing, StoreMoved, StoreInUse, StoreDamaged, WrongStore
    and StoreUnusable. Before the old store is marked, nothing is changed; after that, the same call
    finishes the move.
    """
    config = load_config(folder)
    if to and not is_postgres(to):
        raise InvalidNodeConfig("a store is moved to postgresql://..., or to the file in the folder")
    source, target = config.store_location, location_in(folder, to)
    if source == target:
        raise InvalidNodeConfig("the store is there already")
    held = NodeFolder(folder)
    held.lock()
    try:
        mark = _mark_at(config)
        copied = None
        if mark is None or mark.stage is not Stage.MOVED:
            mark, copied = _leave(config, source, target, randomness)
        name = arrive(target, mark)
        put_store(folder, to)
    finally:
        held.release()
    rows, digest = copied or (None, None)
    return Moved(rows, digest, name)


def _mark_at(config: NodeConfig) -> Mark | None:
    """Return the mark of the node's store; raises StoreMissing, StoreDamaged and WrongStore."""
    location = config.store_location
    if is_empty(location):
        raise StoreMissing(f"there is no store to move in {config.folder}")
    if noted := damage_of(location).noted():
        raise StoreDamaged(f"a damaged store is not moved: {noted}")
    with snapshot_at(location, old=True) as db:
        mark, owner = marks.read(db), owner_in(db)
    if owner != _owner(config):
        raise WrongStore(f"the store of {config.folder} is that of {owner}")
    return mark


def _leave(
    config: NodeConfig, source: str, target: str, randomness: Randomness
) -> tuple[Mark, tuple[int, bytes]]:
    """Copy a store, and mark it as moved; returns the mark, and what was copied."""
    move = randomness(_MOVE_BYTES).hex()
    old, new = store_at(source), store_at(target)
    old.hold(alone=True)
    old.start()  # nobody else writes now, and its tables are those of this release
    try:
        with snapshot_at(source) as db, filling(target, _owner(config)) as made:
            marks.check_startable(db, old.name)
            sums = contents.copy(db, made, tables(), Mark(Stage.ARRIVING, move, old.name))
        mark = Mark(Stage.MOVED, move, new.name)
        leave(old, mark)
    finally:
        old.stop()
    return mark, (sum(one.rows for one in sums.values()), contents.digest_of(sums))


def leave(store: Store, mark: Mark) -> None:
    """Mark a store as moved; from now on only the new one starts."""
    asyncio.run(store.write(lambda db: marks.put(db, mark)))


def arrive(target: str, mark: Mark) -> str:
    """Let the new store of a move start; returns its name. Raises StoreMoved if it is another's."""
    if is_empty(target):
        raise StoreMoved(f"the store was moved to {mark.other}, and there is none here")
    store = store_at(target)
    with snapshot_at(target, old=True) as db:
        found = marks.read(db)
    if found is None or found.move != mark.move or found.stage is Stage.MOVED:
        raise StoreMoved(f"the store was moved to {mark.other}, not to {store.name}")
    store.hold()
    store.start()
    try:
        arrived = Mark(Stage.ARRIVED, mark.move, found.other)
        asyncio.run(store.write(lambda db: marks.put(db, arrived)))
    finally:
        store.stop()
    return store.name


def _owner(config: NodeConfig) -> str:
    return owner_of(config.network_file.network, config.node_key)
