"""The store in SQLite: one writer, group commit, readers that never wait.

The writer thread takes all changes that are waiting, runs each in a savepoint, commits once (WAL,
synchronous FULL: one flush to disk), and only then tells the callers. So whatever was answered is on
disk, and a flush is shared by all who wait for it.
"""

import asyncio
import contextlib
import os
import sqlite3
import threading
from collections.abc import Callable, Iterator
from concurrent.futures import Future
from functools import partial
from pathlib import Path
from typing import Any, TypeVar

from sayso_node.errors import StoreUnusable
from sayso_node.interfaces import Randomness
from sayso_node.store.admission.sponsors import LOT_KEY
from sayso_node.store.commits import Commits
from sayso_node.store.events import STORE_ID, STORE_ID_BYTES
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.sqlite.connection import (
    OpenDatabase,
    SqliteConnection,
    open_file,
    open_read_only,
    translated,
)
from sayso_node.store.sqlite.migrations import STEPS
from sayso_node.store.sqlite.schema import SCHEMA, VERSION
from sayso_node.store.writer import Change, Writer, WriterThread

WRITER_CACHE_KIB = 32_768  # room for what a large bundle changes; with less, pages are written twice

T = TypeVar("T")


class Engine:
    """A Store (store/interface.py) in one file.

    Args:
        path: The database.
        randomness: Draws the id of a new store.
        writer: Who commits.
        open_database: The disk: the engine sets what it needs on each connection.
    """

    def __init__(
        self,
        path: Path,
        randomness: Randomness = os.urandom,
        *,
        writer: Writer | None = None,
        open_database: OpenDatabase = open_file,
    ) -> None:
        self._path = path
        self._randomness = randomness
        self._writer = writer or WriterThread()
        self._open_database = open_database
        self._door = threading.Lock()  # no change is put once the writer was told to stop
        self._open = False
        self._death: Future[None] = Future()  # of the writer; never a result
        self._writing: SqliteConnection | None = None
        self._idle: list[SqliteConnection] = []
        self._commits = Commits()

    @property
    def location(self) -> str:
        """See Store."""
        return str(self._path)

    def start(self) -> None:
        """See Store."""
        db = self._connect()
        try:
            db.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._open = True
        self._writing = db
        self._writer.start(partial(self._commit, db), self._die)

    def stop(self) -> None:
        """See Store."""
        with self._door:
            self._open = False
        self._writer.stop()
        if self._writing:
            self._writing.close()
        while self._idle:
            self._idle.pop().close()

    async def write(self, apply: Callable[[Writing], T]) -> T:
        """See Store."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def done(value: Any, error: BaseException | None) -> None:
            # A loop that is already closed has nobody left who waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, value, error)

        with self._door:
            if not self._open:
                raise StoreUnusable(f"the store {self._path} is not open")
            self._writer.put(Change(apply, done))
        return await future

    async def watch(self) -> None:
        """See Store."""
        await asyncio.shield(asyncio.wrap_future(self._death))

    def _die(self, error: BaseException) -> None:
        with self._door:
            self._open = False
        failure = StoreUnusable("the store's writer has ended")
        failure.__cause__ = error
        self._death.set_exception(failure)

    @property
    def commits(self) -> int:
        """See Store."""
        return self._commits.count

    async def committed(self, seen: int) -> int:
        """See Store."""
        return await self._commits.after(seen)

    @contextlib.contextmanager
    def read(self) -> Iterator[Reading]:
        """See Store."""
        try:
            db = self._idle.pop()
        except IndexError:  # asked for by chance at once from two threads, too
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
        db.execute("BEGIN")
        try:
            yield db
        except sqlite3.Error as error:
            raise translated(error, "read") from error
        finally:
            db.execute("COMMIT")
            self._idle.append(db)

    def _connect(self) -> SqliteConnection:
        try:
            db = self._open_database(self._path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            # What is erased (rule 8.13) is overwritten, not left in unused pages.
            db.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot open the store {self._path}: {error}") from error
        return db

    def _prepare(self, db: SqliteConnection) -> None:
        """Make the tables of a new database, bring older ones up to date, refuse what is not ours."""
        try:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION};")
                for name in (STORE_ID, LOT_KEY):
                    drawn = self._randomness(STORE_ID_BYTES)
                    db.execute("INSERT INTO singles VALUES (?, ?)", (name, drawn))
                db.execute("COMMIT")
                version = VERSION
            while version in STEPS:  # each step stands or falls with its number
                db.executescript(f"BEGIN; {STEPS[version]} PRAGMA user_version = {version + 1}; COMMIT;")
                version += 1
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot make a store of {self._path}: {error}") from error
        if version != VERSION:
            raise StoreUnusable(
                f"{self._path} has version {version}, this release needs {VERSION}: move it away,"
                " and a new one is filled by sync"
            )

    def _commit(self, db: SqliteConnection, group: list[Change]) -> None:
        """One transaction; a change that raises is undone alone, a failed commit fails all."""
        results: list[tuple[Any, BaseException | None]] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [_apply(db, change) for change in group]
            db.execute("COMMIT")
            self._commits.add()
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            failed = StoreUnusable(f"the store could not be written: {error}")
            results = [(None, failed)] * len(group)
        for change, (value, raised) in zip(group, results, strict=True):
            change.done(value, raised)


def _apply(db: SqliteConnection, change: Change) -> tuple[Any, BaseException | None]:
    db.execute("SAVEPOINT change")
    try:
        value = change.apply(db)
    except Exception as error:  # it belongs to the caller, who gets it
        if isinstance(error, sqlite3.Error) and not db.in_transaction:
            raise  # a full disk, for one, ends the transaction of all
        db.execute("ROLLBACK TO change")
        db.execute("RELEASE change")
        return None, translated(error, "written")
    db.execute("RELEASE change")
    return value, None


@contextlib.contextmanager
def snapshot(path: Path) -> Iterator[Reading]:
    """One committed state of a file that another process may have open; raises StoreUnusable."""
    with contextlib.closing(open_read_only(path)) as db:
        try:
            db.execute("BEGIN")
            yield db
        except sqlite3.Error as error:
            raise translated(error, "read") from error
