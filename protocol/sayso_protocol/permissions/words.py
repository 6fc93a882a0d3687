"""Permission words: the position of each permission among a contributor's bits.

Rule 5.5: the id of an agreement is `keccak256(abi.encode(grantee, via, content, purposes))`, and `base`
is its low 248 bits with bit 247 and the low 6 bits cleared. Item i for purpose j is bit
`n = i * len(purposes) + j`, at word `base + n // 256`, bit `n % 256`. The terms determine the words, so
a renewal on identical terms shares the bits and is revoked with them.
"""

from collections.abc import Iterable
from functools import lru_cache

from sayso_protocol.permissions.scopes import SCOPE_FLAG, WORD_MASK
from sayso_protocol.primitives import keccak

WORD_BITS = 256
FULL = (1 << WORD_BITS) - 1
_LOW_BITS = 0x3F  # a consent has at most 64 words: 1,024 items x 16 purposes / 256

Masks = dict[int, int]  # word -> mask


@lru_cache(1_024)  # many consents name the same marketplace and purposes
def _abi_string(text: str) -> bytes:
    """Return the ABI tail of a string: its length, then its bytes padded to 32."""
    data = text.encode()
    return len(data).to_bytes(32) + data + bytes(-len(data) % 32)


@lru_cache(1_024)
def _abi_strings(texts: tuple[str, ...]) -> bytes:
    """Return the ABI tail of a string[]: length, offsets, tails."""
    tails = [_abi_string(text) for text in texts]
    offsets, position = [], 32 * len(tails)
    for tail in tails:
        offsets.append(position.to_bytes(32))
        position += len(tail)
    return len(tails).to_bytes(32) + b"".join(offsets) + b"".join(tails)


def agreement_id(grantee: bytes, via: str, content: bytes, purposes: tuple[str, ...]) -> bytes:
    """Return the id of an agreement on these terms, 32 bytes (rule 5.5; Solidity ABI specification)."""
    via_tail = _abi_string(via)
    head = (
        grantee.rjust(32, b"\0")
        + (4 * 32).to_bytes(32)
        + content
        + (4 * 32 + len(via_tail)).to_bytes(32)
    )
    return keccak(head + via_tail + _abi_strings(purposes))


def base_word(agreement: bytes) -> int:
    """Return the first word of the consents of an agreement, given by its id (rule 5.5)."""
    return int.from_bytes(agreement) & WORD_MASK & ~SCOPE_FLAG & ~_LOW_BITS


def masks_of(base: int, bits: Iterable[int]) -> Masks:
    """Return the masks of a consent's bit numbers, as word -> mask (rule 5.5)."""
    masks: Masks = {}
    for number in bits:
        word = base + number // WORD_BITS
        masks[word] = masks.get(word, 0) | 1 << number % WORD_BITS
    return masks
