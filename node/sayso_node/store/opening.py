"""Opens stores; the backend follows from the location: a path for SQLite, or `postgresql://...`."""

import os
from collections.abc import Sequence
from contextlib import AbstractContextManager
from importlib import import_module
from pathlib import Path
from types import ModuleType

from sayso_node.errors import StoreUnusable
from sayso_node.interfaces import Randomness
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.interface import Reading, Store
from sayso_node.store.moving.contents import Filling, Table
from sayso_node.store.sqlite import engine, moving

_FILE = "store.sqlite"


def location_in(folder: Path, stated: str = "") -> str:
    """Return the location of the store that a node's settings state, or of the one in its folder."""
    return stated or str(folder / _FILE)


def is_empty(location: str | Path) -> bool:
    """Return whether there is no store yet, or only an empty file; raises StoreUnusable."""
    if is_postgres(location):
        return bool(_postgres().is_empty(str(location)))
    path = Path(location)
    return not path.exists() or not path.stat().st_size


def size_of(location: str | Path) -> int | None:
    """Return the bytes of a store's files, None for a database on a server; raises OSError."""
    if is_postgres(location):
        return None
    path = Path(location)
    beside = (path.with_name(path.name + end) for end in ("-wal", "-shm"))
    return path.stat().st_size + sum(one.stat().st_size for one in beside if one.exists())


def damage_of(location: str | Path) -> Damage:
    """Return what is noted beside a store about its damage."""
    return Damage(None if is_postgres(location) else Path(location))


def copy_store(location: str | Path, target: Path) -> None:
    """Copy one committed state of a store that may be in use into a new file; raises StoreUnusable."""
    if is_postgres(location):
        raise StoreUnusable("a store in PostgreSQL is backed up by its own tools, such as pg_dump")
    engine.copy(Path(location), target)


def store_at(location: str | Path, randomness: Randomness = os.urandom, *, joins: bool = False) -> Store:
    """Return a store that is not started yet.

    Args:
        location: Its location.
        randomness: Draws the id of a new one.
        joins: The process is beside a node: it creates and migrates nothing. A file allows none.

    Raises StoreUnusable.
    """
    if is_postgres(location):
        store: Store = _postgres().PostgresEngine(str(location), randomness, joins=joins)
        return store
    if joins:
        raise StoreUnusable("several processes of a node need a store in PostgreSQL")
    return engine.Engine(Path(location), randomness)


def snapshot_at(location: str | Path, *, old: bool = False) -> AbstractContextManager[Reading]:
    """Open one committed state of a store that another process may use.

    Args:
        location: Where the store is.
        old: Whether an older release may have written it: only what all of them have is read then.

    Raises StoreTooNew, StoreTooOld and StoreUnusable.
    """
    if is_postgres(location):
        opened: AbstractContextManager[Reading] = _postgres().snapshot(str(location), old=old)
        return opened
    return engine.snapshot(Path(location), old=old)


def filling(location: str | Path, owner: str) -> Filling:
    """Make a store in place of none, or of one that its owner has moved away.

    Raises StoreUnusable, and WrongStore where anything else is.
    """
    if is_postgres(location):
        made: Filling = _postgres("moving").filling(str(location), owner)
        return made
    return moving.filling(Path(location), owner)


def tables() -> Sequence[Table]:
    """Return the tables of every backend."""
    return moving.tables()


def is_postgres(location: str | Path) -> bool:
    """Return whether a location is that of a PostgreSQL database."""
    return str(location).startswith(("postgresql://", "postgres://"))


def _postgres(module: str = "engine") -> ModuleType:
    """Import a module of the backend, which needs psycopg; raises StoreUnusable without it."""
    try:
        return import_module(f"sayso_node.store.postgres.{module}")
    except ImportError as error:
        raise StoreUnusable(
            "a store in PostgreSQL needs psycopg: pip install 'sayso[postgres]'"
        ) from error
