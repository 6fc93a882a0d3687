"""The store in PostgreSQL: one writer with group commit, and readers on connections of their own.

The writer runs all waiting changes in one transaction and answers when it is committed. If a change
raises, the group is undone, and its changes run once more, each alone; so a change must have no effect
outside the store before it returns. An advisory lock orders the groups of all processes on one database,
so that `seq` is the order of commits. Another one, of the writer's session, keeps a second node out: it
ends with the connection, and without it nothing is written. A node that was cut off and replaced
is fenced off by an epoch in the database (store/postgres/session.py). Processes beside a node join it:
they create and migrate nothing, and hear of commits of others (listening.py).
"""

import contextlib
import os
from collections.abc import Iterator
from typing import Any

import psycopg
from psycopg import IsolationLevel

from sayso_node.errors import StoreDamaged, StoreInUse, StoreUnusable
from sayso_node.interfaces import Randomness
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.interface import Reading, check_version
from sayso_node.store.postgres import preparing, session
from sayso_node.store.postgres.connection import Handle, connect, described, translated
from sayso_node.store.postgres.listening import Listener
from sayso_node.store.postgres.notices import Notices
from sayso_node.store.tables.schema import VERSION
from sayso_node.store.writing.group_commit import GroupCommit
from sayso_node.store.writing.writer import Change, Writer


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
        joins: The process is beside a node, whose store it uses as it is.
    """

    def __init__(
        self,
        dsn: str,
        randomness: Randomness = os.urandom,
        *,
        writer: Writer | None = None,
        joins: bool = False,
    ) -> None:
        super().__init__(described(dsn), writer, Damage(None))
        self._dsn = dsn
        self._randomness = randomness
        self._holds = self._alone = False
        self._joins = joins
        self._board = Notices(dsn, lambda: self._epoch)
        self._listener: Listener | None = None
        self._epoch: int | None = None  # None: other programs, which write beside a node
        self._writing: psycopg.Connection[Any] | None = None

    @property
    def location(self) -> str:
        """See Store."""
        return self._dsn

    @property
    def board(self) -> Notices:
        """See Store."""
        return self._board

    def hold(self, *, alone: bool = False) -> None:
        """See Store."""
        self._holds, self._alone = True, alone

    def start(self) -> None:
        """See Store."""
        db = self._connect()
        with _opening(db):
            if not self._joins:
                preparing.prepare(db, self._name, self._randomness)
            self._epoch = session.begin_epoch(db) if self._holds else None
            db.commit()
        self._writing = db
        self._begin()
        if self._holds or self._joins:
            self._listener = Listener(self._dsn, self._commits.add)

    def stop(self) -> None:
        """See Store."""
        if self._listener:
            self._listener.stop()
        self._finish()
        self._board.close()
        if self._writing:
            self._writing.close()
        self._writing = None
        self._close_idle()

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
            raise self._noted(translated(error, "read", is_lost=db.closed)) from error
        except StoreDamaged as error:
            self._noted(error)
            raise
        finally:
            self._free(db)

    def _free(self, db: psycopg.Connection[Any]) -> None:
        """Keep a connection for the next reader, unless it is lost."""
        with contextlib.suppress(psycopg.Error):
            db.rollback()
        if not db.closed:
            self._keep(db)

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
                session.lock_groups(db)
                session.begin_group(db, self._epoch, VERSION)
                handle = Handle(db, writes=True)
                values += [change.apply(handle) for change in group]
                db.execute(preparing.NOTE_NUMBERS)
                db.commit()
        except Exception as error:  # noqa: BLE001 - passed to the callers
            is_lost = self._writing is not None and self._writing.closed
            self._undo()
            taken = session.taken_over(error, self._name)
            return taken or translated(error, "written", is_lost=is_lost)
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
            preparing.check_durable(db)
            if self._holds:
                session.lock(db, self._name, self._epoch)
            if self._alone:
                session.keep_others_out(db, self._name)
            if self._joins:
                session.join(db, self._name)
                preparing.check_joinable(db, self._name)
            db.commit()
        return db

    def _undo(self) -> None:
        if (db := self._writing) is not None:
            with contextlib.suppress(psycopg.Error):
                db.rollback()
                session.lock_groups(db)
                session.begin_group(db, self._epoch, VERSION)
                db.execute(preparing.RESTORE_NUMBERS)
                db.commit()


def _reader(dsn: str) -> psycopg.Connection[Any]:
    db = connect(dsn, name="sayso reader")
    db.read_only = True
    db.isolation_level = IsolationLevel.REPEATABLE_READ
    return db


def is_empty(dsn: str) -> bool:
    """Return whether a database has no store yet; raises StoreUnusable."""
    with contextlib.closing(_reader(dsn)) as db:
        return not preparing.has_store(db)


@contextlib.contextmanager
def snapshot(dsn: str, *, old: bool = False) -> Iterator[Reading]:
    """Open one committed state of a store that other processes use; raises StoreUnusable."""
    with contextlib.closing(_reader(dsn)) as db:
        if not preparing.has_store(db):
            raise StoreUnusable(f"there is no store in {described(dsn)}")
        try:
            version = Handle(db).execute("SELECT version FROM store_state").fetchone()[0]
            check_version(described(dsn), version, VERSION, oldest=0 if old else VERSION)
            yield Handle(db, streams=True)
        except psycopg.Error as error:
            raise translated(error, "read") from error
