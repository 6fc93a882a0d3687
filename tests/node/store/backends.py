"""The backends that the store suite runs against: a new one is a class here and an entry of BACKENDS.

What only one of them promises has a file of its own: test_sqlite_*.py.
"""

import atexit
import sqlite3
from collections import deque
from contextlib import ExitStack, closing
from functools import cache
from pathlib import Path
from typing import Any, Protocol

import psycopg

from sayso_node.store.interface import Writing
from sayso_node.store.opening import store_at
from sayso_node.store.postgres.connection import Handle, connect
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.tables.schema import SCHEMA
from support.postgres import Server, postgres

AT_ONCE = 8  # tables that a test and what it calls may use


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


class Postgres:
    """Schemas of a server that the first test starts, and the end of the tests stops."""

    def __init__(self) -> None:
        self._used = deque[psycopg.Connection[Any]]()
        self._places = dict[Path, str]()  # the schemas, by folder

    def location(self, folder: Path) -> str:
        if folder not in self._places:
            self._places[folder] = server().schema()
        return self._places[folder]

    def check(self, location: str) -> None:
        with closing(psycopg.connect(location)) as db:
            db.execute("CREATE EXTENSION IF NOT EXISTS amcheck SCHEMA pg_catalog")
            # Of this store alone: open transactions of other tests may lock indexes of theirs.
            damaged = (
                "SELECT bt_index_check(i.indexrelid, true) FROM pg_index i"
                " JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am am ON am.oid = c.relam"
                " WHERE am.amname = 'btree' AND c.relnamespace = current_schema()::regnamespace"
            )
            assert db.execute(damaged).fetchall()

    def tables(self) -> Writing:
        """Nothing is committed, so the tables that were given longest ago are made empty again."""
        db = self._used.popleft() if len(self._used) == AT_ONCE else self._new()
        db.rollback()
        db.execute(  # sequences do not roll back
            "SELECT setval(c.oid, 1, false) FROM pg_class c"
            " WHERE c.relkind = 'S' AND c.relnamespace = current_schema()::regnamespace"
        )
        self._used.append(db)
        return Handle(db)

    def _new(self) -> psycopg.Connection[Any]:
        location = server().schema()
        store = store_at(location)
        store.start()
        store.stop()
        db = connect(location, name="test")
        db.execute("DELETE FROM singles")  # drawn by the start
        db.commit()
        return db


@cache
def server() -> Server:
    """The server of this process."""
    running = ExitStack()
    atexit.register(running.close)
    return running.enter_context(postgres())


BACKENDS: dict[str, Backend] = {"sqlite": Sqlite(), "postgres": Postgres()}
