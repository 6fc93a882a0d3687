"""The bits that verdicts ask about, from one transaction (see KnownBits).

All words of an address are read only if they are few; of any other address, each question reads the
words that it names. So a person with a million words costs what others cost.
"""

from collections.abc import Collection
from typing import Final, NamedTuple

from cachetools import FIFOCache

from sayso_node.store.interface import Reading
from sayso_node.store.revocations import bits
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.known_bits import chosen, has_scope

FEW_WORDS: Final = 8  # of an address, which are read and kept together
KEPT_WORDS: Final = 262_144  # each address counts as one more word
_MANY_ADDRESSES: Final = 4  # from so many on, one statement finds those who have bits


class _Person(NamedTuple):
    """What is kept of an address.

    Attributes:
        masks: All words; None if there are more than FEW_WORDS.
        has_scopes: Whether one of its words is a scope's.
        spoke: Whether it has any word.
    """

    masks: Masks | None
    has_scopes: bool
    spoke: bool = True


_SILENT: Final = _Person({}, has_scopes=False, spoke=False)


class StoreBits:
    """Bits of all addresses in one state; those read first are read again first."""

    def __init__(self, db: Reading | None = None, most: int = KEPT_WORDS) -> None:
        self._kept: FIFOCache[bytes, _Person] = FIFOCache(  # its look-ups change nothing
            most, lambda person: min(most, 1 + len(person.masks or ()))
        )
        self._db = db

    def read_on(self, db: Reading) -> None:
        """Continue with another transaction that sees the same state."""
        self._db = db

    def speakers(self, addresses: Collection[bytes]) -> Collection[bytes]:
        """See KnownBits."""
        if len(addresses) >= _MANY_ADDRESSES:
            return bits.speakers_among(self._reading, [*addresses])
        return [address for address in addresses if self._person(address).spoke]

    def has_scopes(self, address: bytes) -> bool:
        """See KnownBits."""
        return self._person(address).has_scopes

    def masks(self, address: bytes, words: Collection[int]) -> Masks:
        """See KnownBits."""
        kept = self._person(address).masks
        return bits.masks_of(self._reading, address, words) if kept is None else chosen(kept, words)

    @property
    def _reading(self) -> Reading:
        assert self._db  # noqa: S101 - given at once or by read_on
        return self._db

    def _person(self, address: bytes) -> _Person:
        try:
            return self._kept[address]
        except KeyError:
            person = self._kept[address] = self._read(address)
            return person

    def _read(self, address: bytes) -> _Person:
        masks = bits.first_words(self._reading, address, FEW_WORDS + 1)
        if len(masks) > FEW_WORDS:
            return _Person(None, bits.has_scopes(self._reading, address))
        return _Person(masks, has_scope(masks)) if masks else _SILENT
