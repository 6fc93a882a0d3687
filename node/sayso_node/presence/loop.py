"""Tells each configured peer every few seconds that this run is there, and hears of others with our key.

While a peer has heard another live run, this one signs nothing: of two nodes with one identity and two
stores, one could acknowledge a revocation and the other answer `granted`, which convicts both (9.7).
What an earlier run gave is kept up with: after a restore from a backup, no receipt repeats a number.
"""

import asyncio
import os
from collections.abc import Iterable, Sequence
from statistics import median_high, median_low
from typing import Final

from sayso_node.errors import PeerUnreachable
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock, Randomness, Transport
from sayso_node.presence.protocol import (
    LIVE_S,
    PRESENCE_PROTOCOL,
    RUN_BYTES,
    PeerReport,
    Presence,
    encode_presence,
    read_report,
)
from sayso_node.store import messages, singles
from sayso_node.store.events.feed import STORE_ID, STORE_ID_BYTES
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_node.verdicts.signer import LATEST_RECEIPT, RECEIPTS
from sayso_protocol.errors import SaysoError

log = logger(__name__)

PRESENCE_EVERY_S: Final = 5.0
PRESENCE_WAIT_S: Final = 5.0
MARGIN: Final = 65_536  # receipts that an earlier run may have given since it last told its number


class PresenceLoop:
    """Tells and hears until cancelled; start() names this run in the store."""

    def __init__(
        self,
        transport: Transport,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        alarms: Alarms,
        peers: Iterable[str],
        randomness: Randomness = os.urandom,
    ) -> None:
        self._transport = transport
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._alarms = alarms
        self._peers = frozenset(peers)
        self._randomness = randomness
        self._run, self._previous = randomness(RUN_BYTES), b""
        self._woken = asyncio.Event()

    async def start(self, noted: bytes = b"") -> bytes:
        """Name this run in the store, and return its name; raises StoreUnusable.

        `noted` is the run that the folder knows as the last one. A store that does not know it is older,
        and is taken for one that was restored.
        """
        self._previous = await self._store.write(lambda db: self._name(db, noted))
        with self._store.read() as db:
            restored = singles.get(db, singles.RESTORED)
        self._freshness.is_uncompared = bool(restored and self._peers)
        return self._run

    def wake(self, peer_id: str) -> None:
        """Tell a configured peer that has connected."""
        if peer_id in self._peers:
            self._woken.set()

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(PRESENCE_EVERY_S, self._woken):
            await self.tell()

    async def tell(self) -> None:
        """Tell all configured peers that are connected; raises StoreUnusable."""
        connected = [one.peer_id for one in await self._transport.peers() if one.connected]
        asked = sorted(self._peers.intersection(connected))
        heard = await asyncio.gather(*map(self._tell, asked))
        others = [one for one, said in zip(asked, heard, strict=True) if said and said.others]
        now = self._clock.now()
        if others or self._freshness.twin_until > now + LIVE_S:  # or the clock was set back since
            self._freshness.twin_until = now + LIVE_S
        if others:
            self._alarms.start(
                "identity-used-twice", f"peer {others[0]} hears another node with our key"
            )
        elif not now < self._freshness.twin_until:
            self._alarms.end("identity-used-twice")
        known = [said for said in heard if said]
        self._freshness.clock_offset = _middle([now - said.time for said in known]) if known else None
        for said in known:
            await self._keep_up(said)
        if known and self._freshness.is_uncompared:
            await self._store.write(_compared)
            self._freshness.is_uncompared = False
        for one in asked:  # only now: nothing is said before this run has kept up
            self._freshness.peer_heard(one)

    async def _tell(self, peer_id: str) -> PeerReport | None:
        """Return what a peer heard; None from one that does not answer or know the protocol."""
        with self._store.read() as db:
            receipts = messages.noted_time(db, RECEIPTS)
            latest = messages.noted_time(db, LATEST_RECEIPT)
        body = encode_presence(Presence(self._run, self._previous, receipts, latest))
        try:
            return read_report(
                await self._transport.request(peer_id, PRESENCE_PROTOCOL, body, PRESENCE_WAIT_S)
            )
        except (PeerUnreachable, SaysoError):
            return None

    async def _keep_up(self, heard: PeerReport) -> None:
        """Go on after the numbers of an earlier run that this store does not know."""
        with self._store.read() as db:
            receipts = messages.noted_time(db, RECEIPTS)
            latest = messages.noted_time(db, LATEST_RECEIPT)
        if heard.receipts > receipts or heard.latest > latest:
            await self._store.write(lambda db: _raise(db, heard))

    def _name(self, db: Writing, noted: bytes) -> bytes:
        """Name this run and the one before, which the folder may know as the last one; returns that."""
        kept = singles.get(db, singles.RUN) or b""
        before, earlier = kept[:RUN_BYTES], kept[RUN_BYTES:]
        if noted not in (b"", before, earlier):
            log.error("store-older")
            mark_restored(db, self._randomness(STORE_ID_BYTES))
        singles.put(db, singles.RUN, self._run + before)
        return before


def _middle(offsets: Sequence[float]) -> float:
    """Return the median; of two in the middle the smaller one, as half of the peers may be wrong."""
    return min(median_low(offsets), median_high(offsets), key=abs)


def mark_restored(db: Writing, store_id: bytes) -> None:
    """Record that the store is from a backup: what was given after it is to be asked of a peer.

    It gets a new id, because it will use numbers of events again that its listeners heard (rule 16.2.1).
    """
    singles.put(db, singles.RESTORED, b"1")
    singles.put(db, STORE_ID, store_id)


def _compared(db: Writing) -> None:
    singles.drop(db, singles.RESTORED)


def _raise(db: Writing, heard: PeerReport) -> None:
    if heard.receipts > messages.noted_time(db, RECEIPTS):
        messages.note_time(db, RECEIPTS, heard.receipts + MARGIN)
    messages.note_time(db, LATEST_RECEIPT, heard.latest)
