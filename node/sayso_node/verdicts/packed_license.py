"""A license in compact form: it finds items without a Python object for each.

The item hashes are one byte string, beside a hash table of their indexes: 36 to 40 bytes per item, where
objects and a dictionary take 170. A look-up touches two places of memory, which matters more than what
it computes: the licenses that questions concern do not fit into the processor's caches.
"""

from array import array
from dataclasses import dataclass
from typing import Final

from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.verdicts.verdict import License

_FREE: Final = 0xFFFF  # a cell of the table without an index
ITEM_BYTES: Final = HASH_BYTES + 8  # at most four cells of two bytes for each item
LICENSE_BYTES: Final = 3_072  # the consent and the objects around it


@dataclass(frozen=True)
class HeldLicense(License):
    """A license as read from the store; `arrived_at` is its first arrival, seconds since the epoch."""

    arrived_at: float


class PackedLicense:
    """A license in compact form (see LicenseView)."""

    __slots__ = ("_cells", "_joined", "arrived_at", "consent", "nbytes")

    def __init__(self, held: HeldLicense) -> None:
        self.consent: Consent = held.consent
        self.arrived_at = held.arrived_at
        self._joined = b"".join(held.items)
        self._cells = _table(held.items)
        self.nbytes = LICENSE_BYTES + ITEM_BYTES * len(held.items)  # in memory, approximately

    def position_of(self, item: bytes) -> int | None:
        """Return the index of an item hash, from 0; None if the license does not name it."""
        cells, joined = self._cells, self._joined
        cell = hash(item) % len(cells)
        while (index := cells[cell]) != _FREE:
            if joined[index * HASH_BYTES : (index + 1) * HASH_BYTES] == item:
                return index
            cell = (cell + 1) % len(cells)
        return None


def _table(items: tuple[bytes, ...]) -> "array[int]":
    """Return the indexes of items, each in the first free cell from that of the item's hash on.

    Python keys its hashes with a secret of the process, so nobody can choose items that share a cell.
    """
    cells = array("H", [_FREE]) * (1 << (2 * len(items)).bit_length())
    for index, item in enumerate(items):
        cell = hash(item) % len(cells)
        while cells[cell] != _FREE:
            cell = (cell + 1) % len(cells)
        cells[cell] = index
    return cells
