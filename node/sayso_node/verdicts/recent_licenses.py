"""Licenses that single questions asked for lately, packed: reading one costs more than judging a row.

A license never changes, so it is read once; whether it is revoked is read anew. Items are kept in one
piece with their sorted order beside it, 42 bytes an item where objects and a dictionary take 170.
"""

from array import array
from bisect import bisect_left
from collections import OrderedDict
from collections.abc import Iterator, Mapping
from typing import Any, Final

from sayso_node.verdicts.kept_licenses import HeldLicense
from sayso_protocol.primitives import HASH_BYTES

_BEGIN_BYTES: Final = 8
ITEM_BYTES: Final = HASH_BYTES + _BEGIN_BYTES + 2
LICENSE_BYTES: Final = 3_072  # the consent and what is around it
RECENT_BYTES: Final = 64 * 1_048_576


class ItemPlaces(Mapping[bytes, int]):
    """Item hash -> its index in the consent, by bisection over the first bytes of the hashes."""

    __slots__ = ("_begins", "_joined", "_order")

    def __init__(self, items: tuple[bytes, ...]) -> None:
        order = sorted(range(len(items)), key=items.__getitem__)
        self._joined = b"".join(items)
        self._order = array("H", order)
        self._begins = array("Q", [_begin(items[index]) for index in order])

    def get(self, item: bytes, default: Any = None) -> Any:
        """The index, or the default."""
        begins, begin = self._begins, _begin(item)
        place = bisect_left(begins, begin)
        while place < len(begins) and begins[place] == begin:  # whoever chose hashes alike pays for it
            index = self._order[place]
            if self._at(index) == item:
                return index
            place += 1
        return default

    def __contains__(self, item: object) -> bool:
        return isinstance(item, bytes) and self.get(item) is not None

    def __getitem__(self, item: bytes) -> int:
        if (index := self.get(item)) is None:
            raise KeyError(item)
        found: int = index
        return found

    def __iter__(self) -> Iterator[bytes]:
        return map(self._at, range(len(self._order)))

    def __len__(self) -> int:
        return len(self._order)

    def _at(self, index: int) -> bytes:
        return self._joined[index * HASH_BYTES : (index + 1) * HASH_BYTES]


def _begin(item: bytes) -> int:
    return int.from_bytes(item[:_BEGIN_BYTES])


class PackedLicense(HeldLicense):
    """A license that answers about its items without an object for each."""

    def __init__(self, held: HeldLicense) -> None:
        super().__init__(held.consent, (), held.arrived_at)
        object.__setattr__(self, "_positions", ItemPlaces(held.items))  # instead of what would be made


class RecentLicenses:
    """Some licenses in memory, within so many bytes; those that were not asked for longest go first."""

    def __init__(self, most: int = RECENT_BYTES) -> None:
        self._kept: OrderedDict[bytes, PackedLicense] = OrderedDict()
        self._room = most

    def get(self, license_hash: bytes) -> PackedLicense | None:
        """The license, if it is kept."""
        if held := self._kept.get(license_hash):
            self._kept.move_to_end(license_hash)
        return held

    def put(self, license_hash: bytes, held: HeldLicense) -> PackedLicense:
        """Keep one; what is returned has no list of its items, but their places."""
        packed = PackedLicense(held)
        if license_hash not in self._kept:
            self._room -= _weight(packed)
        self._kept[license_hash] = packed
        while self._room < 0:
            _, oldest = self._kept.popitem(last=False)
            self._room += _weight(oldest)
        return packed


def _weight(held: PackedLicense) -> int:
    return LICENSE_BYTES + ITEM_BYTES * held.consent.items
