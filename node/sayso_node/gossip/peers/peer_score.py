"""Peer scores: peers that send invalid messages are banned, each time for longer.

Each misdeed adds one to a penalty that decays with time. Failures that depend on clock, chain or policy
are no misdeeds (docs/protocol.md, section 7). The scores of py-libp2p are not used: their weights have
the opposite sign of gossipsub's specification, and they keep the worst peers in the mesh.
"""

from collections.abc import Callable

from cachetools import FIFOCache
from libp2p.peer.id import ID

from sayso_node.supervision.retrying import backoff

LONGEST = 1_024.0  # longest ban, as a multiple of the first
REMEMBERED_PEERS = 4_096  # the peer whose last misdeed is oldest is forgotten first


class _Record:
    def __init__(self, now: float) -> None:
        self.penalty = 0.0
        self.since = now
        self.banned_until = now
        self.bans = 0


class PeerScore:
    """PeerScore has the penalties of peers; `now` is a monotonic clock in seconds."""

    def __init__(
        self, now: Callable[[], float], max_penalty: float, half_life_s: float, ban_s: float
    ) -> None:
        self._now = now
        self._max_penalty = max_penalty
        self._half_life_s = half_life_s
        self._ban_s = ban_s
        self._records: FIFOCache[ID, _Record] = FIFOCache(REMEMBERED_PEERS)

    def penalize(self, peer: ID) -> bool:
        """Add one to a peer's penalty; returns whether the peer is to be banned now."""
        now = self._now()
        record = self._records[peer] = self._records.get(peer) or _Record(now)
        record.penalty = 1 + record.penalty * 0.5 ** ((now - record.since) / self._half_life_s)
        record.since = now
        if record.penalty < self._max_penalty or now < record.banned_until:
            return False
        record.penalty = 0.0
        record.banned_until = now + backoff(self._ban_s, record.bans, self._ban_s * LONGEST)
        record.bans += 1
        return True

    def is_banned(self, peer: ID) -> bool:
        """Return whether a peer is banned."""
        record = self._records.get(peer)
        return record is not None and self._now() < record.banned_until
