"""When a node may speak at all: `stale` is its own statement about itself (rule 8.9).

A node answers only for a moment at which it had read the chain and had asked its peers. A consent heard
for the first time stays stale until both were begun after its arrival: until then a revocation of it
could be known elsewhere.
"""

from collections.abc import Iterable
from dataclasses import dataclass

from sayso_protocol.receipts.receipt import ChainPoint

QUORUM = 2  # configured peers that must have been asked; all, if there are fewer


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
    """Remembers when the chain was last read and each configured peer last asked."""

    def __init__(self, configured_peers: Iterable[str]) -> None:
        self.head = GENESIS
        self.dispute: str | None = None  # why two chain endpoints cannot both be right
        self._chain_begun = NEVER
        self._peers_begun = dict.fromkeys(configured_peers, NEVER)

    def chain_read(self, begun: float, head: ChainHead) -> None:
        """The chain was read up to `head`, by a reading begun at this time."""
        self._chain_begun, self.head = begun, head

    def peer_synced(self, peer_id: str, begun: float) -> None:
        """Everything a peer has was asked for, by a round begun at this time."""
        if peer_id in self._peers_begun:
            self._peers_begun[peer_id] = begun

    def is_current(self, now: float, max_age_s: float) -> bool:
        """Whether chain view and peers are younger than `max_age_s`, and our clock is not behind.

        A clock that lags the chain by more than that would take expired consents for valid ones. While
        endpoints tell different histories, nothing is current, whatever its age.
        """
        if self.dispute:
            return False
        oldest = min(self.head.time, self.confirmed_until(now))
        return now - oldest <= max_age_s and self.head.time - now <= max_age_s

    def confirmed_until(self, now: float) -> float:
        """Consents that arrived before this time were checked with the chain and the peers.

        What began ahead of `now` counts as never: our clock was put back since.
        """
        peers = sorted((_past(begun, now) for begun in self._peers_begun.values()), reverse=True)
        return min([_past(self._chain_begun, now), *peers[:QUORUM]])


def _past(begun: float, now: float) -> float:
    return begun if begun <= now else NEVER
