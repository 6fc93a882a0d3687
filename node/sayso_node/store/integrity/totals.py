"""Number and sum of all rows of a table, so that whoever reads it whole notices one that is gone.

A total changes in the transaction that adds the rows, and is kept with its own checksum.
"""

from collections.abc import Iterable
from typing import Final, NamedTuple, Self

from sayso_node.errors import StoreDamaged
from sayso_node.store import singles
from sayso_node.store.integrity.checksums import packed_sum, sum_of
from sayso_node.store.interface import Reading, Writing

PEOPLE: Final = "people-total"
TERMS: Final = "terms-total"
_BYTES: Final = 8  # of a number and of a sum; at 2^32 a row, no sum of fewer than 2^32 rows is larger
_TERM_BYTES: Final = 8


class Total(NamedTuple):
    """Number and sum of some rows."""

    rows: int = 0
    total: int = 0

    def plus(self, rows: Iterable[bytes]) -> Self:
        """Return the total with more rows, each as joined bytes."""
        count, total = self
        for row in rows:
            count += 1
            total += sum_of(row)
        return type(self)(count, total)


def term(address: bytes, base: bytes, permissions: int, *_: object) -> bytes:
    """Return a row of the table of terms as bytes, without what no snapshot reads."""
    return address + base + (permissions & (1 << 8 * _TERM_BYTES) - 1).to_bytes(_TERM_BYTES)


def add(db: Writing, name: str, rows: Iterable[bytes]) -> None:
    """Count rows that are new in a table."""
    if new := [*rows]:
        put(db, name, kept(db, name).plus(new))


def put(db: Writing, name: str, total: Total) -> None:
    """Keep a total."""
    packed = total.rows.to_bytes(_BYTES) + total.total.to_bytes(_BYTES)
    singles.put(db, name, packed + packed_sum(packed))


def kept(db: Reading, name: str) -> Total:
    """Return the total of a table; raises StoreDamaged."""
    found = singles.get(db, name)
    if found is None:
        return Total()
    packed = found[: 2 * _BYTES]
    if found != packed + packed_sum(packed):
        raise StoreDamaged(f"the {name} is not what was stored")
    return Total(int.from_bytes(packed[:_BYTES]), int.from_bytes(packed[_BYTES:]))


def check(db: Reading, name: str, found: Total) -> None:
    """Compare what was read with what was stored; raises StoreDamaged."""
    if found != kept(db, name):
        raise StoreDamaged(f"rows are not what was stored: the {name} differs")


def rebuild(db: Writing) -> None:
    """Compute number and sum of people and terms from their rows, which are believed."""
    people = (address for (address,) in db.execute("SELECT address FROM people").fetchall())
    put(db, PEOPLE, Total().plus(people))
    terms = db.execute("SELECT address, base, permissions FROM terms").fetchall()
    put(db, TERMS, Total().plus(term(*row) for row in terms))
