"""The keys of a snapshot (rule 13.3), which a node writes and a gate looks up.

A key is the SHA-256 of a first byte and its content, in one block, which costs half a microsecond. The
first byte keeps the kinds of keys apart.

    joined_keys(entries, doubted)    # all keys of a snapshot, each once
"""

from collections.abc import Iterable, Iterator

import numpy as np

from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.state_digest import StateEntry
from sayso_protocol.permissions.words import FULL, WORD_BITS
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.snapshots.fuse_filter import Keys

_PERMISSIONS, _SCOPES, _WORD, _BIT, _DOUBT = b"\x01", b"\x02", b"\x03", b"\x04", b"\x05"
_WORD_BYTES = 31  # a word is below 2**248
_BITS = [bytes([bit]) for bit in range(WORD_BITS)]


def permissions_key(address: bytes) -> bytes:
    """Return the key for an address that has set a bit of a permission, 32 bytes (rule 13.3)."""
    return sha256(_PERMISSIONS + address)


def scopes_key(address: bytes) -> bytes:
    """Return the key for an address that has set a scope, 32 bytes (rule 13.3)."""
    return sha256(_SCOPES + address)


def word_key(address: bytes, word: int) -> bytes:
    """Return the key for a full word, or for the word of a set scope, 32 bytes (rule 13.3)."""
    return sha256(_WORD + address + word.to_bytes(_WORD_BYTES))


def bit_key(address: bytes, word: int, bit: int) -> bytes:
    """Return the key for a set bit of a word that is not full, 32 bytes (rule 13.3)."""
    return sha256(_BIT + address + word.to_bytes(_WORD_BYTES) + _BITS[bit])


def doubt_key(address: bytes) -> bytes:
    """Return the key for an address in doubt, 32 bytes (rules 7.15 and 13.3)."""
    return sha256(_DOUBT + address)


def entry_keys(address: bytes, word: int, mask: int) -> Iterator[bytes]:
    """Yield the keys of one word, without the keys of the address alone (rule 13.3)."""
    if word & SCOPE_FLAG:  # other bits of a scope word have no meaning (rule 5.2)
        if mask & 1:
            yield word_key(address, word)
    elif mask == FULL:
        yield word_key(address, word)
    else:
        prefix = _BIT + address + word.to_bytes(_WORD_BYTES)
        while mask:
            lowest = mask & -mask
            yield sha256(prefix + _BITS[lowest.bit_length() - 1])
            mask ^= lowest


def joined_keys(entries: Iterable[StateEntry], doubted: Iterable[bytes]) -> Keys:
    """Return the keys of a whole state, each once, ascending (rule 13.3).

    Args:
        entries: Address, word and mask; words may repeat.
        doubted: The addresses in doubt (rule 7.15).
    """
    joined = bytearray()
    licensors: set[bytes] = set()
    speakers: set[bytes] = set()
    for address, word, mask in entries:
        (speakers if word & SCOPE_FLAG else licensors).add(address)
        joined += b"".join(entry_keys(address, word, mask))
    for kind, people in ((permissions_key, licensors), (scopes_key, speakers), (doubt_key, doubted)):
        joined += b"".join(map(kind, people))
    return sorted_keys(as_keys(joined))


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
