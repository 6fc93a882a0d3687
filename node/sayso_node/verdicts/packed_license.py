"""A license in compact form: it finds items without a Python object for each.

The item hashes are one byte string with an array of their sorted order: 42 bytes per item, where objects
and a dictionary take 170.
"""

from array import array
from bisect import bisect_left
from dataclasses import dataclass
from typing import Final

from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.verdicts.verdict import License

_BEGIN_BYTES: Final = 8
ITEM_BYTES: Final = HASH_BYTES + _BEGIN_BYTES + 2
LICENSE_BYTES: Final = 3_072  # the consent and the objects around it


@dataclass(frozen=True)
class HeldLicense(License):
    """A license as read from the store; `arrived_at` is its first arrival, seconds since the epoch."""

    arrived_at: float


class PackedLicense:
    """A license in compact form (see LicenseView)."""

    __slots__ = ("_begins", "_joined", "_order", "arrived_at", "consent")

    def __init__(self, held: HeldLicense) -> None:
        self.consent: Consent = held.consent
        self.arrived_at = held.arrived_at
        items = held.items
        order = sorted(range(len(items)), key=items.__getitem__)
        self._joined = b"".join(items)
        self._order = array("H", order)
        self._begins = array("Q", [_begin(items[index]) for index in order])

    @property
    def nbytes(self) -> int:
        """Approximate size in memory, in bytes."""
        return LICENSE_BYTES + ITEM_BYTES * len(self._order)

    def position_of(self, item: bytes) -> int | None:
        """Return the index of an item hash, by bisection over the hashes' first bytes."""
        begins, begin = self._begins, _begin(item)
        place = bisect_left(begins, begin)
        while place < len(begins) and begins[place] == begin:  # slow only for hashes chosen alike
            index = self._order[place]
            if self._joined[index * HASH_BYTES : (index + 1) * HASH_BYTES] == item:
                return index
            place += 1
        return None


def _begin(item: bytes) -> int:
    return int.from_bytes(item[:_BEGIN_BYTES])
