"""Which backend a store has is decided here, by its location: that of SQLite is the path of a file."""

import os
from contextlib import AbstractContextManager
from pathlib import Path

from sayso_node.interfaces import Randomness
from sayso_node.store.interface import Reading, Store
from sayso_node.store.sqlite import engine

_FILE = "store.sqlite"


def location_in(folder: Path) -> str:
    """Where the node of this folder has its store."""
    return str(folder / _FILE)


def store_at(location: str | Path, randomness: Randomness = os.urandom) -> Store:
    """A store, not started yet; `randomness` draws the id of a new one."""
    return engine.Engine(Path(location), randomness)


def snapshot_at(location: str | Path) -> AbstractContextManager[Reading]:
    """One committed state of a store that another process has open; raises StoreUnusable."""
    return engine.snapshot(Path(location))
