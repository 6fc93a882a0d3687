"""A store in SQLite that a move fills: a file beside its place, renamed to it at the end."""

import contextlib
import os
import re
import sqlite3
from collections.abc import Iterable, Iterator, Mapping, Sequence
from functools import cache
from pathlib import Path
from typing import Any, Final

from sayso_node.errors import StoreUnusable
from sayso_node.store.interface import Writing
from sayso_node.store.moving import marks
from sayso_node.store.moving.contents import Table
from sayso_node.store.sqlite.connection import SqliteConnection, open_file, open_read_only, translated
from sayso_node.store.tables.schema import SCHEMA, VERSION

_PART: Final = ".part"
_BESIDE: Final = ("-wal", "-shm", "-journal")
_NUMBERED: Final = re.compile(r"CREATE TABLE (\w+) \(\s*seq INTEGER PRIMARY KEY AUTOINCREMENT")
_CACHE_KIB: Final = 65_536


@cache
def tables() -> tuple[Table, ...]:
    """Return the tables of a store of this release, whatever its backend."""
    numbered = set(_NUMBERED.findall(SCHEMA))
    with contextlib.closing(sqlite3.connect(":memory:")) as db:
        db.executescript(SCHEMA)
        names = db.execute(
            "SELECT name FROM sqlite_schema WHERE type = 'table' AND name NOT LIKE 'sqlite_%'"
        )
        return tuple(
            Table(
                name,
                {row[1]: row[2] for row in db.execute(f"PRAGMA table_info({name})")},
                name in numbered,
            )
            for (name,) in names.fetchall()
        )


class _File:
    """See Target."""

    def __init__(self, db: SqliteConnection, part: Path, path: Path) -> None:
        self._db, self._part, self._path = db, part, path
        made = [sql for sql in _statements() if sql.startswith("CREATE TABLE")]
        self._later = [sql for sql in _statements() if sql not in made]
        db.execute("BEGIN")
        for sql in made:
            db.execute(sql)

    def fill(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """See Target."""
        places = ", ".join("?" * len(table.columns))
        into = f"{table.name} ({', '.join(table.columns)})"
        self._db.executemany(f"INSERT INTO {into} VALUES ({places})", rows)  # noqa: S608 - our own names

    def complete(self, last: Mapping[str, int]) -> Writing:
        """See Target."""
        for sql in self._later:
            self._db.execute(sql)
        self._db.execute("DELETE FROM sqlite_sequence")
        self._db.executemany(
            "INSERT INTO sqlite_sequence (name, seq) VALUES (?, ?)",
            [(name, seq) for name, seq in last.items() if seq],
        )
        self._db.execute(f"PRAGMA user_version = {VERSION}")
        return self._db

    def keep(self) -> None:
        """See Target; a file that it replaces was moved away, and nobody has it open."""
        self._db.execute("COMMIT")
        self._db.close()
        for beside in _BESIDE:
            self._path.with_name(self._path.name + beside).unlink(missing_ok=True)
        self._part.replace(self._path)
        folder = os.open(self._path.parent, os.O_RDONLY)
        try:
            os.fsync(folder)
        finally:
            os.close(folder)


@contextlib.contextmanager
def filling(path: Path, owner: str) -> Iterator[_File]:
    """Make a store in place of no file, or of one that was moved away or has not arrived.

    Raises StoreUnusable, and WrongStore for any other file.
    """
    part = path.with_name(path.name + _PART)
    try:
        if path.exists() and path.stat().st_size:
            with contextlib.closing(open_read_only(path)) as db:
                marks.check_replaceable(db, str(path), owner)
        for name in ("", *_BESIDE):
            part.with_name(part.name + name).unlink(missing_ok=True)  # of a move that was interrupted
        with contextlib.closing(open_file(part)) as db:
            db.execute("PRAGMA synchronous = FULL")
            db.execute(f"PRAGMA cache_size = -{_CACHE_KIB}")
            yield _File(db, part, path)
    except sqlite3.Error as error:
        raise translated(error, "filled") from error
    except OSError as error:
        raise StoreUnusable(f"the store {path} could not be filled: {error.strerror}") from error
    finally:
        for name in ("", *_BESIDE):
            with contextlib.suppress(OSError):
                part.with_name(part.name + name).unlink(missing_ok=True)


def _statements() -> list[str]:
    """Return the statements of the schema, one by one."""
    found, waiting = list[str](), ""
    for line in SCHEMA.splitlines(keepends=True):
        waiting += line
        if sqlite3.complete_statement(waiting):
            found.append(waiting.strip())
            waiting = ""
    return found
