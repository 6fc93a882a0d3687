"""What verdicts ask about revoked bits: single words, never all words of an address.

Anybody may set any number of words of his own address. So no question here costs more for an address
with many words, unless all of them are in memory anyway.
"""

from abc import ABC, abstractmethod
from collections.abc import Collection, Iterable, Sequence
from typing import Protocol

from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.covering import Place


class KnownBits(Protocol):
    """KnownBits answers questions about the revoked bits of addresses."""

    def speakers(self, addresses: Collection[bytes]) -> Collection[bytes]:
        """Return those of some addresses that have set any bit."""
        ...

    def has_scopes(self, address: bytes) -> bool:
        """Return whether an address has set the bit of any scope."""
        ...

    def masks(self, address: bytes, words: Collection[int]) -> Masks:
        """Return the masks of those of these words that have a bit, as word -> mask."""
        ...


class WholeBits(ABC):
    """WholeBits answers KnownBits from all bits of an address, which a subclass has in memory."""

    @abstractmethod
    def bits(self, address: bytes) -> Masks:
        """Return all bits that an address has set, as word -> mask."""

    def speakers(self, addresses: Collection[bytes]) -> Collection[bytes]:
        """See KnownBits."""
        return [address for address in addresses if self.bits(address)]

    def has_scopes(self, address: bytes) -> bool:
        """See KnownBits."""
        return has_scope(self.bits(address))

    def masks(self, address: bytes, words: Collection[int]) -> Masks:
        """See KnownBits."""
        return chosen(self.bits(address), words)


class HeldBits(WholeBits):
    """HeldBits holds bits that are added to it, at a cost that does not depend on those it holds."""

    def __init__(self) -> None:
        self._bits: dict[bytes, Masks] = {}
        self._with_scopes: set[bytes] = set()

    def add(self, address: bytes, heard: Masks) -> None:
        """Add bits of an address, as word -> mask."""
        held = self._bits.setdefault(address, {})
        for word, mask in heard.items():
            held[word] = held.get(word, 0) | mask
        if has_scope(heard):
            self._with_scopes.add(address)

    def bits(self, address: bytes) -> Masks:
        """See WholeBits."""
        return self._bits.get(address, {})

    def has_scopes(self, address: bytes) -> bool:
        """See KnownBits."""
        return address in self._with_scopes


class RevokedBits(HeldBits):
    """RevokedBits holds the bits of given revocations (see KnownBits)."""

    def __init__(self, revocations: Iterable[Revocation]) -> None:
        super().__init__()
        for one in revocations:
            self.add(one.contributor, one.bits)


def has_scope(words: Iterable[int]) -> bool:
    """Return whether one of some words is a scope's (rule 5.2)."""
    return any(word & SCOPE_FLAG for word in words)


def with_scopes(known: KnownBits, addresses: Collection[bytes]) -> set[bytes]:
    """Return those of some addresses that have set the bit of any scope."""
    return {one for one in known.speakers(addresses) if known.has_scopes(one)}


def chosen(masks: Masks, words: Iterable[int]) -> Masks:
    """Return the masks of some words, without empty ones."""
    return {word: mask for word in words if (mask := masks.get(word))}


def set_places(known: KnownBits, places: Sequence[Place]) -> list[bool]:
    """Return for each place whether its bit is set; each address is asked once."""
    words: dict[bytes, set[int]] = {}
    for one in places:
        words.setdefault(one.address, set()).add(one.word)
    bits = {address: known.masks(address, some) for address, some in words.items()}
    return [one.is_set(bits[one.address]) for one in places]
