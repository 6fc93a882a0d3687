"""Copies everything in a store into an empty one, and compares counts and digests of each table."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager
from typing import Any, Final, NamedTuple, Protocol

import msgpack

from sayso_node.errors import StoreUnusable
from sayso_node.store import singles
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.moving import marks
from sayso_protocol.primitives import HASH_BYTES, sha256

_MODULUS: Final = 1 << 8 * HASH_BYTES


class Table(NamedTuple):
    """A table of every backend.

    Attributes:
        name: Its name.
        columns: The names of its columns, and their types as in the schema.
        is_numbered: Whether a new row gets a `seq` that no row ever had.
    """

    name: str
    columns: Mapping[str, str]
    is_numbered: bool


class Summed(NamedTuple):
    """How many rows a table has, and the sum of their SHA-256, which does not depend on their order."""

    rows: int
    digest: int


class Target(Protocol):
    """A store that is made, and is there only after keep()."""

    def fill(self, table: Table, rows: Iterable[Sequence[Any]]) -> None:
        """Store the rows of an empty table."""
        ...

    def complete(self, last: Mapping[str, int]) -> Writing:
        """Add indexes, triggers and the last `seq` of each table; returns a handle on the store."""
        ...

    def keep(self) -> None:
        """Make the store appear, on disk, as a whole."""
        ...


Filling = AbstractContextManager[Target]


def copy(db: Reading, target: Target, tables: Sequence[Table], mark: marks.Mark) -> dict[str, Summed]:
    """Copy a store, compare, mark the copy and keep it; returns what each table holds.

    Raises StoreUnusable, and then nothing is kept.
    """
    last = {one.name: db.next_seq(one.name) - 1 for one in tables if one.is_numbered}
    sums = {}
    for table in tables:
        counting = _Counting(_rows(db, table))
        target.fill(table, counting)
        sums[table.name] = counting.sums()
    made = target.complete(last)
    check_equal(made, tables, sums, last)
    marks.put(made, mark)
    target.keep()
    return sums


def check_equal(
    db: Reading, tables: Sequence[Table], sums: Mapping[str, Summed], last: Mapping[str, int]
) -> None:
    """Compare a copy with what was read of its source; raises StoreUnusable."""
    for table in tables:
        counting = _Counting(_rows(db, table))
        for _ in counting:
            pass
        found = counting.sums()
        if found != sums[table.name]:
            text = f"{found.rows} rows instead of {sums[table.name].rows}, or other ones"
            raise StoreUnusable(f"the copy differs from the store: {table.name} has {text}")
    for name, seq in last.items():
        if db.next_seq(name) != seq + 1:
            raise StoreUnusable(f"the copy differs from the store: {name} goes on at another number")


def digest_of(sums: Mapping[str, Summed]) -> bytes:
    """Return one digest of a whole store."""
    return sha256(
        msgpack.packb(
            [(name, one.rows, one.digest.to_bytes(HASH_BYTES)) for name, one in sorted(sums.items())]
        )
    )


class _Counting:
    """Passes rows on, and adds them up."""

    def __init__(self, rows: Iterator[Sequence[Any]]) -> None:
        self._rows = rows
        self._count = self._total = 0

    def __iter__(self) -> Iterator[Sequence[Any]]:
        for row in self._rows:
            self._count += 1
            self._total += int.from_bytes(sha256(msgpack.packb(row)))
            yield row

    def sums(self) -> Summed:
        return Summed(self._count, self._total % _MODULUS)


def _rows(db: Reading, table: Table) -> Iterator[Sequence[Any]]:
    """Return all rows but the mark, which is not the same in both stores."""
    query = f"SELECT {', '.join(table.columns)} FROM {table.name}"  # noqa: S608 - our own names
    rows = iter(db.execute(query))
    if table.name == "singles":
        return (row for row in rows if row[0] != singles.MOVE)
    return rows
