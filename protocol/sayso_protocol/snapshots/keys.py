"""The keys of a snapshot (rule 13.3), which a node writes and a gate looks up.

A key is the SHA-256 of a first byte and its content, in one block, which costs half a microsecond. The
first byte keeps the kinds of keys apart.

    word_keys(address, word, mask, permissions)    # of one word
    address_keys(address, words)                   # of the address that set them
    dispute_keys(address, hashes)                  # of what a heeded address disputes
    displaced_keys(digest, licenses)               # of a sublicense that does not count
"""

from collections.abc import Iterable, Iterator

import numpy as np

from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import FULL, WORD_BITS
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.snapshots.fuse_filter import Keys

_PERMISSIONS, _SCOPES, _WORD, _BIT = b"\x01", b"\x02", b"\x03", b"\x04"
_DISPUTER, _DISPUTE, _DISPLACED, _DISPLACED_FOR = b"\x05", b"\x06", b"\x07", b"\x08"
_WORD_BYTES = 31  # a word is below 2**248
_BITS = [bytes([bit]) for bit in range(WORD_BITS)]


def permissions_key(address: bytes) -> bytes:
    """Return the key for an address that has set a bit of a permission, 32 bytes (rule 13.3)."""
    return sha256(_PERMISSIONS + address)


def scopes_key(address: bytes) -> bytes:
    """Return the key for an address that has set a scope, 32 bytes (rule 13.3)."""
    return sha256(_SCOPES + address)


def word_key(address: bytes, word: int) -> bytes:
    """Return the key for a word of revoked permissions, or of a set scope, 32 bytes (rule 13.3)."""
    return sha256(_WORD + address + word.to_bytes(_WORD_BYTES))


def bit_key(address: bytes, word: int, bit: int) -> bytes:
    """Return the key for a set bit of a word with permissions left, 32 bytes (rule 13.3)."""
    return bit_key_after(bit_prefix(address, word), bit)


def bit_prefix(address: bytes, word: int) -> bytes:
    """Return what the content of the keys of all bits of a word begins with."""
    return _BIT + address + word.to_bytes(_WORD_BYTES)


def bit_key_after(prefix: bytes, bit: int) -> bytes:
    """Return the key for a bit of the word of a prefix, 32 bytes; see bit_key."""
    return sha256(prefix + _BITS[bit])


def disputer_key(address: bytes) -> bytes:
    """Return the key for an address that disputes anything, 32 bytes (rule 13.3)."""
    return sha256(_DISPUTER + address)


def dispute_key(address: bytes, disputed: bytes) -> bytes:
    """Return the key for a file or contributor that an address disputes, 32 bytes (rule 13.3).

    `disputed` is the hash in the dispute, 32 bytes (rules 3.15.2 and 3.15.3).
    """
    return sha256(_DISPUTE + address + disputed)


def dispute_keys(address: bytes, hashes: Iterable[bytes]) -> list[bytes]:
    """Return the keys for what an address disputes, and for the address (rule 13.3)."""
    keys = [dispute_key(address, one) for one in hashes]
    return [disputer_key(address), *keys] if keys else []


def displaced_key(digest: bytes) -> bytes:
    """Return the key for a sublicense that is displaced for any license, 32 bytes (rule 13.3)."""
    return sha256(_DISPLACED + digest)


def displaced_for_key(digest: bytes, license_hash: bytes) -> bytes:
    """Return the key for a sublicense that is displaced for a license, 32 bytes (rule 13.3)."""
    return sha256(_DISPLACED_FOR + digest + license_hash)


def displaced_keys(digest: bytes, licenses: Iterable[bytes]) -> list[bytes]:
    """Return the keys for a sublicense that is displaced for some licenses (rule 13.3)."""
    keys = [displaced_for_key(digest, one) for one in licenses]
    return [displaced_key(digest), *keys] if keys else []


def word_keys(address: bytes, word: int, mask: int, permissions: int = FULL) -> list[bytes]:
    """Return the keys of one word, without the keys of the address alone (rule 13.3).

    `permissions` has the bits of the word that are permissions of a license (rule 13.3.2).
    """
    if word & SCOPE_FLAG:  # other bits of a scope word have no meaning (rule 5.2)
        return [word_key(address, word)] if mask & 1 else []
    mask &= permissions
    if mask and mask == permissions:
        return [word_key(address, word)]
    prefix = bit_prefix(address, word)
    return [bit_key_after(prefix, bit) for bit in _bits(mask)]


def _bits(mask: int) -> Iterator[int]:
    while mask:
        lowest = mask & -mask
        yield lowest.bit_length() - 1
        mask ^= lowest


def address_keys(address: bytes, words: Iterable[int]) -> list[bytes]:
    """Return the keys of an address alone, by the words of which it has keys (rule 13.3)."""
    are_scopes = {bool(word & SCOPE_FLAG) for word in words}
    return [(scopes_key if one else permissions_key)(address) for one in sorted(are_scopes)]


def as_keys(joined: bytes | bytearray) -> Keys:
    """Return joined keys as uint8 rows, shape (n, 32)."""
    return np.frombuffer(joined, np.uint8).reshape(-1, HASH_BYTES)


def sorted_keys(keys: Keys) -> Keys:
    """Return each key once, ascending by the first 16 bytes, shape (n, 32)."""
    return new_keys(keys, keys[:0])


def new_keys(keys: Keys, known: Keys) -> Keys:
    """Return the keys that `known` lacks, each once, ascending by the first 16 bytes, shape (n, 32)."""
    both = np.concatenate([known, keys])
    halves = np.ascontiguousarray(both[:, : HASH_BYTES // 2]).view(">u8").astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # a stable sort keeps known keys first
    halves = halves[order]
    first = np.append(True, (halves[1:] != halves[:-1]).any(axis=1))[: len(order)]
    return both[order[first & (order >= len(known))]]
