"""The interface of the store; code outside this folder uses nothing else of a backend.

A store is read and changed in transactions. A transaction is a handle; a query is a plain function of a
module in this folder, which takes the handle first:

    with store.read() as db:                                     # a Reading
        stored = messages.consent(db, digest)
    await store.write(lambda db: messages.insert(db, new, now))   # a Writing

Only this folder calls `execute`. A query takes a `Reading` and a change takes a `Writing`, so mypy finds
changes in a reading transaction, and the store refuses them as well. The SQL is written once for all
backends; what differs between backends is behind the handle. Errors of a backend (a full disk, a lock, a
damaged file) reach callers as StoreUnusable.
"""

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from contextlib import AbstractContextManager
from typing import Any, NamedTuple, Protocol, TypeVar

from sayso_node.errors import StoreTooNew, StoreTooOld
from sayso_node.store.integrity.damage import Damage

P = TypeVar("P")
T = TypeVar("T")


class Rows(Protocol):
    """The result rows of a statement; they can be read once."""

    @property
    def rowcount(self) -> int:
        """Return how many rows a change affected."""
        ...

    def fetchone(self) -> Any:
        """Return the next row, or None."""
        ...

    def fetchall(self) -> list[Any]:
        """Return all remaining rows."""
        ...

    def __iter__(self) -> Iterator[Any]:
        """Iterate over the remaining rows."""
        ...


class Reading(Protocol):
    """A transaction that sees one committed state, from its first query on."""

    def execute(self, sql: str, parameters: Sequence[Any] = ..., /) -> Rows:
        """Run one statement with `?` for each parameter; for modules of the store only."""
        ...

    def faults(self) -> list[str]:
        """Return what the backend itself finds wrong with the store's files; may take minutes."""
        ...

    def next_seq(self, table: str, number: int = 0, /) -> int:
        """Return the `seq` for the next row of a table, which no row ever had.

        A writer that inserts rows with it and the following ones says how many.
        """
        ...

    def server_time(self) -> float | None:
        """Return the time by a clock that several processes share; None if one process writes the store.

        Seconds since the epoch. A reading transaction began then, or later; a writing one runs, and has
        the lock of all that write. So a change is never dated before a state that was read without it.
        """
        ...

    def version(self) -> Hashable:
        """Return a stamp of the visible state; equal stamps mean equal states.

        The converse does not hold: one state may have several stamps, so a caller may read it twice.
        """
        ...


class Writing(Reading, Protocol):
    """A transaction that changes the store; it sees its own changes."""

    def executemany(self, sql: str, parameters: Iterable[Sequence[Any]], /) -> Rows:
        """Run one statement for each set of parameters; for modules of the store only."""
        ...


class LastWord(NamedTuple):
    """What a node last said on a store (Board): its bytes, and how old they are, in seconds."""

    told: bytes
    age_s: float


class Board(Protocol):
    """What a node says to other processes on its store, besides the store itself; not for the loop.

    Each method raises StoreUnusable.
    """

    def tell(self, told: bytes) -> None:
        """Say this in place of what was said before; a node that was fenced off says nothing."""
        ...

    def heard(self) -> LastWord | None:
        """Return what was last said; None if nothing was."""
        ...


class Store(Protocol):
    """A store; call start() before use and stop() after."""

    @property
    def location(self) -> str:
        """Where the store is; another process opens it with this (opening.snapshot_at).

        It may hold a password, so it is neither shown nor logged nor part of a command line.
        """
        ...

    @property
    def name(self) -> str:
        """Where the store is, for people: without a password."""
        ...

    def hold(self, *, alone: bool = False) -> None:
        """Before start(): keep every other node out until stop().

        `alone` keeps out the processes beside a node as well.

        This, or start(), then raises StoreInUse, and so does each change after the hold was lost to
        another node.
        """
        ...

    @property
    def board(self) -> Board | None:
        """Where a node speaks to the processes beside it; None for a file, which allows none."""
        ...

    def start(self) -> None:
        """Open or create the store; raises StoreUnusable, also for a store of an unknown version."""
        ...

    def stop(self) -> None:
        """Finish the pending changes and close; later changes are refused."""
        ...

    def read(self) -> AbstractContextManager[Reading]:
        """Open a transaction on one committed state for the block; usable in any thread.

        Raises StoreUnusable when the store cannot be read.
        """
        ...

    async def write(self, apply: Callable[[Writing], T]) -> T:
        """Apply a change in a transaction; returns when it is on disk, raises what `apply` raises.

        A backend may call `apply` a second time after undoing the first, so it changes nothing but the
        store.

        Raises StoreUnusable when the change could not be stored or the store is not open.
        """
        ...

    async def join(
        self, key: Hashable, apply: Callable[[Writing, Sequence[P]], Sequence[T]], part: P, weight: int
    ) -> T:
        """As write(), for a part that may be applied together with others that wait.

        Args:
            key: Parts with equal keys may be joined; whatever `apply` depends on belongs to it.
            apply: Applies parts in order, and returns the result of each.
            part: What this caller adds; it gets the result of it.
            weight: Its share of a joined change, which has at most joining.MOST_WEIGHT.
        """
        ...

    async def watch(self) -> None:
        """Wait while the writer runs; raises StoreUnusable when the writer ends by itself."""
        ...

    @property
    def trouble(self) -> str | None:
        """Why the last change could not be stored, because of the disk or the file; None if it was."""
        ...

    @property
    def damage(self) -> Damage:
        """Whether reads or changes have found that the store is damaged."""
        ...

    @property
    def commits(self) -> int:
        """The number of commits since start()."""
        ...

    async def committed(self, seen: int) -> int:
        """Wait until there were more than `seen` commits; returns their number."""
        ...


def check_version(name: str, version: int, newest: int, *, oldest: int = 0) -> None:
    """Refuse a store that this release cannot read; raises StoreTooNew and StoreTooOld.

    Args:
        name: The store, for people.
        version: The version that the store has.
        newest: The version that this release writes.
        oldest: The first version that will do; the others have to be migrated before.
    """
    if version > newest:
        raise StoreTooNew(f"{name} has version {version}, and this release knows {newest} at most")
    if version < oldest:
        raise StoreTooOld(f"{name} has version {version}, and this release works with {newest}")
