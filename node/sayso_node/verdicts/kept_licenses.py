"""Licenses in memory, in columns: what large checks are judged by.

Reading a license from the store costs as much as judging a thousand rows, and a license never changes.
So those that checks asked for lately are kept, up to a bound; whether they are revoked, and whether the
node may speak, is read anew for every check.
"""

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.messages.consent import Consent
from sayso_protocol.verdicts.license_table import LicenseTable
from sayso_protocol.verdicts.verdict import License

KEPT_WEIGHT: Final = 4_194_304  # items, each license as many more as follows: 200 to 400 MB
LICENSE_WEIGHT: Final = 32
BATCH_WEIGHT: Final = 1_048_576  # read at once
WORTH: Final = 8  # what is not an eighth of what is kept is not worth sorting it in


@dataclass(frozen=True)
class HeldLicense(License):
    """A license and when its consent was first heard, seconds since the epoch."""

    arrived_at: float


@dataclass(frozen=True)
class Shelf:
    """Some licenses in columns.

    Attributes:
        table: To look rows up in.
        arrivals: For each license of the table when it was first heard, seconds since the epoch.
        names: The license hashes.
    """

    table: LicenseTable
    arrivals: NDArray[np.float64]
    names: frozenset[bytes]

    @property
    def weight(self) -> int:
        """How much memory it takes, in items."""
        return len(self.table.owner) + LICENSE_WEIGHT * len(self.names)

    def joined(self, other: "Shelf") -> "Shelf":
        """Both together."""
        arrivals = np.concatenate([self.arrivals, other.arrivals])
        return Shelf(self.table.joined(other.table), arrivals, self.names | other.names)


EMPTY: Final = Shelf(LicenseTable(()), np.empty(0), frozenset())
Read = Callable[[bytes], HeldLicense | None]


class KeptLicenses:
    """Finds the licenses of a check, and keeps them; usable in any thread."""

    def __init__(self, weight: int = KEPT_WEIGHT) -> None:
        self._most = weight
        self._shelf = EMPTY

    def shelves(self, names: set[bytes], read: Read) -> Iterator[Shelf]:
        """Shelves that together hold every license of these names that is held, each once."""
        kept = self._shelf
        if not names.isdisjoint(kept.names):
            yield kept
        missing = iter(names - kept.names)
        while (shelf := _fill(missing, read)).names:
            self._keep(shelf)
            yield shelf

    def _keep(self, shelf: Shelf) -> None:
        """Another thread may keep something else meanwhile: then one of them is read again later."""
        kept = self._shelf
        if shelf.weight * WORTH < kept.weight or not shelf.names.isdisjoint(kept.names):
            return
        if kept.weight + shelf.weight > self._most:
            self._shelf = shelf
        else:
            self._shelf = kept.joined(shelf)


def _fill(names: Iterator[bytes], read: Read) -> Shelf:
    """A shelf of the next licenses that are held, up to a weight."""
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
    return Shelf(table, np.array(arrivals, np.float64), frozenset(found))
