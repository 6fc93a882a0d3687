"""Who has sent too much that anybody can see to be wrong: cut off for a while, longer each time.

Every misdeed counts one, and is forgotten by halves. What depends on clock, chain or policy is none
(docs/protocol.md, section 7). py-libp2p's own scores take weights of another sign than gossipsub's
specification, and leave a peer of the worst score in the mesh.
"""

from collections.abc import Callable

from cachetools import FIFOCache
from libp2p.peer.id import ID

REMEMBERED = 4_096  # peers: those that misbehaved longest ago are forgotten first


class _Record:
    def __init__(self, now: float) -> None:
        self.misdeeds = 0.0
        self.since = now
        self.cut_until = now
        self.cuts = 0


class Standing:
    """What is known of peers that misbehaved; `now` is a clock that only moves on, in seconds."""

    def __init__(self, now: Callable[[], float], most: float, half_life_s: float, cut_s: float) -> None:
        self._now = now
        self._most = most
        self._half_life_s = half_life_s
        self._cut_s = cut_s
        self._records: FIFOCache[ID, _Record] = FIFOCache(REMEMBERED)

    def blame(self, peer: ID) -> bool:
        """Count a misdeed; True if the peer is to be cut off now."""
        now = self._now()
        record = self._records[peer] = self._records.get(peer) or _Record(now)
        record.misdeeds = 1 + record.misdeeds * 0.5 ** ((now - record.since) / self._half_life_s)
        record.since = now
        if record.misdeeds < self._most or now < record.cut_until:
            return False
        record.misdeeds = 0.0
        record.cut_until = now + self._cut_s * 2.0 ** min(record.cuts, 10)
        record.cuts += 1
        return True

    def is_cut(self, peer: ID) -> bool:
        """Whether nothing is taken from a peer at present."""
        record = self._records.get(peer)
        return record is not None and self._now() < record.cut_until
