"""The store in SQLite: one writer with group commit, and readers that never wait.

The writer thread takes all waiting changes, runs each in a savepoint, commits once (WAL, synchronous
FULL: one flush to disk) and only then answers the callers. So every answered change is on disk, and all
changes of a group share one flush.
"""

import contextlib
import fcntl
import os
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

from sayso_node.errors import StoreDamaged, StoreInUse, StoreUnusable, WrongStore
from sayso_node.interfaces import Randomness
from sayso_node.store.drawn import draw_singles
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.interface import Reading, check_version
from sayso_node.store.sqlite.connection import (
    OpenDatabase,
    SqliteConnection,
    open_file,
    open_read_only,
    translated,
)
from sayso_node.store.tables.migrations import FILLS, STEPS
from sayso_node.store.tables.schema import SCHEMA, VERSION
from sayso_node.store.writing.group_commit import GroupCommit
from sayso_node.store.writing.writer import Change, Writer
from sayso_protocol.redaction import reason_of

Inode = tuple[int, int] | None
WRITER_CACHE_KIB = 32_768  # enough for the changes of a large bundle; with less, pages are written twice


class Engine(GroupCommit):
    """A Store (store/interface.py) in one SQLite file.

    Args:
        path: Path of the database.
        randomness: Draws the id of a new store.
        writer: Commits the changes.
        open_database: Opens a connection; the engine sets its pragmas.
    """

    def __init__(
        self,
        path: Path,
        randomness: Randomness = os.urandom,
        *,
        writer: Writer | None = None,
        open_database: OpenDatabase = open_file,
    ) -> None:
        super().__init__(str(path), writer, Damage(path))
        self._path = path
        self._randomness = randomness
        self._open_database = open_database
        self._is_held = False
        self._lock: IO[bytes] | None = None
        self._writing: SqliteConnection | None = None
        self._places = [os.fspath(path), f"{path}-wal"]
        self._inodes: list[Inode] = []  # of the files that the writer opened

    @property
    def location(self) -> str:
        """See Store."""
        return str(self._path)

    def hold(self, *, alone: bool = False) -> None:  # noqa: ARG002 - nobody is beside it
        """See Store. The folder has a lock, too, but one file may be in several folders, by links."""
        self._is_held = True
        if self._lock is None and self._path.exists():
            self._lock = _locked(self._path)

    def start(self) -> None:
        """See Store."""
        if self._is_held and self._lock is None:
            self._lock = _locked(self._path)
        self._damage.load()
        db = self._connect()
        try:
            db.execute(f"PRAGMA cache_size = -{WRITER_CACHE_KIB}")
            self._prepare(db)
        except BaseException:
            db.close()
            raise
        self._writing = db
        self._inodes = [_inode(one) for one in self._places]
        self._begin()

    def stop(self) -> None:
        """See Store."""
        self._finish()
        if self._writing:
            self._writing.close()
        self._close_idle()
        if self._lock:  # only now: it would let go of the locks of SQLite, too
            self._lock.close()
            self._lock = None
        self._inodes = []  # who closes last removes the log, and the next start makes another

    @contextlib.contextmanager
    def read(self) -> Iterator[Reading]:
        """See Store."""
        try:
            db = self._idle.pop()
        except IndexError:  # no free connection; another thread may have taken it just now
            db = self._connect()
            db.execute("PRAGMA query_only = ON")
        db.execute("BEGIN")
        try:
            yield db
        except sqlite3.Error as error:
            raise self._noted(translated(error, "read")) from error
        except StoreDamaged as error:
            self._noted(error)
            raise
        finally:
            self._end(db)

    def _end(self, db: SqliteConnection) -> None:
        """End a reading; a connection that cannot is closed."""
        try:
            db.execute("COMMIT")
        except sqlite3.Error:
            db.close()
        else:
            self._keep(db)

    def _check_places(self) -> None:
        """Raise StoreUnusable if a file that the writer opened is no longer in its place.

        It loses what it holds when it is closed, and what is in its place does not know the newest.
        """
        for place, inode in zip(self._places, self._inodes, strict=False):  # none before the start
            if inode and _inode(place) != inode:
                raise StoreUnusable(
                    f"{Path(place).name} was moved, removed or replaced while the node runs: put"
                    " it back, or stop the node and restore a backup"
                )

    def _connect(self) -> SqliteConnection:
        self._check_places()
        with contextlib.ExitStack() as unfinished:
            try:
                db = unfinished.enter_context(contextlib.closing(self._open_database(self._path)))
                db.execute("PRAGMA journal_mode = WAL")
                db.execute("PRAGMA synchronous = FULL")
                # Erased content (rule 8.13) is overwritten instead of staying in unused pages.
                db.execute("PRAGMA secure_delete = ON")
            except sqlite3.Error as error:
                raise self._noted(translated(error, f"opened ({self._path})")) from error
            unfinished.pop_all()
        return db

    def _prepare(self, db: SqliteConnection) -> None:
        """Create the tables of a new database, migrate older ones, refuse unknown ones."""
        try:
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0 and db.execute("SELECT 1 FROM sqlite_master LIMIT 1").fetchone():
                raise _no_store(self._path)
            check_version(str(self._path), version, VERSION)
            if version == 0:
                db.executescript(f"BEGIN; {SCHEMA} PRAGMA user_version = {VERSION};")
                draw_singles(db, self._randomness)
                db.execute("COMMIT")
                version = VERSION
            while version in STEPS:  # a step and its version number are committed together
                db.executescript(f"BEGIN; {STEPS[version]}")
                if version in FILLS:
                    FILLS[version](db)
                version += 1
                db.execute(f"PRAGMA user_version = {version}")
                db.execute("COMMIT")
        except sqlite3.Error as error:
            raise self._noted(translated(error, "opened")) from error
        if version != VERSION:
            raise StoreUnusable(f"{self._path} has version {version}, which no release migrates")

    def _commit(self, group: list[Change]) -> None:
        """Commit a group in one transaction; a change that raises is undone alone."""
        if (db := self._writing) is None:
            raise StoreUnusable(f"the store {self._name} is not open")
        results: list[tuple[Any, BaseException | None]] = []
        try:
            db.execute("BEGIN IMMEDIATE")
            results = [_apply(db, change) for change in group]
            self._check_places()
            db.execute("COMMIT")
            self._trouble = None
            self._commits.add()
        except (sqlite3.Error, StoreUnusable) as error:
            with contextlib.suppress(sqlite3.Error):
                db.execute("ROLLBACK")
            failed = translated(error, "written")
            self._trouble = str(failed)
            results = [(None, failed)] * len(group)
        for change, (value, raised) in zip(group, results, strict=True):
            self._note(raised)
            change.done(value, raised)


