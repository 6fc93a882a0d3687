"""Which keys of a snapshot speak against a permission (rule 13.10): rule 8.2, said in keys."""

from sayso_protocol.messages.consent import Consent
from sayso_protocol.snapshots.keys import bit_key, word_key
from sayso_protocol.verdicts.covering import Cover, Place


def wide_keys(cover: Cover) -> list[bytes]:
    """The key of a scope that covers every item of a license; none for what covers single items."""
    return _keys(cover.wide) if cover.wide else []


def row_keys(cover: Cover, consent: Consent, position: int, item: bytes) -> list[bytes]:
    """The keys for one item: a scope's word, or a permission's bit and its word, set full."""
    return _keys(cover.at(consent, position, item))


def _keys(place: Place) -> list[bytes]:
    word = word_key(place.address, place.word)
    if place.scope is not None:
        return [word]
    return [bit_key(place.address, place.word, place.bit), word]
