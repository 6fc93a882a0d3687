"""Limits the work that peers may cause: a token bucket for each peer, and one for all strangers.

The requests of strangers never delay those of configured peers.
"""

from collections.abc import Iterable

from cachetools import FIFOCache

from sayso_node.interfaces import Clock

PER_SECOND = 50_000  # entries
MOST = 1_000_000
STRANGERS_PER_SECOND = 100_000  # of all strangers together
REMEMBERED_SHARES = 4_096  # peers


class Shares:
    """Shares of work, in entries read."""

    def __init__(self, clock: Clock, known: Iterable[str]) -> None:
        self._clock = clock
        self._known = frozenset(known)
        # Work used, and when it was last updated.
        self._used: FIFOCache[str, tuple[float, float]] = FIFOCache(REMEMBERED_SHARES)
        self._strangers = (0.0, clock.now())

    def knows(self, peer_id: str) -> bool:
        """Return whether the operator configured this peer."""
        return peer_id in self._known

    def has_some(self, peer_id: str) -> bool:
        """Return whether a peer has work left in its share."""
        if self._left(self._used.get(peer_id), PER_SECOND) >= MOST:
            return False
        return peer_id in self._known or self._left(self._strangers, STRANGERS_PER_SECOND) < MOST

    def charge(self, peer_id: str, cost: float) -> None:
        """Charge the cost of a request to a peer; a negative cost gives back."""
        now = self._clock.now()
        used = self._left(self._used.get(peer_id), PER_SECOND) + cost
        self._used[peer_id] = (max(0.0, used), now)
        if peer_id not in self._known:
            used = self._left(self._strangers, STRANGERS_PER_SECOND) + cost
            self._strangers = (max(0.0, used), now)

    def _left(self, used: tuple[float, float] | None, per_second: float) -> float:
        """Return the used work that has not been credited back yet."""
        if used is None:
            return 0.0
        amount, since = used
        return max(0.0, amount - per_second * abs(self._clock.now() - since))  # also if it was set back