def _locked(path: Path) -> IO[bytes]:
    """Open a file that may be new, and lock it; raises StoreInUse and StoreUnusable."""
    try:
        file = os.fdopen(os.open(path, os.O_RDONLY | os.O_CREAT | os.O_CLOEXEC, 0o644), "rb")
        with contextlib.ExitStack() as unfinished:
            unfinished.enter_context(file)
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
            unfinished.pop_all()
    except BlockingIOError as error:
        raise StoreInUse(f"another process uses the store {path}, maybe by another name") from error
    except OSError as error:
        raise StoreUnusable(f"the store {path} could not be opened: {reason_of(error)}") from error
    return file


def _inode(place: str) -> Inode:
    """Return which file is in a place; None without one."""
    try:
        found = os.stat(place)  # noqa: PTH116 - with each commit; a Path takes longer
    except OSError:
        return None
    return found.st_dev, found.st_ino


def _apply(db: SqliteConnection, change: Change) -> tuple[Any, BaseException | None]:
    db.execute("SAVEPOINT change")
    try:
        value = change.apply(db)
    except Exception as error:  # passed to the caller
        if isinstance(error, sqlite3.Error) and not db.in_transaction:
            raise  # such as a full disk, which ended the transaction of the group
        db.execute("ROLLBACK TO change")
        db.execute("RELEASE change")
        return None, translated(error, "written")
    db.execute("RELEASE change")
    return value, None


def _no_store(path: Path) -> WrongStore:
    return WrongStore(f"{path} is a database, and not the store of a node")


@contextlib.contextmanager
def snapshot(path: Path, *, old: bool = False) -> Iterator[Reading]:
    """Open one committed state of a file that another process may use; raises StoreUnusable."""
    with contextlib.closing(open_read_only(path)) as db:
        try:
            db.execute("BEGIN")
            version: int = db.execute("PRAGMA user_version").fetchone()[0]
            if version == 0:
                raise _no_store(path)
            check_version(str(path), version, VERSION, oldest=0 if old else VERSION)
            yield db
        except sqlite3.Error as error:
            raise translated(error, "read") from error


def copy(path: Path, target: Path) -> None:
    """Copy one committed state of a file that another process may use; raises StoreUnusable."""
    with contextlib.closing(open_read_only(path)) as db, contextlib.closing(open_file(target)) as new:
        try:
            db.backup(new)
            new.execute("PRAGMA journal_mode = DELETE")  # one file, without a log beside it
        except sqlite3.Error as error:
            raise translated(error, "copied") from error
