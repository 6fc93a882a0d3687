"""Decides whether a node's view is recent enough to answer; if not, it answers `stale` (rule 8.9).

A view is as old as the last reading of the chain and the last sync with each configured peer. A new
consent stays stale until a reading and sync rounds that began after its arrival have ended: until then,
another node could know a revocation of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sayso_protocol.receipts.receipt import ChainPoint

QUORUM = 2  # configured peers that must have been synced; all of them, if there are fewer


@dataclass(frozen=True)
class ChainHead:
    """The newest block a node has read.

    Attributes:
        point: Number and hash.
        time: The block's timestamp, seconds since the epoch.
    """

    point: ChainPoint
    time: float


GENESIS = ChainHead(ChainPoint(0, bytes(32)), 0.0)
NEVER = float("-inf")


class Freshness:
    """Keeps when the chain was last read and when each configured peer was last synced."""

    def __init__(self, configured_peers: Iterable[str]) -> None:
        self.head = GENESIS
        self.dispute: str | None = None  # how two chain endpoints contradict each other
        self._chain_begun = NEVER
        self._peers_begun = dict.fromkeys(configured_peers, NEVER)

    def chain_read(self, begun: float, head: ChainHead) -> None:
        """Record that a reading that began at this time read the chain up to `head`."""
        self._chain_begun, self.head = begun, head

    def peer_synced(self, peer_id: str, begun: float) -> None:
        """Record that a round that began at this time fetched everything a peer has."""
        if peer_id in self._peers_begun:
            self._peers_begun[peer_id] = begun

    def is_current(self, now: float, max_age_s: float) -> bool:
        """Return whether the view is at most `max_age_s` seconds old and our clock is not behind.

        A clock that is further behind the chain would take expired consents for valid ones. While chain
        endpoints contradict each other, no view is current.
        """
        if self.dispute:
            return False
        oldest = min(self.head.time, self.confirmed_until(now))
        return now - oldest <= max_age_s and self.head.time - now <= max_age_s

    def confirmed_until(self, now: float) -> float:
        """Return the time before which arrived consents were checked with the chain and the peers.

        A reading or round dated after `now` does not count: our clock was set back since.
        """
        peers = sorted((_past(begun, now) for begun in self._peers_begun.values()), reverse=True)
        return min([_past(self._chain_begun, now), *peers[:QUORUM]])


def _past(begun: float, now: float) -> float:
    return begun if begun <= now else NEVER
