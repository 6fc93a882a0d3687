"""Caches the bits of addresses that status questions recently concerned, for the newest state read.

Bits change only together with an event (store/events.py). So an address without an event since the last
state keeps its cached bits, and an address with an event is read again.
"""

from typing import Final

from cachetools import LRUCache

from sayso_node.store import bits, events
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.words import Masks

RECENT_WORDS: Final = 262_144  # each address counts as one more word
FOLLOWED: Final = 4_096  # events at once; after more, the whole cache is cleared


class RecentBits:
    """The cached bits of some addresses; the least recently used go first (see KnownBits)."""

    def __init__(self, most: int = RECENT_WORDS) -> None:
        # An address with more words than the whole cache is cached alone, not read again each time.
        self._kept: LRUCache[bytes, Masks] = LRUCache(most, lambda masks: min(most, 1 + len(masks)))
        self._db: Reading | None = None
        self._seen = 0

    def follow(self, db: Reading) -> None:
        """Move to the state that `db` reads, and drop addresses whose bits have changed."""
        last = events.last_seq(db)
        if last - self._seen > FOLLOWED:
            self._kept.clear()
        elif last > self._seen:
            for address in events.addresses_after(db, self._seen):
                self._kept.pop(address, None)
        self._db, self._seen = db, last

    def read_on(self, db: Reading) -> None:
        """Continue with another transaction that sees the same state."""
        self._db = db

    def has(self, address: bytes) -> bool:
        """Return whether the address is cached."""
        return address in self._kept

    def bits(self, address: bytes) -> Masks:
        """Return all bits of an address in the current state, read if they are not cached."""
        kept = self._kept.get(address)
        if kept is None:
            assert self._db  # noqa: S101 - follow() was called
            kept = self._kept[address] = bits.bits_of(self._db, address)
        return kept
