"""What a node tells the processes beside it: one row, written outside the groups of changes.

It changes every second, and must neither wait behind changes nor count as a commit. A node that was
fenced off writes nothing more.
"""

import contextlib
import threading
from collections.abc import Callable, Iterator
from typing import Any, Final

import psycopg

from sayso_node.store.interface import LastWord
from sayso_node.store.postgres.connection import connect, translated

_NOW: Final = "extract(epoch FROM clock_timestamp())::float8"
_TELL: Final = (
    f"INSERT INTO store_told SELECT 0, %s, {_NOW} FROM store_state WHERE epoch = %s"  # noqa: S608
    " ON CONFLICT (one) DO UPDATE SET told = excluded.told, at = excluded.at"
)
_HEAR: Final = f"SELECT told, {_NOW} - at FROM store_told"  # noqa: S608 - our own names


class Notices:
    """See Board; usable in any thread, by one at a time.

    Args:
        dsn: The database.
        epoch: Returns what the node has begun; None before, and in other processes.
    """

    def __init__(self, dsn: str, epoch: Callable[[], int | None]) -> None:
        self._dsn = dsn
        self._epoch = epoch
        self._lock = threading.Lock()
        self._db: psycopg.Connection[Any] | None = None

    def tell(self, told: bytes) -> None:
        """See Board."""
        with self._session() as db:
            db.execute(_TELL, (told, self._epoch()))

    def heard(self) -> LastWord | None:
        """See Board."""
        with self._session() as db:
            row = db.execute(_HEAR, binary=True).fetchone()
            return LastWord(bytes(row[0]), max(0.0, row[1])) if row else None

    def close(self) -> None:
        """Close the connection."""
        with self._lock:
            if self._db:
                self._db.close()
            self._db = None

    @contextlib.contextmanager
    def _session(self) -> Iterator[psycopg.Connection[Any]]:
        with self._lock:
            if self._db is None or self._db.closed:
                self._db = connect(self._dsn, name="sayso notices")
                self._db.autocommit = True
            try:
                yield self._db
            except psycopg.Error as error:
                raise translated(error, "read", is_lost=self._db.closed) from error
