"""The body of a delta: a sorted list of hashed keys, 18 to 19 bits each (rule 13.7).

The encoding is that of Elias and Fano: the low 16 bits of each hash unchanged, and the high bits as
unary differences. At most one in 65,536 of other keys is found. Source: Elias, "Efficient Storage and
Retrieval by Content and Address of Static Files", J. ACM 21 (1974).
"""

from dataclasses import dataclass

import numpy as np

from sayso_protocol.errors import Malformed
from sayso_protocol.snapshots.fuse_filter import CELL, Flags, Keys, Numbers, key_hashes
from sayso_protocol.verdicts.license_table import among

_LOW_BITS = 16


@dataclass(frozen=True)
class KeyList:
    """KeyList is the sorted list of a delta's keys (rule 13.7).

    Attributes:
        salt: 16 bytes (rule 13.4).
        bits: The number of bits of each hash in the list.
        values: The highest `bits` bits of the hashes, ascending, uint64.
    """

    salt: bytes
    bits: int
    values: Numbers

    def holds(self, keys: Keys) -> Flags:
        """Return for each key, a row of 32 bytes, whether it is known."""
        return among(key_hashes(self.salt, keys) >> np.uint64(64 - self.bits), self.values)

    def packed(self) -> bytes:
        """Return the encoded list (rule 13.7.1)."""
        high = (self.values >> np.uint64(_LOW_BITS)).astype(np.int64)
        marks = np.zeros(_marks(len(high), self.bits), bool)
        marks[high + np.arange(len(high))] = True
        low = self.values.astype(CELL)
        return low.tobytes() + np.packbits(marks, bitorder="little").tobytes()


def list_of(salt: bytes, keys: Keys) -> KeyList:
    """Return the list of keys under a salt (rule 13.7)."""
    bits = list_bits(len(keys))
    return KeyList(salt, bits, np.sort(key_hashes(salt, keys) >> np.uint64(64 - bits)))


def list_bits(count: int) -> int:
    """Return the number of bits of each hash in a list of `count` keys (rule 13.7)."""
    return _LOW_BITS + max(count - 1, 0).bit_length()


def list_bytes(count: int) -> int:
    """Return the length of an encoded list of `count` keys, bytes (rule 13.7.1)."""
    return 2 * count + -(-_marks(count, list_bits(count)) // 8)


def unpacked_list(salt: bytes, count: int, data: bytes) -> KeyList:
    """Read an encoded list of `count` keys (rule 13.7); raises Malformed."""
    if len(data) != list_bytes(count):
        raise Malformed(f"a list of {count} keys has {list_bytes(count)} bytes, not {len(data)}")
    low = np.frombuffer(data, CELL, count).astype(np.uint64)
    bits = np.frombuffer(data, np.uint8, offset=2 * count)
    marks = np.flatnonzero(np.unpackbits(bits, bitorder="little"))
    if len(marks) != count or (count and marks[-1] >= _marks(count, list_bits(count))):
        raise Malformed("the list has another number of keys than its head states")
    high = (marks - np.arange(count)).astype(np.uint64)
    values = (high << np.uint64(_LOW_BITS)) | low
    if (values[1:] < values[:-1]).any():
        raise Malformed("the list is not in ascending order")
    return KeyList(salt, list_bits(count), values)


def _marks(count: int, bits: int) -> int:
    return count + (1 << (bits - _LOW_BITS)) if count else 0
