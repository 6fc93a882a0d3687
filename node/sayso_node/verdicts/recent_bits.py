"""Bits of people whom single questions were about lately: what is kept is that of the newest state read.

Bits change only with an event in the same transaction (store/events.py). So who has had none since the
last state stays in memory from one commit to the next, and who had one is read anew.
"""

from collections import OrderedDict
from typing import Final

from sayso_node.store import bits, events
from sayso_node.store.interface import Reading
from sayso_protocol.permissions.words import Masks

RECENT_WORDS: Final = 262_144  # each person counts as one more
FOLLOWED: Final = 4_096  # events at once: after more of them all is read anew


class RecentBits:
    """Some people's bits in memory; those that were not asked for longest go first."""

    def __init__(self, most: int = RECENT_WORDS) -> None:
        self._kept: OrderedDict[bytes, Masks] = OrderedDict()
        self._most = self._room = most
        self._seen = 0

    def follow(self, db: Reading) -> None:
        """Forget whose bits have changed; from here on all are of the state that this reads."""
        last = events.last_seq(db)
        if last - self._seen > FOLLOWED:
            self._kept.clear()
            self._room = self._most
        elif last > self._seen:
            for address in events.addresses_after(db, self._seen):
                self._forget(address)
        self._seen = last

    def has(self, address: bytes) -> bool:
        """Whether nothing has to be read for this person."""
        return address in self._kept

    def of(self, db: Reading, address: bytes) -> Masks:
        """All bits of an address, read if they are not kept."""
        if (kept := self._kept.get(address)) is not None:
            self._kept.move_to_end(address)
            return kept
        found = self._kept[address] = bits.bits_of(db, address)
        self._room -= 1 + len(found)
        while self._room < 0 and len(self._kept) > 1:
            self._forget(next(iter(self._kept)))
        return found

    def _forget(self, address: bytes) -> None:
        if (gone := self._kept.pop(address, None)) is not None:
            self._room += 1 + len(gone)
