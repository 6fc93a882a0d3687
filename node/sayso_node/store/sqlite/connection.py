"""SQLite connections as handles of the store, and the conversion of SQLite's errors.

The handle is SQLite's own connection, so statements and rows cost no extra Python call.
"""

import os
import sqlite3
from collections.abc import Callable, Hashable
from itertools import count
from pathlib import Path
from typing import Any

from sayso_node.errors import StoreDamaged, StoreUnusable

_MOST_FAULTS = 10
# Bytes are stored as they are. Without this line, Python looks for another way with each value, which
# takes as long as to hand it over.
sqlite3.register_adapter(bytes, bytes)


class SqliteConnection(sqlite3.Connection):
    """A handle for reading and writing (store/interface.py)."""

    _numbers = count()

    def __init__(self, *arguments: Any, **named: Any) -> None:
        super().__init__(*arguments, **named)
        self._number = next(self._numbers)

    def faults(self) -> list[str]:
        """See Reading."""
        rows = self.execute(f"PRAGMA integrity_check({_MOST_FAULTS})")
        return [text for (text,) in rows if text != "ok"]

    def server_time(self) -> None:
        """See Reading."""

    def version(self) -> Hashable:
        """See Reading; SQLite's counter is different for each connection."""
        return self._number, self.execute("PRAGMA data_version").fetchone()[0]

    def next_seq(self, table: str, number: int = 0, /) -> int:  # noqa: ARG002 - SQLite looks at the rows
        """See Writing."""
        row = self.execute("SELECT seq FROM sqlite_sequence WHERE name = ?", (table,)).fetchone()
        return int(row[0]) + 1 if row else 1


OpenDatabase = Callable[[Path], SqliteConnection]


def open_file(path: Path) -> SqliteConnection:
    """Open a connection to a file; the engine lets one thread use it at a time."""
    return sqlite3.connect(path, isolation_level=None, check_same_thread=False, factory=SqliteConnection)


def open_read_only(path: Path) -> SqliteConnection:
    """Open a connection that changes nothing in a store; raises StoreUnusable.

    Where it cannot make files beside a store, none is needed if nobody writes: then there is no log.
    """
    try:
        real = path.resolve()
        is_still = not real.with_name(f"{real.name}-wal").exists() and not os.access(
            real.parent, os.W_OK
        )
        where = f"{real.as_uri()}?mode=ro{'&immutable=1' if is_still else ''}"
        return sqlite3.connect(where, uri=True, isolation_level=None, factory=SqliteConnection)
    except sqlite3.Error as error:
        raise StoreUnusable(f"cannot open the store {path}: {error}") from error


def translated(error: Exception, what: str) -> Exception:
    """Return StoreUnusable for errors of the disk, the file or a lock; any other error unchanged.

    It is StoreDamaged if SQLite finds the file itself damaged. An IntegrityError or ProgrammingError is
    a programming error that no operator can fix.
    """
    code = getattr(error, "sqlite_errorcode", 0) & 0xFF  # without the extension
    if code in (sqlite3.SQLITE_CORRUPT, sqlite3.SQLITE_NOTADB):
        return StoreDamaged(f"the store could not be {what}: {error}")
    if isinstance(error, sqlite3.OperationalError) or type(error) is sqlite3.DatabaseError:
        return StoreUnusable(f"the store could not be {what}: {error}")
    return error
