"""Caches licenses in memory, for single rows and for checks of a million rows.

A license never changes, so it is cached within one limit in bytes: single ones in packed form, and those
of checks on a shelf, many together in columns. What was read first goes first, but the shelf goes last
as long as checks use it: to note each use of a license would touch memory in a dozen places, which takes
longer than all else that finds it. Revocations and freshness are never cached.
"""

from collections.abc import Callable, Iterable
from operator import attrgetter
from threading import Lock
from typing import Any, Final, NamedTuple

import numpy as np
from cachetools import FIFOCache

from sayso_node.verdicts.packed_license import HeldLicense, PackedLicense
from sayso_node.verdicts.stored_terms import LicenseBatch
from sayso_node.verdicts.table_cache import EMPTY, TableCache
from sayso_protocol.verdicts.license_table import (
    HASH,
    Names,
    among,
    license_names,
)

MOST_BYTES: Final = 320 * 1_048_576
SHELF_SHARE: Final = 0.8  # of the limit at most, so that single licenses find room
WORTH: Final = 8  # a shelf takes in new licenses of at least an eighth of its size
_SHELF: Final = b""  # key of the shelf among the license hashes

Read = Callable[[bytes], HeldLicense | None]
ReadBatches = Callable[[Names], Iterable[LicenseBatch]]


class Gathered(NamedTuple):
    """The licenses that the rows of a check name.

    Attributes:
        shelves: Together they have every held license, each once.
        erased: The hashes of those that were erased, ascending.
    """

    shelves: list[TableCache]
    erased: Names


class LicenseCache:
    """A cache of licenses with a limit in bytes; usable in any thread."""

    def __init__(self, most: int = MOST_BYTES) -> None:
        self._kept: FIFOCache[bytes, Any] = FIFOCache(most, getsizeof=attrgetter("nbytes"))
        self._lock = Lock()  # held for changes only; a look-up reads one dictionary

    def get(self, name: bytes) -> PackedLicense | None:
        """Return a license for single rows, if it is cached."""
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

    def gather(self, rows: bytes, read: ReadBatches) -> Gathered:
        """Return the licenses that joined rows name, from the shelf or read.

        What does not fit on the shelf is kept for these rows only, so memory is bounded by their number.
        """
        names, kept = license_names(rows), self._shelf
        on_shelf = among(names, kept.names)
        uses, missing = int(np.count_nonzero(on_shelf)), names[~on_shelf]
        room = int(self._kept.maxsize * SHELF_SHARE)
        if is_used := 2 * uses >= len(kept.names):
            room -= kept.nbytes
        whole, rest, erased = list[TableCache](), list[TableCache](), [np.empty(0, HASH)]
        for batch, tombs in read(missing):
            room -= batch.nbytes
            if room >= 0:
                whole.append(batch)
            else:
                rest.append(batch.only(rows))
            erased.append(tombs)
        new, others = TableCache.joined(whole), TableCache.joined(rest)
        whole.clear()  # the columns are copied, so the memory of the parts is free
        rest.clear()
        shelves = [*self._keep(new, kept, joining=is_used), others]
        shelves = [one for one in shelves if len(one.names) and (uses or one is not kept)]
        return Gathered(shelves, np.sort(np.concatenate(erased)))

    def clear(self) -> None:
        """Forget all licenses, because the store dates them anew."""
        with self._lock:
            self._kept.clear()

    @property
    def _shelf(self) -> TableCache:
        with self._lock:
            shelf: TableCache | None = self._kept.get(_SHELF)
            if shelf is None:
                return EMPTY
            self._kept[_SHELF] = shelf  # as if it were new
        return shelf

    def _keep(self, new: TableCache, kept: TableCache, *, joining: bool) -> list[TableCache]:
        """Put new licenses on the shelf, beside the others or in their place; return both.

        If two threads do so at once, the licenses of one are read again later.
        """
        if not len(new.names) or new.nbytes * WORTH < kept.nbytes:
            return [kept, new]
        if kept.nbytes + new.nbytes <= self._kept.maxsize * SHELF_SHARE:
            both = TableCache.joined([kept, new]) if len(kept.names) else new
            self._put(_SHELF, both)
            return [both]
        if not joining:
            self._put(_SHELF, new)
        return [kept, new]

    def _put(self, name: bytes, found: PackedLicense | TableCache) -> None:
        if found.nbytes <= self._kept.maxsize:
            with self._lock:
                self._kept[name] = found
