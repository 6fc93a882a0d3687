"""Scores of peers that sent what anybody can see to be wrong: a ban for a while, longer each time.

Each misdeed adds one to a penalty that halves with time. What depends on clock, chain or policy is no
misdeed (docs/protocol.md, section 7). py-libp2p's own scores take weights of another sign than those of
gossipsub's specification, and leave a peer of the worst score in the mesh.
"""

from collections.abc import Callable

from cachetools import FIFOCache
from libp2p.peer.id import ID

from sayso_node.retrying import backoff

LONGEST = 1_024.0  # bans, as a multiple of the first
REMEMBERED_PEERS = 4_096  # peers: those that misbehaved longest ago are forgotten first


class _Record:
    def __init__(self, now: float) -> None:
        self.penalty = 0.0
        self.since = now
        self.banned_until = now
        self.bans = 0


class PeerScore:
    """PeerScore knows the peers that misbehaved; `now` is a clock that only moves on, in seconds."""

    def __init__(
        self, now: Callable[[], float], max_penalty: float, half_life_s: float, ban_s: float
    ) -> None:
        self._now = now
        self._max_penalty = max_penalty
        self._half_life_s = half_life_s
        self._ban_s = ban_s
        self._records: FIFOCache[ID, _Record] = FIFOCache(REMEMBERED_PEERS)

    def penalize(self, peer: ID) -> bool:
        """Add one to a peer's penalty; True if the peer is to be banned now."""
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
        """Whether nothing is taken from a peer at present."""
        record = self._records.get(peer)
        return record is not None and self._now() < record.banned_until
