"""PostgreSQL connections as handles of the store, and the conversion of PostgreSQL's errors.

A handle is psycopg's connection with the queries of store/interface.py. Values travel in binary form:
bytes, 64-bit integers, double precision, text.
"""

from collections.abc import Hashable, Iterable, Iterator, Sequence
from itertools import count
from typing import Any, Final

import psycopg
from psycopg import errors
from psycopg.adapt import AdaptersMap
from psycopg.conninfo import conninfo_to_dict
from psycopg.types.numeric import Int8BinaryDumper, NumericBinaryLoader

from sayso_node.errors import StoreDamaged, StoreUnusable
from sayso_node.store.interface import Rows
from sayso_node.store.postgres import dialect

STREAMED_ROWS: Final = 10_000  # rows of a large answer in memory
_LARGE: Final = ("SELECT", "WITH")
_BAD_LOCATION: Final = (
    "the store's location must be postgresql://USER:PASSWORD@HOST:PORT/DATABASE;"
    " in a password, write @ as %40, : as %3A, / as %2F and % as %25"
)
# What an operator can mend: a lost server, a full disk, a lock, a replica, rights.
_UNUSABLE: Final = (
    psycopg.OperationalError,
    psycopg.InterfaceError,
    errors.ReadOnlySqlTransaction,
    errors.InsufficientPrivilege,
)


class _Total(NumericBinaryLoader):
    """Reads a sum of integers, which PostgreSQL gives as a decimal, as an integer."""

    def load(self, data: Any) -> int:  # type: ignore[override] # a sum of integers has no fraction
        """Return the number."""
        return int(super().load(data))


def _adapters() -> AdaptersMap:
    adapters = AdaptersMap(psycopg.adapters)
    adapters.register_dumper(int, Int8BinaryDumper)  # one type, so one prepared statement
    adapters.register_dumper(bool, Int8BinaryDumper)  # as in SQLite, a flag is a number
    adapters.register_loader("numeric", _Total)
    return adapters


_ADAPTERS: Final = _adapters()


class _Streamed:
    """The rows of a query (store/interface.py); the server keeps those that are not read yet."""

    def __init__(
        self, db: psycopg.Connection[Any], name: str, query: str, parameters: Sequence[Any]
    ) -> None:
        self._cursor = psycopg.RawServerCursor(db, name)
        self._cursor.itersize = STREAMED_ROWS
        self._cursor.execute(query, parameters, binary=True)

    @property
    def rowcount(self) -> int:
        """See Rows."""
        return self._cursor.rowcount

    def fetchone(self) -> Any:
        """See Rows."""
        row = self._cursor.fetchone()
        if row is None:
            self._cursor.close()
        return row

    def fetchall(self) -> list[Any]:
        """See Rows."""
        return list(self)

    def __iter__(self) -> Iterator[Any]:
        """See Rows."""
        with self._cursor:
            yield from self._cursor


class _Pending(psycopg.RawCursor[Any]):
    """The result of a statement that travels in a pipeline: it is waited for when it is looked at."""

    @property
    def rowcount(self) -> int:
        """See Rows."""
        if self.pgresult is None:
            with self.connection.pipeline():  # its end waits for all that was sent
                pass
        return super().rowcount


class Handle:
    """A handle for reading and writing (store/interface.py).

    Args:
        db: The connection, in a transaction whenever the handle is used. If it is in a pipeline, a
            statement is waited for only when its rows are asked for, and raises then or at the end.
        streams: The rows of a query come in portions, instead of all; that costs two more round trips.
        writes: The transaction has the lock of all that write.
    """

    def __init__(
        self, db: psycopg.Connection[Any], *, streams: bool = False, writes: bool = False
    ) -> None:
        self.db = db
        self._streams = streams
        self._time = "clock_timestamp()" if writes else "now()"  # now() is that of the first statement
        self._numbers = count()

    def execute(self, sql: str, parameters: Sequence[Any] = (), /) -> Rows:
        """See Reading."""
        text = dialect.query(sql)
        if self._streams and text.lstrip().startswith(_LARGE):
            return _Streamed(self.db, f"large{next(self._numbers)}", text, parameters)
        return _Pending(self.db).execute(text, parameters, binary=True)

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """See Writing; the statements travel together."""
        cursor = _Pending(self.db)
        cursor.executemany(dialect.query(sql), parameters)
        return cursor

    def version(self) -> Hashable:
        """See Reading."""
        return int(self.execute("SELECT commits FROM store_state").fetchone()[0])

    def server_time(self) -> float:
        """See Reading."""
        query = f"SELECT extract(epoch FROM {self._time})::float8"  # noqa: S608 - our own names
        return float(self.execute(query).fetchone()[0])

    def next_seq(self, table: str, number: int = 0, /) -> int:
        """See Reading."""
        sequence = f"{table}_seq_seq"  # PostgreSQL's name for it
        last = "CASE WHEN is_called THEN last_value ELSE 0 END"
        query = f"SELECT {last} FROM {sequence}"  # noqa: S608 - our own names
        first = int(self.execute(query).fetchone()[0]) + 1
        if number:
            self.execute("SELECT setval(?, ?)", (sequence, first + number - 1))
        return first

    def faults(self) -> list[str]:
        """See Reading; PostgreSQL itself compares the checksums of pages, where it has them."""
        return []


def connect(dsn: str, *, name: str) -> psycopg.Connection[Any]:
    """Connect in transactions that begin by themselves; raises StoreUnusable, without the password."""
    _check(dsn)
    try:
        return psycopg.connect(dsn, application_name=name, context=_Context())
    except psycopg.Error as error:
        raise StoreUnusable(f"cannot open the store {described(dsn)}: {_said(error)}") from None


def _check(dsn: str) -> None:
    """Refuse what libpq would show in an error, such as half a password; raises StoreUnusable."""
    try:
        stated = conninfo_to_dict(dsn)
    except psycopg.Error:
        raise StoreUnusable(_BAD_LOCATION) from None
    host, port = (str(stated.get(key) or "") for key in ("host", "port"))
    if (not port.replace(",", "").isdecimal() and port) or "@" in host:
        raise StoreUnusable(_BAD_LOCATION)


class _Context:
    """Passes the adapters on to a connection (psycopg.abc.AdaptContext)."""

    adapters = _ADAPTERS
    connection = None


def described(dsn: str) -> str:
    """Return a location for people: host, port and database, without user and password."""
    try:
        stated = conninfo_to_dict(dsn)
    except psycopg.Error:
        return "postgresql://..."
    host, port, name = (stated.get(key) for key in ("host", "port", "dbname"))
    return f"postgresql://{host or ''}{f':{port}' if port else ''}/{name or ''}"


def _said(error: BaseException) -> str:
    """Return the first line of an error, which names no secret."""
    return str(error).splitlines()[0] if str(error) else type(error).__name__


def translated(error: Exception, what: str, *, is_lost: bool = False) -> Exception:
    """Return StoreUnusable or StoreDamaged for what an operator can mend; any other error unchanged.

    Once the connection is lost, whatever is raised follows from that. libpq itself has no code for it,
    so psycopg may raise its most general error.
    """
    if isinstance(error, (errors.DataCorrupted, errors.IndexCorrupted)):
        return StoreDamaged(f"the store could not be {what}: {_said(error)}")
    is_libpqs = type(error) is psycopg.DatabaseError and error.sqlstate is None
    if isinstance(error, _UNUSABLE) or is_libpqs:
        return StoreUnusable(f"the store could not be {what}: {_said(error)}")
    if is_lost:
        return StoreUnusable(f"the store could not be {what}: the connection to the server is lost")
    return error
