"""The store in PostgreSQL: one writer with group commit, and readers on connections of their own.

The writer runs all waiting changes in one transaction and answers when it is committed. If a change
raises, the group is undone, and its changes run once more, each alone; so a change must have no effect
outside the store before it returns. An advisory lock orders the groups of all processes on one database,
so that `seq` is the order of commits. Another one, of the writer's session, keeps a second node out: it
ends with the connection, and without it nothing is written. A node that was cut off and replaced
is fenced off by an epoch in the database (store/postgres/session.py).
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any, Final

import psycopg
from psycopg import IsolationLevel

from sayso_node.errors import StoreDamaged, StoreInUse, StoreUnusable, WrongStore
from sayso_node.interfaces import Randomness
from sayso_node.store.drawn import draw_singles
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.interface import Reading, check_version
from sayso_node.store.postgres import dialect, session
from sayso_node.store.postgres.connection import Handle, connect, described, translated
from sayso_node.store.tables.migrations import FILLS, STEPS
from sayso_node.store.tables.schema import SCHEMA, VERSION
from sayso_node.store.writing.group_commit import GroupCommit
from sayso_node.store.writing.writer import Change, Writer

_LOCK: Final = int.from_bytes(b"sayso")  # of the groups; any process on this database that writes
STATE: Final = """
CREATE TABLE store_state (version BIGINT NOT NULL, commits BIGINT NOT NULL);
CREATE TABLE store_numbers (sequence TEXT PRIMARY KEY, last BIGINT NOT NULL);
"""
# Sequences do not roll back, and a `seq` without a row would look like a lost row. So each commit notes
# where they stand, and they are put back there after a change that was undone.
FIND_NUMBERS: Final = (
    "INSERT INTO store_numbers SELECT relname, 0 FROM pg_class WHERE relkind = 'S'"
    " AND relnamespace = current_schema()::regnamespace ON CONFLICT DO NOTHING"
)
NOTE_NUMBERS: Final = (
    "UPDATE store_numbers SET last = coalesce(pg_sequence_last_value(sequence::regclass), 0)"
    " WHERE last <> coalesce(pg_sequence_last_value(sequence::regclass), 0)"
)
_RESTORE_NUMBERS: Final = (
    "SELECT setval(sequence::regclass, greatest(last, 1), last > 0) FROM store_numbers"
)
_DURABLE: Final = {"fsync": "on", "full_page_writes": "on", "synchronous_commit": "on"}
_STRONGER: Final = ("remote_write", "remote_apply")  # of synchronous_commit: on, and a replica


@contextlib.contextmanager
def _opening(db: psycopg.Connection[Any]) -> Iterator[None]:
    """Close a connection whose first statements fail; raises StoreUnusable."""
    try:
        yield
    except psycopg.Error as error:
        db.close()
        raise translated(error, "opened") from error
    except BaseException:
        db.close()
        raise


class PostgresEngine(GroupCommit):
    """A Store (store/interface.py) in a PostgreSQL database.

    Args:
        dsn: `postgresql://...`; its password never leaves this object.
        randomness: Draws the id of a new store.
        writer: Commits the changes.
    """

    def __init__(
        self, dsn: str, randomness: Randomness = os.urandom, *, writer: Writer | None = None
    ) -> None:
        super().__init__(described(dsn), writer, Damage(None))
        self._dsn = dsn
        self._randomness = randomness
        self._holds = False
        self._epoch: int | None = None  # None: other programs, which write beside a node
        self._writing: psycopg.Connection[Any] | None = None
        self._idle: list[psycopg.Connection[Any]] = []

    @property
    def location(self) -> str:
        """See Store."""
        return self._dsn

    def hold(self) -> None:
        """See Store."""
        self._holds = True

    def start(self) -> None:
        """See Store."""
        db = self._connect()
        with _opening(db):
            self._prepare(db)
            self._epoch = session.begin_epoch(db) if self._holds else None
            db.commit()
        self._writing = db
        self._begin()

    def stop(self) -> None:
        """See Store."""
        self._finish()
        for db in (self._writing, *self._idle):
            if db:
                db.close()
        self._writing, self._idle = None, []

    @contextlib.contextmanager
    def read(self) -> Iterator[Reading]:
        """See Store."""
        try:
            db = self._idle.pop()
        except IndexError:
            db = _reader(self._dsn)
        try:
            yield Handle(db)
            db.commit()
        except psycopg.Error as error:
            raise self._noted(translated(error, "read")) from error
        except StoreDamaged as error:
            self._noted(error)
            raise
        finally:
            self._free(db)

    def _free(self, db: psycopg.Connection[Any]) -> None:
        """Keep a connection for the next reader, unless it is lost."""
        with contextlib.suppress(psycopg.Error):
            db.rollback()
        if db.closed:
            return
        self._idle.append(db)

    def _prepare(self, db: psycopg.Connection[Any]) -> None:
        """Create the tables of an empty database, migrate older ones, refuse unknown ones."""
        db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
        handle = Handle(db)
        if not _has_store(db):
            self._create(db)
        version = handle.execute("SELECT version FROM store_state").fetchone()[0]
        while version in STEPS and version >= _FIRST:
            for statement in dialect.script(STEPS[version]):
                handle.execute(statement)
            if version in FILLS:
                FILLS[version](handle)
            version += 1
            handle.execute("UPDATE store_state SET version = ?", (version,))
        check_version(self._name, version, VERSION)
        if version != VERSION:
            raise StoreUnusable(f"{self._name} has version {version}, which no release migrates")
        session.prepare(db)
        handle.execute(FIND_NUMBERS)
        handle.execute(_RESTORE_NUMBERS)

    def _create(self, db: psycopg.Connection[Any]) -> None:
        taken = db.execute(
            "SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()"
        ).fetchone()
        if taken and taken[0]:
            raise WrongStore(f"{self._name} is a database, and not the store of a node")
        handle = Handle(db)
        for statement in dialect.script(SCHEMA + STATE):
            handle.execute(statement)
        handle.execute("INSERT INTO store_state VALUES (?, 0)", (VERSION,))
        draw_singles(handle, self._randomness)

    def _commit(self, group: list[Change]) -> None:
        """Commit a group in one transaction; if a change raises, commit each alone."""
        values: list[Any] = []
        failed = self._try(group, values)
        if failed is None:
            self._trouble = None
            for change, value in zip(group, values, strict=True):
                change.done(value, None)
        elif len(group) == 1 or isinstance(failed, StoreUnusable):
            self._note(failed)
            for change in group:
                change.done(None, failed)
            if isinstance(failed, StoreInUse):
                raise failed  # ends the writer, and with it the node
        else:
            for change in group:
                self._commit([change])

    def _try(self, group: list[Change], values: list[Any]) -> Exception | None:
        """Run and commit changes; returns None, or what one of them or the server raised."""
        try:
            db = self._connected()
            with db.pipeline():
                db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                session.begin_group(db, self._epoch)
                handle = Handle(db)
                values += [change.apply(handle) for change in group]
                db.execute(NOTE_NUMBERS)
                db.commit()
        except Exception as error:  # noqa: BLE001 - passed to the callers
            self._undo()
            return session.taken_over(error, self._name) or translated(error, "written")
        self._commits.add()
        return None

    def _connected(self) -> psycopg.Connection[Any]:
        """Return the writer's connection, opened again if the server was lost; raises StoreUnusable."""
        if self._writing is None or self._writing.closed:
            self._writing = self._connect()
        return self._writing

    def _connect(self) -> psycopg.Connection[Any]:
        """Open a connection for the writer, which has the hold; raises StoreInUse and StoreUnusable."""
        db = connect(self._dsn, name="sayso writer")
        with _opening(db):
            check_durable(db)
            if self._holds:
                session.lock(db, self._name, self._epoch)
            db.commit()
        return db

    def _undo(self) -> None:
        if (db := self._writing) is not None:
            with contextlib.suppress(psycopg.Error):
                db.rollback()
                db.execute("SELECT pg_advisory_xact_lock(%s)", (_LOCK,))
                session.begin_group(db, self._epoch)
                db.execute(_RESTORE_NUMBERS)
                db.commit()


