"""Reads and writes many rows in one statement, which saves the fixed cost of a statement per row.

SQLite releases Python's lock for each statement; with one statement per row, the node would wait for the
lock after each row.
"""

from collections.abc import Iterable, Iterator, Sequence
from functools import lru_cache
from itertools import chain
from typing import Any, Final, TypeVar

from sayso_node.store.interface import Reading, Writing

ALL: Final = 2**62  # as a limit: no limit
VALUES_A_STATEMENT: Final = 1_000  # of a question; SQLite allows 32,766
ROWS_A_QUESTION: Final = 256
# Rows of a change. Parsing a text takes as long as writing its rows, so most rows share one text.
ROWS_A_STATEMENT: Final = 64

FEW_BETWEEN: Final = 200  # values of a table between those asked for, which are read instead

# Jumps from each value to the next larger one, however many rows a value has.
_BETWEEN: Final = """
WITH RECURSIVE found (value, until) AS (
    SELECT * FROM (SELECT {1}, ?2 FROM {0} WHERE {1} BETWEEN ?1 AND ?2 ORDER BY {1} LIMIT 1) AS first
    UNION ALL
    SELECT (SELECT {1} FROM {0} WHERE {1} > value AND {1} <= until ORDER BY {1} LIMIT 1), until
    FROM found WHERE value IS NOT NULL
)
SELECT value FROM found WHERE value IS NOT NULL LIMIT ?3
"""

Row = Sequence[Any]
T = TypeVar("T")


def insert(db: Writing, into: str, rows: Iterable[Row], conflict: str = "") -> None:
    """Run `INSERT <into> VALUES ... <conflict>` for rows of equal length."""
    for part in _parts(rows, ROWS_A_STATEMENT):
        values = _table(len(part), len(part[0]))
        statement = f"INSERT {into} VALUES {values} {conflict}"  # noqa: S608 - question marks
        db.execute(statement, list(chain.from_iterable(part)))


def insert_alike(db: Writing, into: str, shared: Sequence[Any], rows: Iterable[Row]) -> None:
    """Insert rows that all begin with the same values, each of which is handed over once."""
    for part in _parts(rows, ROWS_A_STATEMENT):
        values = _table(len(part), len(part[0]))
        first = ", ".join("?" * len(shared))
        statement = f"INSERT {into} SELECT {first}, rest.* FROM (VALUES {values}) AS rest"  # noqa: S608 - question marks
        db.execute(statement, [*shared, *chain.from_iterable(part)])


def insert_new(db: Writing, table: str, rows: Iterable[Row]) -> list[Any]:
    """Insert whole rows that do not conflict with others, and return them."""
    new = list[Any]()
    for part in _parts(rows, ROWS_A_STATEMENT):
        values = _table(len(part), len(part[0]))
        statement = f"INSERT INTO {table} VALUES {values} ON CONFLICT DO NOTHING RETURNING *"  # noqa: S608 - question marks
        new += db.execute(statement, list(chain.from_iterable(part))).fetchall()
    return new


def among(
    db: Reading, query: str, values: Iterable[Any], before: Sequence[Any] = (), after: str = ""
) -> Iterator[Any]:
    """Return the rows of a query that ends in `<column> IN`, for all these values.

    `before` are the values of the question marks in the query itself. `after` is what follows the list;
    it may group by that column only, because the values may be asked for in parts.
    """
    return chain.from_iterable(
        db.execute(f"{query} {_row(len(part))} {after}", [*before, *part])
        for part in _parts(values, VALUES_A_STATEMENT)
    )


def joined(db: Reading, query: str, rows: Iterable[Row]) -> Iterator[Any]:
    """Return the rows of a query in which `{}` stands for a table of these rows: column1, column2 ...

    Other tables follow by CROSS JOIN, which keeps the order. With JOIN, SQLite 3.46 reads the whole
    other table first.
    """
    return chain.from_iterable(
        db.execute(_joined(query, len(part), len(part[0])), list(chain.from_iterable(part)))
        for part in _parts(rows, ROWS_A_QUESTION)
    )


def of_each(db: Reading, query: str, values: Iterable[Any], after: Sequence[Any] = ()) -> list[Any]:
    """Return the rows of such a query about single values, which are column1.

    `after` are the values of question marks in the query.
    """
    found = list[Any]()
    for part in _parts(values, ROWS_A_QUESTION):
        found += db.execute(_joined(query, len(part), 1), [*part, *after]).fetchall()
    return found


@lru_cache(256)
def _joined(query: str, height: int, width: int) -> str:
    return query.format(f"(VALUES {_table(height, width)}) AS asked")


def found_in(db: Reading, table: str, column: str, values: Iterable[bytes]) -> Iterator[bytes]:
    """Return those values that occur in the first column of an index of a table.

    Often few values of the table lie between those asked for. Then they are read instead, which costs
    nothing for a value that does not occur.
    """
    for part in _parts(sorted(values), VALUES_A_STATEMENT):
        between = db.execute(_BETWEEN.format(table, column), (part[0], part[-1], FEW_BETWEEN + 1))
        near = {value for (value,) in between.fetchall()}
        if len(near) > FEW_BETWEEN:
            asked = f"(VALUES {_table(len(part), 1)}) AS asked"
            condition = f"EXISTS (SELECT 1 FROM {table} WHERE {column} = column1)"  # noqa: S608 - our own names
            rows = db.execute(f"SELECT column1 FROM {asked} WHERE {condition}", part)  # noqa: S608 - likewise
            near = {value for (value,) in rows}
        yield from (value for value in part if value in near)


def _parts(some: Iterable[T], size: int) -> Iterable[list[T]]:
    waiting = list(some)
    if 0 < len(waiting) <= size:
        return [waiting]
    return (waiting[start : start + size] for start in range(0, len(waiting), size))


@lru_cache(4_096)
def _row(width: int) -> str:
    return f"({','.join('?' * width)})"


@lru_cache(256)
def _table(height: int, width: int) -> str:
    return ",".join([_row(width)] * height)
