"""A schema of a PostgreSQL server in place of a simulated disk; the store is that of the release.

What a commit keeps is for the server: no disk forgets here what was not synced. A machine that loses
power loses its connections, and with them what it had not committed; the power also fails just before
and just after a commit. A disk may be full, as the server says it. The server's clock is right, as that
of another machine with a time server is, however wrong a node's own clock may be.
"""

import contextlib
import os
from collections.abc import Callable, Iterator
from itertools import count
from random import Random
from typing import Any, ClassVar
from unittest import mock

import psycopg
from psycopg import errors

from sayso_node.errors import StoreUnusable
from sayso_node.interfaces import Randomness
from sayso_node.store.drawn import draw_singles
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.store.postgres import engine
from sayso_node.store.postgres.connection import Handle, connect
from sayso_node.store.postgres.engine import PostgresEngine
from sayso_node.store.writing.writer import Change, Writer
from simulation.disk import Moment, Now

KEPT = ("store_state", "store_numbers")  # they have rows in an empty store, too


class Clocked(Handle):
    """A handle whose server has the clock of the simulation."""

    def __init__(self, db: psycopg.Connection[Any], now: Now) -> None:
        super().__init__(db)
        self._now = now

    def server_time(self) -> float:
        """See Reading."""
        return self._now()


class Schema:
    """What a machine has in place of a disk (disk.py)."""

    def __init__(self, dsn: str, now: Now, *, is_used: bool) -> None:
        self.dsn = dsn
        self.now = now
        self.is_used = is_used  # another run has left its store in it
        self.is_full = False
        self.power_fails: Moment | None = None
        self.on_power_failure: Callable[[], None] = lambda: None
        self._store: DatabaseStore | None = None

    def store(self, _name: str, randomness: Randomness, writer: Writer) -> Store:
        """See Medium."""
        self._store = DatabaseStore(self, randomness, writer)
        return self._store

    def lose_power(self) -> None:
        """The server undoes what was not committed, when it notices that the connections are gone."""
        if self._store:
            self._store.lose_power()


class DatabaseStore(PostgresEngine):
    """The store of the release, on a machine that may fail, and a server with the world's clock."""

    def __init__(self, schema: Schema, randomness: Randomness, writer: Writer) -> None:
        super().__init__(schema.dsn, randomness, writer=writer)
        self._schema = schema
        self._has_power = True
        self.hold()

    def start(self) -> None:
        """See Store; nobody else commits, so nobody has to listen for it."""
        if self._schema.is_used:
            _empty(self._dsn, self._randomness)
            self._schema.is_used = False
        with mock.patch.object(engine, "Listener"):
            super().start()

    @contextlib.contextmanager
    def read(self) -> Iterator[Reading]:
        """See Store."""
        self._need_power()
        with super().read() as db:
            assert isinstance(db, Handle)
            yield Clocked(db.db, self._schema.now)

    def lose_power(self) -> None:
        """All connections break, and no new one can be made."""
        self._has_power = False
        for db in (self._writing, *self._idle):
            if db:
                db.close()

    def _connect(self) -> psycopg.Connection[Any]:
        self._need_power()
        return super()._connect()

    def _need_power(self) -> None:
        if not self._has_power:
            raise StoreUnusable("the machine has no power")

    def _try(self, group: list[Change], values: list[Any]) -> Exception | None:
        schema = self._schema
        fails, schema.power_fails = schema.power_fails, None
        work = [Change(self._clocked(one.apply), one.done) for one in group]
        if schema.is_full:
            work.append(Change(_fill_disk, _nobody))
        elif fails is Moment.BEFORE:
            work.append(Change(self._fail, _nobody))
        failed = super()._try(work, values)
        if fails is Moment.AFTER and failed is None:
            schema.on_power_failure()
        return failed

    def _clocked(self, apply: Callable[[Writing], Any]) -> Callable[[Writing], Any]:
        def change(db: Writing) -> Any:
            assert isinstance(db, Handle)
            return apply(Clocked(db.db, self._schema.now))

        return change

    def _fail(self, _db: Writing) -> None:
        self._schema.on_power_failure()
        # Whoever had power of its own is not told: an operator who erases, for example.
        raise StoreUnusable("the machine has no power")


def _fill_disk(_db: Writing) -> None:
    raise errors.DiskFull("could not extend file: No space left on device")


def _nobody(_value: Any, _error: BaseException | None) -> None:
    """Nobody waits for what the simulation adds to a group."""


def _empty(dsn: str, randomness: Randomness) -> None:
    """Make a store as it is when it is new: that takes a twentieth of the time of another schema."""
    with contextlib.closing(connect(dsn, name="simulation")) as db:
        db.execute("SET session_replication_role = replica")  # no triggers
        names = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        for (name,) in names.fetchall():
            if name not in KEPT:
                db.execute(f"DELETE FROM {name}".encode())
        db.execute("UPDATE store_state SET commits = 0, epoch = 0")
        db.execute("UPDATE store_numbers SET last = 0")  # the start puts the sequences there
        draw_singles(Handle(db), randomness)
        db.commit()


class Schemas:
    """Gives each machine a schema with an empty store; those of a run that is over are used again.

    Args:
        dsn: The server.
    """

    _numbers: ClassVar = count()

    def __init__(self, dsn: str) -> None:
        self._dsn = dsn
        self._free: list[str] = []
        self._used: list[Schema] = []

    def __call__(self, _random: Random, now: Now) -> Schema:
        """Return the schema of a machine, for a server with this clock."""
        is_used = bool(self._free)
        one = Schema(self._free.pop() if is_used else self._new(), now, is_used=is_used)
        self._used.append(one)
        return one

    def release(self) -> None:
        """A run is over: its machines lose their power, and their schemas are for the next."""
        for one in self._used:
            one.lose_power()
        self._free += [one.dsn for one in self._used]
        self._used = []

    def _new(self) -> str:
        name = f"simulated_{os.getpid()}_{next(self._numbers)}"
        with psycopg.connect(self._dsn, autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {name}".encode())
        return f"{self._dsn}&options=-csearch_path%3D{name}"
