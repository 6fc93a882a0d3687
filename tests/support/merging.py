"""The revocation state as a set of bits for each address, merged by OR (rule 5.6): what stores come to.

Nodes reach the same state from the same messages, in any order and with any repetition.
"""

from sayso_protocol.permissions.words import Masks


def news(known: Masks, heard: Masks) -> Masks:
    """Return the bits of `heard` that `known` lacks, as word -> mask."""
    fresh = {word: mask & ~known.get(word, 0) for word, mask in heard.items()}
    return {word: mask for word, mask in fresh.items() if mask}


def merged(known: Masks, heard: Masks) -> Masks:
    """Return the bitwise OR of both, which is commutative, associative and idempotent (rule 5.6)."""
    return {word: known.get(word, 0) | heard.get(word, 0) for word in known.keys() | heard.keys()}
