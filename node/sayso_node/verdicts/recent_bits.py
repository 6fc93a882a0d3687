"""Keeps the bits of addresses that status questions recently concerned, for the newest state read.

Bits change only together with an event (store/events/feed.py). So an address without an event since
the last state keeps its bits, and an address with an event is read again.
"""

from typing import Final

from sayso_node.store.events import feed as events
from sayso_node.store.interface import Reading
from sayso_node.store.revocations.known_bits import StoreBits

FOLLOWED: Final = 4_096  # events at once; after more, everything is read again


class RecentBits(StoreBits):
    """Bits that follow the store from one state to the next."""

    _seen = 0

    def follow(self, db: Reading) -> None:
        """Move to the state that `db` reads, and drop addresses whose bits have changed."""
        last = events.last_seq(db)
        if not self._kept or last - self._seen > FOLLOWED:
            self._kept.clear()
        elif last > self._seen:
            for address in events.addresses_after(db, self._seen):
                self._kept.pop(address, None)
        self._seen = last
        self.read_on(db)
