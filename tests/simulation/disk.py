"""A disk that keeps what was synced, and forgets the rest when the power fails.

SQLite runs in memory. At each commit that it would sync (`synchronous` as the engine has set it) the
whole database is copied: that copy is what a machine finds when it comes up again.
"""

import asyncio
import sqlite3
from collections.abc import Callable, Hashable
from enum import Enum
from pathlib import Path
from random import Random
from typing import Any, Protocol

from sayso_node.interfaces import Randomness
from sayso_node.store.interface import Store
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.sqlite.engine import Engine
from sayso_node.store.writing.writer import GROUP_LIMIT, Change, Commit, Died, Writer

SYNCHRONOUS_FULL = 2  # below it, SQLite does not wait for the disk in WAL mode
WRITTEN_BACK = 0.1  # how often an operating system writes back by itself what nobody synced


class Moment(Enum):
    """When the power fails."""

    BEFORE = "before the commit is on disk"
    AFTER = "after it, before anybody is told"


class Medium(Protocol):
    """Medium keeps the store of a machine in all its lives."""

    is_full: bool
    power_fails: Moment | None  # at the next commit
    on_power_failure: Callable[[], None]

    def store(self, name: str, randomness: Randomness, writer: Writer) -> Store:
        """Return the store of a new life."""
        ...

    def lose_power(self) -> None:
        """Keep what was committed, and nothing else."""
        ...


Now = Callable[[], float]
Media = Callable[[Random, Now], Medium]  # of a machine; a server of its own would have this clock


class Database(SqliteConnection):
    """A connection that tells its disk when something is to be committed."""

    disk: "Disk"
    _changing = False

    def execute(self, sql: str, parameters: Any = (), /) -> sqlite3.Cursor:
        if sql == "PRAGMA query_only = ON":  # readers get the connection of the writer
            return super().execute("SELECT 1")
        if sql == "BEGIN IMMEDIATE":
            self._changing = True
            self.disk.check_room()
        elif sql in ("COMMIT", "ROLLBACK"):
            changing, self._changing = self._changing, False
            if changing and sql == "COMMIT":
                return self.disk.commit(super().execute)
        return super().execute(sql, parameters)

    def version(self) -> Hashable:
        """SQLite counts what other connections commit: here is only one."""
        return self.disk.commits

    def close(self) -> None:
        self.disk.release(self)
        super().close()


class Disk:
    """The disk of one machine."""

    def __init__(self, random: Random, *, keeps: bool = True) -> None:
        self._random = random
        self._keeps = keeps  # without, nothing is copied: for machines that never crash
        self._synced = b""
        self._database: Database | None = None
        self.commits = 0
        self.is_full = False
        self.power_fails: Moment | None = None  # at the next commit
        self.on_power_failure: Callable[[], None] = lambda: None

    def store(self, name: str, randomness: Randomness, writer: Writer) -> Store:
        """See Medium."""
        return Engine(Path(name), randomness, writer=writer, open_database=self.open)

    def open(self, _path: Path) -> SqliteConnection:
        """The one connection: nothing here runs at the same time as anything else."""
        if self._database is None:
            self._database = sqlite3.connect(
                ":memory:", isolation_level=None, check_same_thread=False, factory=Database
            )
            self._database.disk = self
            if self._synced:
                self._database.deserialize(self._synced)
        return self._database

    def check_room(self) -> None:
        """Raise what SQLite raises when a disk is full."""
        if self.is_full:
            raise sqlite3.OperationalError("database or disk is full")

    def commit(self, execute: Callable[[str], sqlite3.Cursor]) -> sqlite3.Cursor:
        """Commit, unless the power fails."""
        fails, self.power_fails = self.power_fails, None
        if fails is Moment.BEFORE:
            self.on_power_failure()
            raise sqlite3.OperationalError("the machine has no power")
        cursor = execute("COMMIT")
        self.commits += 1
        if self._keeps and self._is_synced(execute):
            self.sync()
        if fails is Moment.AFTER:
            self.on_power_failure()
        return cursor

    def sync(self) -> None:
        """What is committed survives from now on."""
        if self._database:
            self._synced = self._database.serialize()

    def release(self, database: Database) -> None:
        """A machine that stops in order has everything on disk."""
        if self._database is database:
            self.sync()
            self._database = None

    def lose_power(self) -> None:
        """Only what was synced is left; who still holds the old connection writes to nothing."""
        self._database = None

    def _is_synced(self, execute: Callable[[str], sqlite3.Cursor]) -> bool:
        level: int = execute("PRAGMA synchronous").fetchone()[0]
        return level >= SYNCHRONOUS_FULL or self._random.random() < WRITTEN_BACK


def new_disk(random: Random, _now: Now) -> Disk:
    """The disk of a machine that may crash."""
    return Disk(random)


class LoopWriter:
    """The writer of the store (sayso_node.store.writing.writer) in the loop: a commit takes time."""

    def __init__(self, commit_s: Callable[[], float]) -> None:
        self._commit_s = commit_s
        self._waiting: list[Change] = []
        self._due: asyncio.TimerHandle | None = None
        self._commit: Commit = lambda _group: None

    def start(self, commit: Commit, _died: Died) -> None:
        self._commit = commit

    def put(self, change: Change) -> None:
        self._waiting.append(change)
        if self._due is None:
            self._due = asyncio.get_running_loop().call_later(self._commit_s(), self._flush)

    def stop(self) -> None:
        while self._waiting:
            self._next_group()
        self.lose_power()

    def lose_power(self) -> None:
        """Nothing that waits is written any more."""
        if self._due:
            self._due.cancel()
        self._waiting, self._due = [], None

    def _flush(self) -> None:
        self._due = None
        self._next_group()
        if self._waiting and self._due is None:
            self._due = asyncio.get_running_loop().call_later(self._commit_s(), self._flush)

    def _next_group(self) -> None:
        group, self._waiting = self._waiting[:GROUP_LIMIT], self._waiting[GROUP_LIMIT:]
        self._commit(group)
