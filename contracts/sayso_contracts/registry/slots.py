"""The storage slots of the registry, for EIP-1186 proofs of presence and absence.

contracts/src/SaysoRegistry.sol defines the layout. A slot is the Keccak-256 of the padded key and the
padded position of the mapping (Solidity's storage layout).
"""

from sayso_protocol.primitives import keccak

_ANCHORS = (0).to_bytes(32)
_BITS = (1).to_bytes(32)
_ENDORSEMENTS = (2).to_bytes(32)


def anchor_slot(root: bytes) -> bytes:
    """Return the slot of an anchor, 32 bytes: submitter (160 bits), block number (48), time (48)."""
    return keccak(root + _ANCHORS)


def bits_slot(contributor: bytes, word: int) -> bytes:
    """Return the slot of a contributor's word, 32 bytes; no bit is set if the slot is absent."""
    return keccak(word.to_bytes(32) + keccak(contributor.rjust(32, b"\0") + _BITS))


def endorsement_slot(signer: bytes, digest: bytes) -> bytes:
    """Return the slot of an endorsement, 32 bytes: block number (48 bits), time (48); absent without."""
    return keccak(digest + keccak(signer.rjust(32, b"\0") + _ENDORSEMENTS))
