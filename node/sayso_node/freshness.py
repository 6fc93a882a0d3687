"""Decides whether a node may speak: whether its view is recent enough (rule 8.9).

Receipts, status answers, snapshots, `/readyz` and the stream of events all ask `Freshness.view`. While
the node may not speak, it answers `stale` and publishes nothing.

A view is as old as the last reading of the chain and the last sync with each configured peer. A new
consent stays stale until a reading and sync rounds that began after its arrival have ended: until then,
another node could know a revocation of it. For a query that heeds an address, only rounds with peers
count that heed it, too: another peer keeps none of its disputes.
"""

from collections.abc import Callable, Collection, Iterable
from dataclasses import dataclass
from enum import StrEnum
from typing import NamedTuple

import msgspec

from sayso_node.errors import IdentityInUse
from sayso_protocol.limits import LIMITS
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.query import Heed

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

    NODE = "node-silent"  # the process that gossips has said nothing lately
    DAMAGE = "store-damaged"  # something in the store is not what this node wrote
    TWIN = "identity-used-twice"  # a peer hears another node with our key
    REGISTRY = "registry-missing"  # the endpoint's chain is another one, or has no registry
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


class Told(msgspec.Struct, frozen=True):
    """What a node tells the processes beside it of its view; the names are those of Freshness."""

    heeded: tuple[bytes, ...]
    head: tuple[int, bytes, float]  # number, hash, time
    chain_begun: float
    peers_begun: dict[str, float]
    heeded_by: dict[str, list[bytes]]
    twin_until: float
    clock_offset: float | None
    wrong_chain: str | None
    head_seen: int | None
    head_moved: float
    is_uncompared: bool
    dispute: str | None
    damage: str | None


