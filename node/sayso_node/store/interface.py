"""The door of the store: everything outside this folder speaks to what is declared here.

A store is read and changed in transactions. Each gives a handle; what is asked of it is a typed query,
a plain function of a module in this folder, which takes the handle first:

    with store.read() as db:                                     # a Reading
        stored = messages.consent(db, digest)
    await store.write(lambda db: messages.insert(db, one, now))  # a Writing

To everybody else the handle is opaque: only this folder calls `execute`. A query takes a `Reading`, a
change takes a `Writing`, so mypy shows that nothing is changed in a read; a store refuses it, too.
SQL is written here once for every backend; what only one of them has is behind the handle. No error of a
backend comes out: a full disk, a lock, a damaged file are StoreUnusable.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, Protocol, TypeVar

T = TypeVar("T")


class Rows(Protocol):
    """What a statement gives, read once."""

    @property
    def rowcount(self) -> int:
        """How many rows a change has changed."""
        ...

    def fetchone(self) -> Any:
        """The next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """All rows that are left."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """The rows that are left, one by one."""
        ...


class Reading(Protocol):
    """A transaction that sees one committed state, from its first query on."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement, with `?` for each parameter; for modules of the store only."""
        ...

    def version(self) -> Hashable:
        """A stamp of the state that is seen: two that are equal are of the same state.

        The same state may have different stamps, so it is no name for it: who compares may read twice.
        """
        ...


class Writing(Reading, Protocol):
    """A transaction that changes the store; it sees its own changes."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each set of parameters; for modules of the store only."""
        ...

    def next_seq(self, table: str) -> int:
        """The `seq` of the next row of a table: above all that were ever given."""
        ...


class Store(Protocol):
    """A store; start() before use, stop() after."""

    @property
    def location(self) -> str:
        """Where it is: with this another process finds it (opening.snapshot_at)."""
        ...

    def start(self) -> None:
        """Open it, or make it; raises StoreUnusable, for one of another version, too."""
        ...

    def stop(self) -> None:
        """Finish what was asked for and close; what is asked for later is refused."""
        ...

    def read(self) -> AbstractContextManager[Reading]:
        """One committed state until the block ends; usable in any thread.

        Raises StoreUnusable when it cannot be read.
        """
        ...

    async def write(self, apply: Callable[[Writing], T]) -> T:
        """Run a change in a transaction; returns once it is on disk, raises what it raised.

        Raises StoreUnusable when it could not be kept, or when the store is not open.
        """
        ...

    async def watch(self) -> None:
        """Wait for as long as the writer lives; raises StoreUnusable when it has ended by itself."""
        ...

    @property
    def commits(self) -> int:
        """How many commits there were since start()."""
        ...

    async def committed(self, seen: int) -> int:
        """Return once there were more than `seen` commits, and how many; at once if there were."""
        ...
