"""Reads and writes many rows in one statement, which saves the fixed cost of a statement per row.

SQLite releases Python's lock for each statement; with one statement per row, the node would wait for the
lock after each row.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final

from sayso_node.store.interface import Reading, Writing

ROWS_A_STATEMENT: Final = 1_000  # rows; SQLite allows 32,766 values in a statement

Row = Sequence[Any]


def insert(db: Writing, into: str, rows: Iterable[Row], conflict: str = "") -> None:
    """Run `INSERT <into> VALUES ... <conflict>` for rows of equal length."""
    waiting = list(rows)
    for start in range(0, len(waiting), ROWS_A_STATEMENT):
        part = waiting[start : start + ROWS_A_STATEMENT]
        values = _table(len(part), len(part[0]))
        statement = f"INSERT {into} VALUES {values} {conflict}"  # noqa: S608 - question marks
        db.execute(statement, list(chain.from_iterable(part)))


def among(db: Reading, query: str, values: Iterable[Any], before: Sequence[Any] = ()) -> Iterator[Any]:
    """Return the rows of a query that ends in `<column> IN`, for all these values.

    `before` are the values of the question marks in the query itself.
    """
    waiting = list(values)
    for start in range(0, len(waiting), ROWS_A_STATEMENT):
        part = waiting[start : start + ROWS_A_STATEMENT]
        yield from db.execute(f"{query} {_row(len(part))}", [*before, *part])


def satisfying(db: Reading, condition: str, values: Iterable[Any]) -> Iterator[Any]:
    """Return those values for which a condition on `asked.column1` holds."""
    waiting = list(values)
    for start in range(0, len(waiting), ROWS_A_STATEMENT):
        part = waiting[start : start + ROWS_A_STATEMENT]
        asked = f"(VALUES {_table(len(part), 1)}) AS asked"
        rows = db.execute(f"SELECT column1 FROM {asked} WHERE {condition}", part)  # noqa: S608 - our own constants
        yield from [value for (value,) in rows]


@lru_cache(4_096)
def _row(width: int) -> str:
    return f"({','.join('?' * width)})"


@lru_cache(256)
def _table(height: int, width: int) -> str:
    return ",".join([_row(width)] * height)
