"""The revocation state: grow-only sets of bits, one per address. Merging is OR (rule 5.6).

There is nothing else for nodes to agree on: any order, any duplicates, the same state.
"""

from sayso_protocol.permissions.words import Masks


def news(known: Masks, heard: Masks) -> Masks:
    """The bits that `heard` adds to `known`, without words that add nothing."""
    fresh = {word: mask & ~known.get(word, 0) for word, mask in heard.items()}
    return {word: mask for word, mask in fresh.items() if mask}


def merged(known: Masks, heard: Masks) -> Masks:
    """Both together: commutative, associative, idempotent."""
    return {word: known.get(word, 0) | heard.get(word, 0) for word in known.keys() | heard.keys()}
