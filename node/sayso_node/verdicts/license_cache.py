"""Caches licenses in memory, for single rows and for checks of a million rows.

Reading a license from the store costs as much as judging a thousand rows, and a license never changes.
The cache keeps recently used licenses within one limit in bytes: single ones in packed form, and those
of checks on a shelf, many together in columns. The least recently used go first. Revocations and
freshness are never cached.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import cached_property
from operator import attrgetter
from threading import Lock
from typing import Any, Final

import numpy as np
from cachetools import LRUCache
from numpy.typing import NDArray

from sayso_node.verdicts.packed_license import LICENSE_BYTES, HeldLicense, PackedLicense
from sayso_protocol.messages.consent import Consent
from sayso_protocol.verdicts.license_table import LicenseTable

MOST_BYTES: Final = 320 * 1_048_576
SHELF_SHARE: Final = 0.8  # of the limit at most, so that single licenses find room
BATCH_WEIGHT: Final = 1_048_576  # items that are read at once
LICENSE_WEIGHT: Final = 32  # items that a license counts for besides its own
WORTH: Final = 8  # a shelf takes in new licenses of at least an eighth of its size
_SHELF: Final = b""  # key of the shelf among the license hashes

Read = Callable[[bytes], HeldLicense | None]


@dataclass(frozen=True)
class TableCache:
    """Some licenses in columns.

    Attributes:
        table: The columns in which rows are looked up.
        arrivals: For each license of the table its first arrival, seconds since the epoch.
        names: The license hashes.
    """

    table: LicenseTable
    arrivals: NDArray[np.float64]
    names: frozenset[bytes]

    @cached_property
    def nbytes(self) -> int:
        """Approximate size in memory, in bytes."""
        return self.table.nbytes + LICENSE_BYTES * len(self.names)

    def joined(self, other: "TableCache") -> "TableCache":
        """Return a table with the licenses of both."""
        arrivals = np.concatenate([self.arrivals, other.arrivals])
        return TableCache(self.table.joined(other.table), arrivals, self.names | other.names)


_EMPTY: Final = TableCache(LicenseTable(()), np.empty(0), frozenset())


class LicenseCache:
    """A cache of licenses with a limit in bytes; usable in any thread."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._kept: LRUCache[bytes, Any] = LRUCache(most, getsizeof=attrgetter("nbytes"))
        self._lock = Lock()  # held for look-ups only, because the event loop takes it too

    def get(self, name: bytes) -> PackedLicense | None:
        """Return a license for single rows, if it is cached."""
        with self._lock:
            try:
                kept: PackedLicense = self._kept[name]
            except KeyError:
                return None
        return kept

    def license(self, name: bytes, read: Read) -> PackedLicense | None:
        """Return a license for single rows, read if it is not cached; None if the store lacks it."""
        kept = self.get(name)
        if kept is None and (held := read(name)):
            kept = PackedLicense(held)
            self._put(name, kept)
        return kept

    def shelves(self, names: set[bytes], read: Read) -> Iterator[TableCache]:
        """Yield tables that together have every held license of these names, each once."""
        kept = self._shelf
        if not names.isdisjoint(kept.names):
            yield kept
        missing = iter(names - kept.names)
        while (shelf := _fill(missing, read)).names:
            self._keep(shelf)
            yield shelf

    @property
    def _shelf(self) -> TableCache:
        with self._lock:
            shelf: TableCache = self._kept.get(_SHELF, _EMPTY)
        return shelf

    def _keep(self, shelf: TableCache) -> None:
        """Cache a shelf; if two threads do so at once, one of the shelves is read again later."""
        kept = self._shelf
        if shelf.nbytes * WORTH < kept.nbytes or not shelf.names.isdisjoint(kept.names):
            return
        if kept.nbytes + shelf.nbytes <= self._kept.maxsize * SHELF_SHARE:
            shelf = kept.joined(shelf)
        self._put(_SHELF, shelf)

    def _put(self, name: bytes, found: PackedLicense | TableCache) -> None:
        if found.nbytes <= self._kept.maxsize:
            with self._lock:
                self._kept[name] = found


def _fill(names: Iterator[bytes], read: Read) -> TableCache:
    """Read the next held licenses into a table, up to a weight."""
    arrivals: list[float] = []
    found: list[bytes] = []

    def held() -> Iterator[tuple[bytes, Consent, tuple[bytes, ...]]]:
        weight = 0
        while weight < BATCH_WEIGHT and (name := next(names, None)) is not None:
            if one := read(name):
                weight += len(one.items) + LICENSE_WEIGHT
                arrivals.append(one.arrived_at)
                found.append(name)
                yield name, one.consent, one.items

    table = LicenseTable(held())
    return TableCache(table, np.array(arrivals, np.float64), frozenset(found))
