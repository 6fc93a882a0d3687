"""The exact lists of a snapshot: sorted hashes of 96 bits, 78 bits each at a million (rule 13.7.4).

Whom a list names can become clear, so a name must be neither guessed nor found by search: a hash is 12
bytes of SHA-256 and never cut. The encoding is that of Elias and Fano, as in key_list.py: each hash's
low bits unchanged, and the high bits as unary differences.

    names = hashed(salt, keys)    # sorted, each once
    among(hashes_of(salt, wanted), unpacked(packed(names), len(names)))
"""

from collections.abc import Iterable
from typing import Final

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import sha256

NAME_BYTES: Final = 12
_NAME_BITS: Final = 8 * NAME_BYTES
_ROWS: Final = (
    8_192  # coded at once, which bounds the memory; a multiple of 8, so each part fills its bytes
)
_PERSON, _LICENSE, _SUBLICENSE = b"\x10", b"\x11", b"\x12"
_NAME = np.dtype(f"S{NAME_BYTES}")

Names = NDArray[np.bytes_]


def person_key(address: bytes) -> bytes:
    """Return the key of a person whom a list names (rule 13.3.4)."""
    return _PERSON + address


def license_key(license_hash: bytes) -> bytes:
    """Return the key of a license that a list names (rule 13.3.4)."""
    return _LICENSE + license_hash


def sublicense_key(digest: bytes) -> bytes:
    """Return the key of a sublicense that a list names, by its digest (rule 13.3.4)."""
    return _SUBLICENSE + digest


def hashed(salt: bytes, keys: Iterable[bytes]) -> Names:
    """Return the hash of each key under a salt, ascending and each once (rule 13.3.4)."""
    return np.unique(hashes_of(salt, keys))


def hashes_of(salt: bytes, keys: Iterable[bytes]) -> Names:
    """Return the hash of each key under a salt, in the order of the keys (rule 13.3.4)."""
    joined = bytearray()
    for key in keys:
        joined += sha256(salt + key)[:NAME_BYTES]
    return np.frombuffer(joined, _NAME)


def list_bytes(count: int) -> int:
    """Return the length of an encoded list of `count` hashes, bytes (rule 13.7.4)."""
    high = _high_bits(count)
    return _bytes(count * (_NAME_BITS - high)) + _bytes(_marks(count, high))


def packed(names: Names) -> bytes:
    """Return an encoded list of sorted hashes, each once (rule 13.7.4)."""
    count = len(names)
    high = _high_bits(count)
    rows = _rows_of(names)
    low = bytearray()
    for start in range(0, count, _ROWS):
        low += np.packbits(np.unpackbits(rows[start : start + _ROWS], axis=1)[:, high:]).tobytes()
    marks = np.zeros(_marks(count, high), bool)
    marks[_high_of(rows, high) + np.arange(count)] = True
    return bytes(low) + np.packbits(marks, bitorder="little").tobytes()


def unpacked(data: bytes, count: int) -> Names:
    """Read an encoded list of `count` hashes (rule 13.7.4); raises Malformed."""
    if len(data) != list_bytes(count):
        raise Malformed(f"a list of {count} hashes has {list_bytes(count)} bytes, not {len(data)}")
    high, width = _high_bits(count), _NAME_BITS - _high_bits(count)
    size = _bytes(count * width)
    marks = np.flatnonzero(np.unpackbits(np.frombuffer(data, np.uint8)[size:], bitorder="little"))
    if len(marks) != count or (count and marks[-1] >= _marks(count, high)):
        raise Malformed("the list has another number of hashes than its head states")
    if count * width % 8 and data[size - 1] & ((1 << -count * width % 8) - 1):
        raise Malformed("the bits behind the list are not 0")
    firsts = marks - np.arange(count)
    rows = np.empty((count, NAME_BYTES), np.uint8)
    shifts = np.arange(high - 1, -1, -1)
    for start in range(0, count, _ROWS):
        some = firsts[start : start + _ROWS]
        part = np.frombuffer(data, np.uint8, _bytes(len(some) * width), start * width // 8)
        bits = np.empty((len(some), _NAME_BITS), np.uint8)
        bits[:, :high] = (some[:, None] >> shifts) & 1
        bits[:, high:] = np.unpackbits(part, count=len(some) * width).reshape(-1, width)
        rows[start : start + _ROWS] = np.packbits(bits, axis=1)
    names: Names = rows.view(_NAME).reshape(-1)
    if (names[1:] <= names[:-1]).any():
        raise Malformed("the list is not in ascending order, each hash once")
    return names


def _high_bits(count: int) -> int:
    return max(count - 1, 0).bit_length()


def _marks(count: int, high: int) -> int:
    return count + (1 << high) if count else 0


def _bytes(bits: int) -> int:
    return -(-bits // 8)


def _rows_of(names: Names) -> NDArray[np.uint8]:
    return np.ascontiguousarray(names).view(np.uint8).reshape(-1, NAME_BYTES)


def _high_of(rows: NDArray[np.uint8], high: int) -> NDArray[np.int64]:
    firsts = np.ascontiguousarray(rows[:, :8]).view(">u8").reshape(-1).astype(np.uint64)
    return (firsts >> np.uint64(64 - high)).astype(np.int64) if high else np.zeros(len(rows), np.int64)
