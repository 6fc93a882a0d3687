"""The protocol `/sayso/presence/1`, by which a peer tells a node what another run with its key said.

The request is the canonical array `[run, previous run, receipts, latest receipt]`: 16 random bytes that
name this run of the node, those of the run before it in this store or none, the number of its last
receipt, and the time of its latest one. The answer is `[others, receipts, latest receipt, time]`: how
many other runs with this key the peer heard of lately, the highest numbers that any of them gave, and
the peer's clock in seconds since the epoch.
"""

from collections.abc import Iterable
from typing import Annotated, Final, NamedTuple

from cachetools import LRUCache
from msgspec import Meta

from sayso_node.interfaces import Clock
from sayso_protocol.encoding.packing import Reader, Uint, fields_of, pack
from sayso_protocol.errors import Malformed

PRESENCE_PROTOCOL: Final = "/sayso/presence/1"
RUN_BYTES: Final = 16
LIVE_S: Final = 60.0  # a run that was not heard for so long is over
MOST_KEYS: Final = 1_024  # strangers that are remembered, besides the configured peers
MOST_RUNS: Final = 4  # of one peer
PRESENCE_BYTES: Final = 64
LARGEST_TOLD: Final = 2**53  # of numbers and times that are remembered

_Number = Annotated[int, Meta(ge=0, le=LARGEST_TOLD)]
_REQUEST: Final[Reader[tuple[bytes, bytes, int, int]]] = Reader(
    fields_of(bytes, bytes, _Number, _Number), PRESENCE_BYTES
)
_ANSWER: Final[Reader[tuple[int, int, int, int]]] = Reader(
    fields_of(Uint, _Number, _Number, _Number), PRESENCE_BYTES
)


class Presence(NamedTuple):
    """What a run says of itself; `previous` is empty for the first run of a store."""

    run: bytes
    previous: bytes
    receipts: int
    latest: int


class PeerReport(NamedTuple):
    """What a peer heard of an identity: other live runs, and the highest numbers; and its clock."""

    others: int
    receipts: int
    latest: int
    time: int


def encode_presence(presence: Presence) -> bytes:
    """Return a request."""
    return pack(list(presence))


def read_report(answer: bytes) -> PeerReport:
    """Read an answer; raises Malformed, NotCanonical or TooLarge."""
    return PeerReport(*_ANSWER.read(answer))


class Presences:
    """Remembers the runs of peers, for as long as each may live; strangers displace strangers only."""

    def __init__(self, clock: Clock, configured: Iterable[str] = ()) -> None:
        self._clock = clock
        self._configured = {peer: _Peer() for peer in configured}
        self._strangers: LRUCache[str, _Peer] = LRUCache(MOST_KEYS)

    def answer(self, body: bytes, peer_id: str) -> bytes:
        """Record a run of this peer, and return the answer; raises Malformed or another SaysoError."""
        told = Presence(*_REQUEST.read(body))
        if len(told.run) != RUN_BYTES or len(told.previous) not in (0, RUN_BYTES):
            raise Malformed("a run is named by 16 bytes")
        peer = self._configured.get(peer_id) or self._strangers.get(peer_id)
        if peer is None:
            peer = self._strangers[peer_id] = _Peer()
        return pack(list(peer.hear(told, self._clock.now())))


class _Peer:
    """The runs with one key: when each was heard last, and what it was the first of."""

    def __init__(self) -> None:
        self._runs: dict[bytes, float] = {}
        self._receipts = self._latest = 0

    def hear(self, told: Presence, now: float) -> PeerReport:
        """Return what is known, and add what is told."""
        self._runs.pop(told.previous, None)  # that run is over: this one has its store
        self._runs.pop(told.run, None)
        self._runs = {run: at for run, at in self._runs.items() if abs(now - at) < LIVE_S}
        heard = PeerReport(len(self._runs), self._receipts, self._latest, int(now))
        if len(self._runs) < MOST_RUNS:
            self._runs[told.run] = now
        self._receipts = max(self._receipts, told.receipts)
        self._latest = max(self._latest, told.latest)
        return heard
