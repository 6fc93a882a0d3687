"""How much work peers may cost: a bucket for each that fills with time, and one for all strangers.

Whom the operator configured is never held up by what strangers ask.
"""

from collections.abc import Iterable

from cachetools import FIFOCache

from sayso_node.interfaces import Clock

PER_SECOND = 50_000  # entries
MOST = 1_000_000
STRANGERS_PER_SECOND = 100_000  # of all together
REMEMBERED_SHARES = 4_096  # peers


class Shares:
    """Shares of work, in entries read."""

    def __init__(self, clock: Clock, known: Iterable[str]) -> None:
        self._clock = clock
        self._known = frozenset(known)
        # How much, and when.
        self._used: FIFOCache[str, tuple[float, float]] = FIFOCache(REMEMBERED_SHARES)
        self._strangers = (0.0, clock.now())

    def knows(self, peer_id: str) -> bool:
        """Whether the operator configured this peer."""
        return peer_id in self._known

    def has_some(self, peer_id: str) -> bool:
        """Whether a peer has anything left."""
        if self._left(self._used.get(peer_id), PER_SECOND) >= MOST:
            return False
        return peer_id in self._known or self._left(self._strangers, STRANGERS_PER_SECOND) < MOST

    def charge(self, peer_id: str, cost: float) -> None:
        """A peer's question has cost this much."""
        now = self._clock.now()
        self._used[peer_id] = (self._left(self._used.get(peer_id), PER_SECOND) + cost, now)
        if peer_id not in self._known:
            self._strangers = (self._left(self._strangers, STRANGERS_PER_SECOND) + cost, now)

    def _left(self, used: tuple[float, float] | None, per_second: float) -> float:
        """What of the work that was done is not yet forgiven."""
        if used is None:
            return 0.0
        amount, since = used
        return max(0.0, amount - per_second * max(0.0, self._clock.now() - since))
