"""A binary fuse filter with fingerprints of 16 bits, built and queried in numpy (rule 13.6).

The filter finds every key of the set, and one in 65,536 of other keys. It takes 18.1 bits a key at a
million keys. Source: Graf and Lemire, "Binary Fuse Filters", 2022 (arXiv 2201.01174), with three cells a
key. The salt is drawn after the set is fixed, so that nobody can choose keys that collide. Keys are
hashed like UMAC's NH (RFC 4418), which is universal and costs one product.

    filter = built(keys, salts)     # keys: uint8, rows of 32 bytes, each key once
    filter.holds(others)            # one flag for each key
"""

from collections.abc import Iterable
from dataclasses import dataclass
from math import floor, log

import numpy as np
from numpy.typing import NDArray

SALT_BYTES = 16
_AT_ONCE = 32_768  # keys whose intermediate results stay in the processor's cache
_LONGEST_SEGMENT = 1 << 18
_HALF, _MIDDLE = np.uint64(32), np.uint64(18)
_LIMB = np.dtype("<u8")
CELL = np.dtype("<u2")

Keys = NDArray[np.uint8]
Cells = NDArray[np.uint16]
Numbers = NDArray[np.uint64]
Places = NDArray[np.int64]
Flags = NDArray[np.bool_]


@dataclass(frozen=True)
class Shape:
    """Shape is the layout of a filter's cells (rule 13.6).

    Attributes:
        segment: Cells of a segment, a power of two; a key's cells are in three consecutive segments.
        starts: The number of segments for a key's first cell; 0 in a filter without keys.
    """

    segment: int
    starts: int

    @property
    def cells(self) -> int:
        """Return the number of cells."""
        return (self.starts + 2) * self.segment if self.starts else 0


@dataclass(frozen=True)
class Fuse:
    """Fuse is a binary fuse filter (rule 13.6).

    Attributes:
        salt: Salt of the key hashes, 16 bytes (rule 13.4).
        shape: Layout of the cells.
        cells: uint16, shape (shape.cells,).
    """

    salt: bytes
    shape: Shape
    cells: Cells

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether it is known; one in 65,536 others is, too."""
        found = np.zeros(len(keys), bool)
        for start in range(0, len(keys) if self.shape.starts else 0, _AT_ONCE):
            hashes = key_hashes(self.salt, keys[start : start + _AT_ONCE])
            self._test(hashes, found[start : start + _AT_ONCE])
        return found

    def _test(self, hashes: Numbers, found: Flags) -> None:
        """Test hashes as in `places`, written out to save passes over memory."""
        cells, span = self.cells, np.uint64(self.shape.segment)
        place, other = hashes >> _HALF, np.empty_like(hashes)
        shares, share = np.empty((2, len(hashes)), CELL)
        place *= np.uint64(self.shape.starts * self.shape.segment)
        place >>= _HALF
        # `clip` saves a copy in numpy; all places are inside.
        cells.take(place.view(np.int64), out=shares, mode="clip")
        for shift in (_MIDDLE, np.uint64(0)):
            np.right_shift(hashes, shift, out=other)
            other &= span - np.uint64(1)
            place += span
            other ^= place
            cells.take(other.view(np.int64), out=share, mode="clip")
            shares ^= share
        np.equal(shares, fingerprints(hashes), out=found)


def key_hashes(salt: bytes, keys: Keys) -> Numbers:
    """Return the 64-bit hash of each key under a salt (rule 13.4)."""
    limbs = np.ascontiguousarray(keys).view(_LIMB)
    first, second = np.frombuffer(salt, _LIMB)
    hashes: Numbers = limbs[:, 0] + first
    hashes *= limbs[:, 1] + second
    hashes ^= hashes >> _HALF
    return hashes


def fingerprints(hashes: Numbers) -> Cells:
    """Return bits 32 to 47 of each hash, the XOR of a key's three cells (rule 13.6.4)."""
    return np.ascontiguousarray(hashes).view(CELL)[2::4]


def places(hashes: Numbers, shape: Shape) -> Places:
    """Return the three cells of each key, shape (3, n) (rule 13.6.4)."""
    first = ((hashes >> _HALF) * np.uint64(shape.starts * shape.segment)) >> _HALF
    within, span = np.uint64(shape.segment - 1), np.uint64(shape.segment)
    second = (first + span) ^ ((hashes >> _MIDDLE) & within)
    third = (first + span + span) ^ (hashes & within)
    return np.stack([first, second, third]).view(np.int64)


def shape_for(count: int) -> Shape:
    """Return a shape with enough cells for `count` keys."""
    if not count:
        return Shape(1, 0)
    size = max(count, 2)
    segment = min(1 << floor(log(size) / log(3.33) + 2.25), _LONGEST_SEGMENT)
    room = round(count * max(1.125, 0.875 + 0.25 * log(1_000_000) / log(size)))
    return Shape(segment, max(1, -(-room // segment) - 2))


def built(keys: Keys, salts: Iterable[bytes]) -> Fuse:
    """Build a filter over keys that differ in their first 16 bytes, with the first salt that succeeds.

    A few salts in a hundred fail. Raises StopIteration if no salt is left.
    """
    shape = shape_for(len(keys))
    return next(made for salt in salts if (made := _build(keys, salt, shape)))


def _build(keys: Keys, salt: bytes, shape: Shape) -> Fuse | None:
    if not len(keys):
        return Fuse(salt, shape, np.zeros(0, CELL))
    hashes = key_hashes(salt, keys)
    cells_of = places(hashes, shape)
    rounds = _peel(cells_of, shape.cells)
    if sum(len(owners) for owners, _ in rounds) < len(keys):
        return None
    cells, shares = np.zeros(shape.cells, CELL), fingerprints(hashes)
    for owners, own in reversed(rounds):
        first, second, third = cells_of[:, owners]
        cells[own] = shares[owners] ^ cells[first] ^ cells[second] ^ cells[third]
    return Fuse(salt, shape, cells)


def _peel(cells_of: Places, size: int) -> list[tuple[Places, Places]]:
    """Remove keys with a cell of their own until none is left; returns keys and cells by round.

    Each cell keeps the number of its keys and the sum of their indexes. With one key left, the sum is
    the index of that key.
    """
    counts, sums = np.zeros(size, np.int32), np.zeros(size, np.int64)
    numbers = np.arange(cells_of.shape[1])
    for row in cells_of:
        np.add.at(counts, row, 1)
        np.add.at(sums, row, numbers)
    turn = np.empty_like(numbers)
    rounds = []
    alone = np.flatnonzero(counts == 1)
    while len(alone):
        owners = sums[alone]
        # A key that is alone in two cells is removed once.
        turn[owners] = order = np.arange(len(owners))
        once = turn[owners] == order
        owners, alone = owners[once], alone[once]
        rounds.append((owners, alone))
        touched = cells_of[:, owners]
        for row in touched:
            np.subtract.at(counts, row, 1)
            np.subtract.at(sums, row, owners)
        alone = touched[counts[touched] == 1]
    return rounds
