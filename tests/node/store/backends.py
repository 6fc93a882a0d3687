"""The backends that the store suite runs against: a new one is a class here and an entry of BACKENDS.

What only one of them promises has a file of its own: test_sqlite_*.py.
"""

import sqlite3
from contextlib import closing
from pathlib import Path
from typing import Protocol

from sayso_node.store.interface import Writing
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.sqlite.schema import SCHEMA


class Backend(Protocol):
    """What the suite needs of a backend."""

    def location(self, folder: Path) -> str:
        """Where a new store may be made for a test that has this folder."""
        ...

    def check(self, location: str) -> None:
        """Fail if a store that nobody has open is damaged."""
        ...

    def tables(self) -> Writing:
        """The tables of an empty store, for one test and what it calls."""
        ...


class Sqlite:
    """A file, or tables in memory."""

    def location(self, folder: Path) -> str:
        return str(folder / "store.sqlite")

    def check(self, location: str) -> None:
        with closing(sqlite3.connect(location)) as db:
            assert db.execute("PRAGMA integrity_check").fetchall() == [("ok",)]

    def tables(self) -> Writing:
        db = sqlite3.connect(":memory:", isolation_level=None, factory=SqliteConnection)
        db.executescript(SCHEMA)
        return db


BACKENDS: dict[str, Backend] = {"sqlite": Sqlite()}
