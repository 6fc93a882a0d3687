"""The keys of one address, up to the limits; beyond them the address has none and is not named.

A person who sets a great many bits harms only their own rows: these are `stale` offline (rule 13.3.3).
"""

from typing import Final

from sayso_protocol.permissions.scopes import SCOPE_FLAG
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.snapshots.keys import address_keys, word_keys

PERMISSION_KEYS: Final = 16_384  # of an address; as many as the permissions of the largest license
SCOPE_KEYS: Final = 4_096  # of an address


class AddressKeys:
    """Collects the keys of one address.

    Attributes:
        address: The address, 20 bytes.
        is_crowded: Whether it has more keys than the limits allow.
    """

    def __init__(self, address: bytes) -> None:
        self.address = address
        self.is_crowded = False
        self._keys: tuple[list[bytes], list[bytes]] = ([], [])  # of permissions, and of scopes

    def add(self, word: int, mask: int, permissions: int) -> None:
        """Add the set bits of a word that are permissions of held licenses (see permissions_in)."""
        if self.is_crowded:
            return
        is_scope = bool(word & SCOPE_FLAG)
        keys = self._keys[is_scope]
        keys += word_keys(self.address, word, mask, permissions)
        if len(keys) > (SCOPE_KEYS if is_scope else PERMISSION_KEYS):
            self.is_crowded = True
            self._keys = ([], [])

    def joined(self) -> bytes:
        """Return the joined keys, those of the address alone included; empty when it is crowded."""
        words = [word for word, some in zip((0, SCOPE_FLAG), self._keys, strict=True) if some]
        return b"".join([*self._keys[0], *self._keys[1], *address_keys(self.address, words)])


def permissions_in(word: int, base: int, permissions: int) -> int:
    """Return the bits of a word that are permissions of a license with this first word and so many."""
    left = permissions - (word - base) * WORD_BITS
    return (1 << min(max(left, 0), WORD_BITS)) - 1