_FIRST: Final = 13  # the first version of a store in PostgreSQL


def _has_store(db: psycopg.Connection[Any]) -> bool:
    row = db.execute("SELECT to_regclass('store_state') IS NOT NULL").fetchone()
    return bool(row and row[0])


def _reader(dsn: str) -> psycopg.Connection[Any]:
    db = connect(dsn, name="sayso reader")
    db.read_only = True
    db.isolation_level = IsolationLevel.REPEATABLE_READ
    return db


def check_durable(db: psycopg.Connection[Any]) -> None:
    """Refuse a server that forgets what it has committed, or that is a replica; raises StoreUnusable."""
    for name, wanted in _DURABLE.items():
        row = db.execute("SELECT current_setting(%s)", (name,)).fetchone()
        if row is None or row[0] not in (wanted, *_STRONGER):
            found = row[0] if row else "nothing"
            raise StoreUnusable(
                f"PostgreSQL runs with {name} = {found}; a store needs {name} = {wanted}"
            )
    row = db.execute("SELECT pg_is_in_recovery()").fetchone()
    if row and row[0]:
        raise StoreUnusable("this PostgreSQL server is a replica; a store needs the primary")


def is_empty(dsn: str) -> bool:
    """Return whether a database has no store yet; raises StoreUnusable."""
    with contextlib.closing(_reader(dsn)) as db:
        return not _has_store(db)


@contextlib.contextmanager
def snapshot(dsn: str, *, old: bool = False) -> Iterator[Reading]:
    """Open one committed state of a store that other processes use; raises StoreUnusable."""
    with contextlib.closing(_reader(dsn)) as db:
        if not _has_store(db):
            raise StoreUnusable(f"there is no store in {described(dsn)}")
        try:
            version = Handle(db).execute("SELECT version FROM store_state").fetchone()[0]
            check_version(described(dsn), version, VERSION, oldest=0 if old else VERSION)
            yield Handle(db, streams=True)
        except psycopg.Error as error:
            raise translated(error, "read") from error
