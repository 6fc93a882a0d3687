"""The keys of a snapshot that revoke a permission: rule 8.2 in terms of keys (rule 13.10)."""

from collections.abc import Sequence

from sayso_protocol.messages.consent import Consent
from sayso_protocol.snapshots.keys import bit_key, bit_key_after, bit_prefix, word_key
from sayso_protocol.verdicts.covering import Cover, Place
from sayso_protocol.verdicts.rows import row_at


class RowKeys:
    """RowKeys computes the keys of many rows; what rows of one word share is computed once."""

    def __init__(self) -> None:
        self._words: dict[tuple[bytes, int], tuple[bytes, bytes]] = {}

    def of(self, cover: Cover, consent: Consent, position: int, rows: bytes, at: int) -> Sequence[bytes]:
        """Return what row_keys does, for row `at` of joined rows."""
        if cover.scope is not None:
            return row_keys(cover, consent, position, row_at(rows, at).item)
        word, bit = consent.bit_of(position, cover.purpose)
        place = cover.address, word
        if place not in self._words:
            self._words[place] = bit_prefix(*place), word_key(*place)
        prefix, whole = self._words[place]
        return bit_key_after(prefix, bit), whole


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
