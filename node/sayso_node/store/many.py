"""Many rows by one statement: what one of them costs beside its work is paid once for a thousand.

SQLite runs a statement without Python's lock. A statement for each row gives that lock away each time,
and waits for it behind whatever else the node does meanwhile.
"""

import sqlite3
from collections.abc import Iterable, Iterator, Sequence
from itertools import chain, islice
from typing import Any, Final

AT_ONCE: Final = 1_000  # rows; SQLite takes 32,766 values in a statement

Row = Sequence[Any]


def insert(db: sqlite3.Connection, into: str, rows: Iterable[Row]) -> None:
    """Run `INSERT <into> VALUES ...` for rows of one length."""
    waiting = iter(rows)
    while part := list(islice(waiting, AT_ONCE)):
        holes = f"({','.join('?' * len(part[0]))})"
        values = ",".join([holes] * len(part))
        statement = f"INSERT {into} VALUES {values}"  # noqa: S608 - question marks
        db.execute(statement, list(chain.from_iterable(part)))


def among(db: sqlite3.Connection, query: str, values: Iterable[Any]) -> Iterator[Any]:
    """The rows of a query that ends in `<column> IN`, for all these values."""
    waiting = iter(values)
    while part := list(islice(waiting, AT_ONCE)):
        yield from db.execute(f"{query} ({','.join('?' * len(part))})", part)
