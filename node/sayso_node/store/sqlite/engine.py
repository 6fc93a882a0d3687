"""One writer, group commit, readers that never wait.

Every change is a function that gets a connection. The writer thread takes all that are waiting, runs
each in a savepoint, commits once (WAL, synchronous FULL: one flush to disk), and only then tells the
callers. So whatever was answered is on disk, and a flush is shared by all who wait for it.

    seq = await engine.write(lambda db: messages.insert(db, envelope, now))
    with engine.read() as db:
        body = messages.body(db, digest)

Who waits for news reads, and then waits for a commit after the one it has seen:

    seen = await engine.committed(seen)
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
from sayso_node.store.events import STORE_ID, STORE_ID_BYTES
from sayso_node.store.sponsors import LOT_KEY
from sayso_node.store.sqlite.migrations import STEPS
from sayso_node.store.sqlite.schema import SCHEMA, VERSION
from sayso_node.store.sqlite.writer import Change, Writer, WriterThread

WRITER_CACHE_KIB = 32_768  # room for what a large bundle changes; with less, pages are written twice

T = TypeVar("T")
OpenDatabase = Callable[[Path], sqlite3.Connection]


def open_file(path: Path) -> sqlite3.Connection:
    """A connection to a file; the engine sees to it that it serves one thread at a time."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False)


class Engine:
    """A SQLite database with one writer; start() before use, stop() after.

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
        self._writing: sqlite3.Connection | None = None
        self._idle: list[sqlite3.Connection] = []
        self._commits = 0
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    def start(self) -> None:
        """Open or create the database; raises StoreUnusable for one of another version."""
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
        """Finish what was asked for and close; what is asked for later is refused."""
        with self._door:
            self._open = False
        self._writer.stop()
        if self._writing:
            self._writing.close()
        while self._idle:
            self._idle.pop().close()

    async def write(self, apply: Callable[[sqlite3.Connection], T]) -> T:
        """Have the writer run a change; returns once it is on disk, raises what it raised.

        Raises StoreUnusable when it could not be kept, or when the store is not open.
        """
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
        """Wait for as long as the writer lives; raises StoreUnusable when it has ended by itself."""
        await asyncio.shield(asyncio.wrap_future(self._death))

    def _die(self, error: BaseException) -> None:
        with self._door:
            self._open = False
        failure = StoreUnusable("the store's writer has ended")
        failure.__cause__ = error
        self._death.set_exception(failure)

    @property
    def commits(self) -> int:
        """How many commits there were since start()."""
        return self._commits

    async def committed(self, seen: int) -> int:
        """Return once there were more than `seen` commits, and how many; at once if there were."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._door:
            if self._commits > seen:
                return self._commits
            self._waiting[future] = loop
        try:
            await future
        finally:
            with self._door:
                self._waiting.pop(future, None)
        return self._commits

    @contextlib.contextmanager
    def read(self) -> Iterator[sqlite3.Connection]:
        """A connection that sees one committed state until the block ends; usable in any thread.

        Raises StoreUnusable when it cannot be read.
        """
        try:
            db = self._idle.pop()
        except IndexError:  # asked for by chance at once from two threads, too
            db = self._connect()
        db.execute("BEGIN")
        try:
            yield db
        except sqlite3.OperationalError as error:
            raise StoreUnusable(f"the store could not be read: {error}") from error
        finally:
            db.execute("COMMIT")
            self._idle.append(db)

    def _connect(self) -> sqlite3.Connection:
        try:
            db = self._open_database(self._path)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
            # What is erased (rule 8.13) is overwritten, not left in unused pages.
            db.execute("PRAGMA secure_delete = ON")
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot open the store {self._path}: {error}") from error
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
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

    def _commit(self, db: sqlite3.Connection, group: list[Change]) -> None:
        """One transaction; a change that raises is undone alone, a failed commit fails all."""
        results: list[tuple[Any, BaseException | None]] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [_apply(db, change) for change in group]
            db.execute("COMMIT")
            self._wake()
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            results = [(None, _unusable(error))] * len(group)
        for change, (value, raised) in zip(group, results, strict=True):
            change.done(value, raised)

    def _wake(self) -> None:
        """Tell whoever waits that there was a commit."""
        with self._door:
            self._commits += 1
            waiting, self._waiting = self._waiting, {}
        for future, loop in waiting.items():
            with contextlib.suppress(RuntimeError):  # a closed loop has nobody left who waits
                loop.call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)


def _apply(db: sqlite3.Connection, change: Change) -> tuple[Any, BaseException | None]:
    db.execute("SAVEPOINT change")
    try:
        value = change.apply(db)
    except Exception as error:  # it belongs to the caller, who gets it
        if isinstance(error, sqlite3.Error) and not db.in_transaction:
            raise  # a full disk, for one, ends the transaction of all
        db.execute("ROLLBACK TO change")
        db.execute("RELEASE change")
        return None, _unusable(error) if isinstance(error, sqlite3.OperationalError) else error
    db.execute("RELEASE change")
    return value, None


def _unusable(error: sqlite3.Error) -> StoreUnusable:
    return StoreUnusable(f"the store could not be written: {error}")
