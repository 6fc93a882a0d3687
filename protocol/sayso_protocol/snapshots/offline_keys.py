"""The keys of a snapshot that revoke a permission: rule 8.2 in terms of keys (rule 13.10)."""

from sayso_protocol.messages.consent import Consent
from sayso_protocol.snapshots.keys import bit_key, word_key
from sayso_protocol.verdicts.covering import Cover, Place


def wide_keys(cover: Cover) -> list[bytes]:
    """Return the key of a scope that covers all items of a license; empty for other covers."""
    return _keys(cover.wide) if cover.wide else []


def row_keys(cover: Cover, consent: Consent, position: int, item: bytes) -> list[bytes]:
    """Return the keys for one item: a scope's word, or a permission's bit and its full word."""
    return _keys(cover.at(consent, position, item))


def _keys(place: Place) -> list[bytes]:
    word = word_key(place.address, place.word)
    if place.scope is not None:
        return [word]
    return [bit_key(place.address, place.word, place.bit), word]
