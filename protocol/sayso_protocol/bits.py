"""The revocation state: grow-only sets of bits, one per address. Merging is OR (rule 5.6).

There is nothing else for nodes to agree on: any order, any duplicates, the same state.
"""

from collections.abc import Iterable

from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.words import Masks

StateEntry = tuple[bytes, int, int]  # (address, word, mask)


def news(known: Masks, heard: Masks) -> Masks:
    """The bits that `heard` adds to `known`, without words that add nothing."""
    fresh = {word: mask & ~known.get(word, 0) for word, mask in heard.items()}
    return {word: mask for word, mask in fresh.items() if mask}


def merged(known: Masks, heard: Masks) -> Masks:
    """Both together: commutative, associative, idempotent."""
    return {word: known.get(word, 0) | heard.get(word, 0) for word in known.keys() | heard.keys()}


def state_digest(entries: Iterable[StateEntry]) -> bytes:
    """What a receipt says of the revocation state: SHA-256 over the sorted entries (rule 9.3).

    An entry is address (20 bytes) . word (32 bytes) . mask (32 bytes), big-endian; empty masks are left
    out.
    """
    rows = sorted(
        address + word.to_bytes(HASH_BYTES) + mask.to_bytes(HASH_BYTES)
        for address, word, mask in entries
        if mask
    )
    return sha256(b"".join(rows))
