"""Decides whether a node may speak: whether its view is recent enough (rule 8.9).

Receipts, status answers, snapshots, `/readyz` and the stream of events all ask `Freshness.view`. While
the node may not speak, it answers `stale` and publishes nothing.

A view is as old as the last reading of the chain and the last sync with each configured peer. A new
consent stays stale until a reading and sync rounds that began after its arrival have ended: until then,
another node could know a revocation of it.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

from sayso_protocol.limits import LIMITS
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
AGE_COUNTS_S = 3_600.0


class Silence(StrEnum):
    """Why a node may not speak; the first of these that holds."""

    DISPUTE = "chain-disagreement"  # two endpoints contradict each other
    CHAIN = "chain-unread"  # the chain was never read, or only at a time that our clock says is to come
    PEERS = "peers-unasked"  # fewer peers were synced than must be
    CLOCK = "clock-behind"  # our clock is behind the chain: expired consents would count as valid
    OLD = "view-too-old"


class View(NamedTuple):
    """What a node may speak from.

    Attributes:
        head: The newest block that was read.
        as_of: The oldest of block, reading and rounds (rule 13.2.1); NEVER while the node is silent.
        confirmed: Consents that arrived before were checked with the chain and the peers; likewise.
        silence: Why the node may not speak; None if it may.
    """

    head: ChainHead
    as_of: float
    confirmed: float
    silence: Silence | None


class Freshness:
    """Keeps when the chain was last read and when each configured peer was last synced."""

    def __init__(self, configured_peers: Iterable[str]) -> None:
        self.head = GENESIS
        self.dispute: str | None = None  # how two chain endpoints contradict each other
        self._chain_begun = NEVER
        self._asked_age = float("inf"), NEVER
        self._peers_begun = dict.fromkeys(configured_peers, NEVER)

    def note_age(self, now: float, max_age_s: float) -> None:
        """Note that somebody asked with this maximum age; the shortest of an hour counts."""
        shortest, noted_at = self._asked_age
        if max_age_s <= shortest or not 0 <= now - noted_at < AGE_COUNTS_S:
            self._asked_age = max_age_s, now

    def asked_age(self, now: float) -> float | None:
        """Return the shortest maximum age in seconds that was asked for of late, None without any."""
        shortest, noted_at = self._asked_age
        return shortest if 0 <= now - noted_at < AGE_COUNTS_S else None

    def chain_read(self, begun: float, head: ChainHead) -> None:
        """Record that a reading that began at this time read the chain up to `head`."""
        self._chain_begun, self.head = begun, head

    def peer_synced(self, peer_id: str, begun: float) -> None:
        """Record that a round that began at this time fetched everything a peer has."""
        if peer_id in self._peers_begun:
            self._peers_begun[peer_id] = begun

    def view(self, now: float, max_age_s: float) -> View:
        """Return what the node may speak from at `now`, for askers with this maximum age in seconds.

        A reading or round dated after `now` does not count: our clock was set back since.
        """
        peers = sorted((_past(begun, now) for begun in self._peers_begun.values()), reverse=True)
        asked = min(peers[:QUORUM], default=float("inf"))
        chain = _past(self._chain_begun, now)
        confirmed = min(chain, asked)
        as_of = min(self.head.time, confirmed)
        skew = min(max_age_s, LIMITS.clock_skew_s)
        reasons = {
            Silence.DISPUTE: bool(self.dispute),
            Silence.CHAIN: chain == NEVER,
            Silence.PEERS: asked == NEVER,
            Silence.CLOCK: not self.head.time - now <= skew,  # also for a clock that is no number
            Silence.OLD: not now - as_of <= max_age_s,
        }
        silence = next((one for one, holds in reasons.items() if holds), None)
        if silence:
            return View(self.head, NEVER, NEVER, silence)
        return View(self.head, as_of, confirmed, None)


def _past(begun: float, now: float) -> float:
    return begun if begun <= now else NEVER
