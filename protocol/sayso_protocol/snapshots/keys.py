"""What a snapshot has one key for (rule 13.3), and what a gate asks it for.

A key is the SHA-256 of a kind and what it is about, in one block: it costs half a microsecond. Kinds
keep apart what would otherwise read alike.

    joined_keys(entries, doubted)    # everything that goes into a snapshot, each key once
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
    """That the address has set a bit of a permission."""
    return sha256(_PERMISSIONS + address)


def scopes_key(address: bytes) -> bytes:
    """That the address has set a scope."""
    return sha256(_SCOPES + address)


def word_key(address: bytes, word: int) -> bytes:
    """That the address has set all bits of a word, or the scope whose word it is."""
    return sha256(_WORD + address + word.to_bytes(_WORD_BYTES))


def bit_key(address: bytes, word: int, bit: int) -> bytes:
    """That the address has set this bit of a word of permissions, and not all others."""
    return sha256(_BIT + address + word.to_bytes(_WORD_BYTES) + _BITS[bit])


def doubt_key(address: bytes) -> bytes:
    """That a revocation by the address was lost (rule 7.15): nothing that depends on it is clear."""
    return sha256(_DOUBT + address)


def entry_keys(address: bytes, word: int, mask: int) -> Iterator[bytes]:
    """The keys of one word, but for those of the address."""
    if word & SCOPE_FLAG:  # its other bits mean nothing (rule 5.2)
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
    """The keys of a whole state, each once, in ascending order.

    Args:
        entries: Address, word and mask. The same word may come more than once.
        doubted: The addresses of rule 7.15.
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
    """Joined keys as rows of 32 bytes."""
    return np.frombuffer(joined, np.uint8).reshape(-1, HASH_BYTES)


def sorted_keys(keys: Keys) -> Keys:
    """Each key once, in order; no two of them begin with the same 16 bytes."""
    return new_keys(keys, keys[:0])


def new_keys(keys: Keys, known: Keys) -> Keys:
    """Those of `keys` that are not among `known`, each once, in order, by their first 16 bytes."""
    both = np.concatenate([known, keys])
    halves = np.ascontiguousarray(both[:, : HASH_BYTES // 2]).view(">u8").astype(np.uint64)
    order = np.lexsort((halves[:, 1], halves[:, 0]))  # stable: what is known stands first
    halves = halves[order]
    first = np.append(True, (halves[1:] != halves[:-1]).any(axis=1))[: len(order)]
    return both[order[first & (order >= len(known))]]
