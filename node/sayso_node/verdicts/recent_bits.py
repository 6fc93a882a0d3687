"""Bits of people whom single questions were about lately: what is kept is that of the newest state read.

Bits change only with an event in the same transaction (store/events.py). So who has had none since the
last state stays in memory from one commit to the next, and who had one is read anew.
"""

from typing import Final

from cachetools import LRUCache

from sayso_node.store import bits, events
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.words import Masks

RECENT_WORDS: Final = 262_144  # each person counts as one more
FOLLOWED: Final = 4_096  # events at once: after more of them all is read anew


class RecentBits:
    """Some people's bits in memory; those that were not asked for longest go first (see KnownBits)."""

    def __init__(self, most: int = RECENT_WORDS) -> None:
        # Whoever has set more than all others together is kept alone, and not read again and again.
        self._kept: LRUCache[bytes, Masks] = LRUCache(most, lambda masks: min(most, 1 + len(masks)))
        self._db: Reading | None = None
        self._seen = 0

    def follow(self, db: Reading) -> None:
        """Forget whose bits have changed; from here on all are of the state that this reads."""
        last = events.last_seq(db)
        if last - self._seen > FOLLOWED:
            self._kept.clear()
        elif last > self._seen:
            for address in events.addresses_after(db, self._seen):
                self._kept.pop(address, None)
        self._db, self._seen = db, last

    def read_on(self, db: Reading) -> None:
        """Read from another transaction that sees the same state."""
        self._db = db

    def has(self, address: bytes) -> bool:
        """Whether nothing has to be read for this person."""
        return address in self._kept

    def bits(self, address: bytes) -> Masks:
        """All bits of an address in the state that is followed, read if they are not kept."""
        kept = self._kept.get(address)
        if kept is None:
            assert self._db  # noqa: S101 - a state is followed
            kept = self._kept[address] = bits.bits_of(self._db, address)
        return kept
