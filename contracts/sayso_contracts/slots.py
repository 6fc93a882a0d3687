"""Where the registry keeps its state, for EIP-1186 proofs of presence and of absence.

The layout is fixed by contracts/src/SaysoRegistry.sol and held by its tests. A slot is the Keccak-256 of
the padded key and the padded position of the mapping (Solidity's storage layout).
"""

from sayso_protocol.primitives import keccak

_ANCHORS = (0).to_bytes(32)
_BITS = (1).to_bytes(32)


def anchor_slot(root: bytes) -> bytes:
    """The 32-byte slot of an anchor: submitter (160 bits), block number (48), block time (48)."""
    return keccak(root + _ANCHORS)


def bits_slot(contributor: bytes, word: int) -> bytes:
    """The 32-byte slot of a contributor's word; an absent slot says that nothing is revoked in it."""
    return keccak(word.to_bytes(32) + keccak(contributor.rjust(32, b"\0") + _BITS))