class Freshness:
    """Keeps when the chain was last read and when each configured peer was last synced."""

    def __init__(
        self,
        configured_peers: Iterable[str],
        damage: Callable[[], object] = bool,
        heeded: Iterable[bytes] = (),
    ) -> None:
        """Keep the times of these peers; the node is silent while `damage` returns something true.

        `heeded` are the addresses whose disputes count, unless a query says otherwise.
        """
        self.heeded: Heed = tuple(sorted(heeded))
        self._damage = damage
        self.told_until = float("inf")  # beside a node: until when its last word counts
        self._damage_told: str | None = None
        self.twin_until = NEVER  # a peer has heard another node with our key; it may live until then
        self.clock_offset: float | None = None  # how far our clock is ahead of the peers', seconds
        self.wrong_chain: str | None = None  # why the endpoint's chain is not the one with our registry
        self.head_seen: int | None = (
            None  # height of the newest block that an endpoint named, read or not
        )
        self.head_moved = NEVER  # when another newest block than before was last read
        self._is_registry_unasked = False
        self.is_uncompared = False  # restored, and no peer was asked yet what an earlier run gave
        self._unheard: set[str] = set()  # peers that were not asked yet whether they hear one
        self.head = GENESIS
        self.dispute: str | None = None  # how two chain endpoints contradict each other
        self._chain_begun = NEVER
        self._asked_age = float("inf"), NEVER
        self._peers_begun = dict.fromkeys(configured_peers, NEVER)
        self._heeded_by: dict[str, frozenset[bytes]] = {}  # by each peer's word in its last round

    def told(self) -> Told:
        """Return what other processes on the store need to speak from this view."""
        return Told(
            heeded=tuple(self.heeded),
            head=(self.head.point.number, self.head.point.hash, self.head.time),
            chain_begun=self._chain_begun,
            peers_begun=self.rounds(),
            heeded_by={peer: sorted(heeded) for peer, heeded in self._heeded_by.items()},
            twin_until=self.twin_until,
            clock_offset=self.clock_offset,
            wrong_chain=self.wrong_chain or ("not asked yet" if self._is_registry_unasked else None),
            head_seen=self.head_seen,
            head_moved=self.head_moved,
            is_uncompared=self.is_uncompared,
            dispute=self.dispute,
            damage=str(found) if (found := self._damage()) else None,
        )

    def hear(self, told: Told, until: float) -> None:
        """Take over the view of the node beside which this process runs; it counts until then."""
        number, block_hash, time = told.head
        self.head = ChainHead(ChainPoint(number, block_hash), time)
        self._chain_begun = told.chain_begun
        self._peers_begun = dict(told.peers_begun)
        self._heeded_by = {peer: frozenset(heeded) for peer, heeded in told.heeded_by.items()}
        self.twin_until, self.is_uncompared = told.twin_until, told.is_uncompared
        self.clock_offset, self.wrong_chain = told.clock_offset, told.wrong_chain
        self.head_seen, self.head_moved = told.head_seen, told.head_moved
        self.dispute, self._damage_told = told.dispute, told.damage
        self._is_registry_unasked = False  # wrong_chain says it
        self.told_until = until

    def forget(self) -> None:
        """Forget all readings and rounds, so that the node is silent until each was done again."""
        self._chain_begun = NEVER
        self._peers_begun = dict.fromkeys(self._peers_begun, NEVER)

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
        if self._chain_begun != NEVER and head.point != self.head.point:
            self.head_moved = begun
        self._chain_begun, self.head = begun, head

    def ask_registry(self) -> None:
        """Be silent until registry_asked()."""
        self._is_registry_unasked = True

    def registry_asked(self) -> None:
        """Record that the endpoint was asked for chain and registry."""
        self._is_registry_unasked = False

    @property
    def chain_begun(self) -> float:
        """When the last reading of the chain began; seconds since the epoch."""
        return self._chain_begun

    def rounds(self) -> dict[str, float]:
        """Return when the last complete round with each configured peer began."""
        return {one: NEVER if one in self._unheard else at for one, at in self._peers_begun.items()}

    def ask_presence(self) -> None:
        """Let rounds with a peer count only after peer_heard()."""
        self._unheard = set(self._peers_begun)

    def peer_heard(self, peer_id: str) -> None:
        """Record that a peer was asked whether another node has our key."""
        self._unheard.discard(peer_id)

    @property
    def twin_text(self) -> str:
        """Why another node may have our key, for people."""
        if self.is_uncompared:
            return "this node was restored, and has not compared numbers with a peer yet"
        return "a peer hears another live node with this node's key"

    def check_alone(self, now: float) -> None:
        """Raise IdentityInUse while another node may have our key."""
        if now < self.twin_until or self.is_uncompared:
            raise IdentityInUse(self.twin_text)

    def counts(self, peer_id: str) -> bool:
        """Return whether rounds with a peer count, because the operator configured it."""
        return peer_id in self._peers_begun

    def peer_synced(self, peer_id: str, begun: float, heeded: Collection[bytes] = ()) -> None:
        """Record that a round that began at this time fetched everything a peer has.

        `heeded` are the addresses whose disputes the peer keeps, by its own word.
        """
        if self.counts(peer_id):
            self._peers_begun[peer_id] = begun
            self._heeded_by[peer_id] = frozenset(heeded)

    def view(self, now: float, max_age_s: float, heed: Heed = ()) -> View:
        """Return what the node may speak from at `now`, for askers with this maximum age in seconds.

        A reading or round dated after `now` does not count: our clock was set back since. `heed` are the
        addresses whose disputes count.
        """
        asked = min([self._asked(now), *(self._asked(now, one) for one in heed)])
        chain = _past(self._chain_begun, now)
        confirmed = min(chain, asked)
        as_of = min(self.head.time, confirmed)
        skew = min(max_age_s, LIMITS.clock_skew_s)
        reasons = {
            Silence.NODE: not now <= self.told_until,
            Silence.DAMAGE: bool(self._damage() or self._damage_told),
            Silence.TWIN: now < self.twin_until or self.is_uncompared,
            Silence.REGISTRY: bool(self.wrong_chain) or self._is_registry_unasked,
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

    def _asked(self, now: float, heeded: bytes | None = None) -> float:
        """Return when the peers were asked, about disputes of one address if it is given (rule 8.9)."""
        if heeded is not None and heeded not in self.heeded:
            return NEVER
        counting = (
            begun if heeded is None or heeded in self._heeded_by.get(peer_id, ()) else NEVER
            for peer_id, begun in self.rounds().items()
        )
        peers = sorted((_past(begun, now) for begun in counting), reverse=True)
        return min(peers[:QUORUM], default=float("inf"))


def _past(begun: float, now: float) -> float:
    return begun if begun <= now else NEVER
