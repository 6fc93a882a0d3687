"""One writer, group commit, readers that never wait.

Every change is a function that gets a connection. The writer thread takes all that are waiting, runs
each in a savepoint, commits once (WAL, synchronous FULL: one flush to disk), and only then tells the
callers. So whatever was answered is on disk, and a flush is shared by all who wait for it.

    seq = await engine.write(lambda db: messages.insert(db, envelope, now))
    with engine.read() as db:
        body = messages.body(db, digest)
"""

import asyncio
import contextlib
import queue
import sqlite3
import threading
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple, TypeVar

from sayso_node.errors import StoreUnusable
from sayso_node.store.schema import SCHEMA, VERSION

T = TypeVar("T")
GROUP_LIMIT = 256  # changes in one commit


class _Change(NamedTuple):
    apply: Callable[[sqlite3.Connection], Any]
    done: Callable[[Any, BaseException | None], None]


class Engine:
    """A SQLite database with one writing thread; start() before use, stop() after."""

    def __init__(self, path: Path) -> None:
        self._path = path
        self._changes: queue.SimpleQueue[_Change | None] = queue.SimpleQueue()
        self._door = threading.Lock()  # no change is put behind the None that ends the writer
        self._open = False
        self._thread: threading.Thread | None = None
        self._idle: list[sqlite3.Connection] = []

    def start(self) -> None:
        """Open or create the database; raises StoreUnusable for one of another version."""
        db = self._connect()
        try:
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._open = True
        self._thread = threading.Thread(target=self._run, args=(db,), name="store-writer", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """Finish what was asked for and close; what is asked for later is refused."""
        with self._door:
            self._open = False
            self._changes.put(None)
        if self._thread:
            self._thread.join()
        while self._idle:
            self._idle.pop().close()

    async def write(self, apply: Callable[[sqlite3.Connection], T]) -> T:
        """Run a change in the writer thread; returns once it is on disk, raises what it raised.

        Raises StoreUnusable when it could not be kept, or when the store is not open.
        """
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            if future.cancelled():
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
            self._changes.put(_Change(apply, done))
        return await future

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
            db = sqlite3.connect(self._path, isolation_level=None, check_same_thread=False)
            db.execute("PRAGMA journal_mode = WAL")
            db.execute("PRAGMA synchronous = FULL")
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot open the store {self._path}: {error}") from error
        return db

    def _prepare(self, db: sqlite3.Connection) -> None:
        """Make the tables of a new database, refuse one that is not ours."""
        try:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION}; COMMIT;")
                version = VERSION
        except sqlite3.Error as error:
            raise StoreUnusable(f"cannot make a store of {self._path}: {error}") from error
        if version != VERSION:
            raise StoreUnusable(f"{self._path} has version {version}, this release needs {VERSION}")

    def _run(self, connection: sqlite3.Connection) -> None:
        """The writer thread: until None comes, take all that wait and commit them as one."""
        with contextlib.closing(connection) as db:
            while (change := self._changes.get()) is not None:
                group = [change]
                last = False
                while len(group) < GROUP_LIMIT and not self._changes.empty():
                    change = self._changes.get()
                    if change is None:
                        last = True
                        break
                    group.append(change)
                self._commit(db, group)
                if last:
                    return

    def _commit(self, db: sqlite3.Connection, group: list[_Change]) -> None:
        """One transaction; a change that raises is undone alone, a failed commit fails all."""
        results: list[tuple[Any, BaseException | None]] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [_apply(db, change) for change in group]
            db.execute("COMMIT")
        except sqlite3.Error as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            results = [(None, _unusable(error))] * len(group)
        for change, (value, raised) in zip(group, results, strict=True):
            change.done(value, raised)


def _apply(db: sqlite3.Connection, change: _Change) -> tuple[Any, BaseException | None]:
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
