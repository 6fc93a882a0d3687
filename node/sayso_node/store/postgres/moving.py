"""A store in PostgreSQL that is filled by a move: in one transaction, by COPY."""

import contextlib
from collections.abc import Iterable, Iterator, Mapping, Sequence
from typing import Any, Final

import psycopg

from sayso_node.errors import StoreUnusable, WrongStore
from sayso_node.store.interface import Writing
from sayso_node.store.moving import marks
from sayso_node.store.moving.contents import Table
from sayso_node.store.postgres import dialect, session
from sayso_node.store.postgres.connection import Handle, connect, described, translated
from sayso_node.store.postgres.preparing import FIND_NUMBERS, NOTE_NUMBERS, STATE, check_durable
from sayso_node.store.sqlite.moving import tables
from sayso_node.store.tables.schema import SCHEMA, VERSION

_TYPES: Final = {"INTEGER": "int8", "BLOB": "bytea", "REAL": "float8", "TEXT": "text"}


class _Database:
    """See Target."""

    def __init__(self, db: psycopg.Connection[Any]) -> None:
        self._db = db
        made = list(dialect.script(STATE + SCHEMA))
        self._later = [sql for sql in made if not sql.startswith("CREATE TABLE")]
        for sql in made:
            if sql not in self._later:
                db.execute(sql.encode())

    def fill(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """See Target."""
        into = f"COPY {table.name} ({', '.join(table.columns)}) FROM STDIN (FORMAT BINARY)"
        with psycopg.Cursor(self._db) as cursor, cursor.copy(into.encode()) as copy:
            copy.set_types([_TYPES[one] for one in table.columns.values()])
            for row in rows:
                copy.write_row(row)

    def complete(self, last: Mapping[str, int]) -> Writing:
        """See Target."""
        handle = Handle(self._db, streams=True)
        for sql in self._later:
            self._db.execute(sql.encode())
        for name, seq in last.items():
            self._db.execute("SELECT setval(%s, greatest(%s, 1), %s > 0)", (f"{name}_seq_seq", seq, seq))
        self._db.execute("INSERT INTO store_state (version, commits) VALUES (%s, 0)", (VERSION,))
        session.prepare(self._db)
        self._db.execute(FIND_NUMBERS)
        self._db.execute(NOTE_NUMBERS)
        return handle

    def keep(self) -> None:
        """See Target."""
        self._db.commit()


@contextlib.contextmanager
def filling(dsn: str, owner: str) -> Iterator[_Database]:
    """Make a store in a database, in place of one that was moved away or has not arrived.

    Raises StoreUnusable, StoreInUse, and WrongStore for a database that has anything else in it.
    """
    with contextlib.closing(connect(dsn, name="sayso move")) as db:
        try:
            check_durable(db)
            session.lock(db, described(dsn))
            _clear(db, described(dsn), owner)
            yield _Database(db)
        except psycopg.Error as error:
            failed = translated(error, "filled")
            if failed is error:  # such as a value that the store never wrote
                raise StoreUnusable(f"the store could not be filled: {type(error).__name__}") from error
            raise failed from error


def _clear(db: psycopg.Connection[Any], name: str, owner: str) -> None:
    """Drop the tables of a store that was left behind; takes effect with the transaction."""
    rows = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
    found = {table for (table,) in rows.fetchall()}
    if found - {one.name for one in tables()} - session.OURS:
        raise WrongStore(f"{name} has tables that no store of this release has; empty it by hand")
    if found:
        marks.check_replaceable(Handle(db), name, owner)
    for table in found:
        db.execute(f'DROP TABLE "{table}"'.encode())
