"""Licenses of a check in columns, as they are read and cached."""

from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Final, Self

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.verdicts.license_table import (
    ABSENT,
    HASH,
    ROW,
    Ints,
    Licenses,
    LicenseTable,
    Names,
    among,
)


@dataclass(frozen=True)
class TableCache:
    """Some licenses in columns.

    Attributes:
        table: The columns in which rows are looked up.
        arrivals: For each license of the table its first arrival, seconds since the epoch.
        names: The license hashes, ascending.
        numbers: For each license of the table its number in the store, which never changes; 0 until
            somebody asks who passes it on (see StoreKnowledge.chains_on).
    """

    table: LicenseTable
    arrivals: NDArray[np.float64]
    names: Names
    numbers: Ints

    @property
    def nbytes(self) -> int:
        """Approximate size in memory, in bytes."""
        columns = self.arrivals, self.names, self.numbers
        return self.table.nbytes + sum([int(one.nbytes) for one in columns])

    @classmethod
    def joined(cls, some: "Sequence[TableCache]") -> Self:
        """Return the licenses of all; no license may be in two."""
        if not some:
            return cls(
                LicenseTable(Licenses.of(())), np.empty(0), np.empty(0, HASH), np.empty(0, np.int64)
            )
        return cls(
            LicenseTable.joined([one.table for one in some]),
            np.concatenate([one.arrivals for one in some]),
            np.sort(np.concatenate([one.names for one in some]), kind="stable"),
            np.concatenate([one.numbers for one in some]),
        )

    def only(self, rows: bytes) -> Self:
        """Return the same licenses with no other items than those that joined rows name."""
        asked = np.frombuffer(rows, ROW)
        entries = self.table.find(asked[among(asked["license"], self.names)].tobytes())
        return replace(self, table=self.table.only(entries[entries != ABSENT]))


EMPTY: Final = TableCache.joined(())
