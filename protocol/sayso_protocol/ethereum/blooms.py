"""The bloom filter in a block's header: which events the block cannot have (Yellow Paper, 4.3.1).

It has no false negatives: a block with an event has the bits of its contract and of each topic.
"""

from typing import Final

from sayso_protocol.primitives import keccak

BLOOM_BYTES: Final = 256
_BITS: Final = 8 * BLOOM_BYTES
_PARTS: Final = (0, 2, 4)  # bytes of the hash that each name one bit


def bloom_of(*values: bytes) -> bytes:
    """Return the filter with the bits of these values, 256 bytes."""
    bits = 0
    for value in values:
        digest = keccak(value)
        for part in _PARTS:
            bits |= 1 << int.from_bytes(digest[part : part + 2]) % _BITS
    return bits.to_bytes(BLOOM_BYTES)


def may_hold(bloom: bytes, value: bytes) -> bool:
    """Return False if no event with this address or topic is in the block of this filter."""
    wanted = int.from_bytes(bloom_of(value))
    return int.from_bytes(bloom) & wanted == wanted
