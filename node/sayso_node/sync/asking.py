"""The asking side of sync: a round with one peer fetches what we lack and offers what the peer lacks.

Urgent messages come first, so that no revocation by a known address waits behind consents; then all
others; then revocations that were by unknown addresses before, here or at the peer (rule 7.14). If a
peer lists a message and does not send it, the round fails and the peer does not count as synced: the
node's answers stay stale if it cannot sync with enough other peers.
"""

import asyncio
import os
from collections.abc import Callable
from typing import NamedTuple, TypeVar

from cachetools import LRUCache

from sayso_node.freshness import Freshness
from sayso_node.intake.intake import Intake
from sayso_node.interfaces import Clock, Randomness, Transport
from sayso_node.store.admission import pending
from sayso_node.store.interface import Store
from sayso_node.store.revocations import bits
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.supervisor import contained
from sayso_node.supervision.workers import Runner, in_thread
from sayso_node.sync.bringing import Bringing
from sayso_node.sync.fetching import Fetching
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_node.sync.talk import Talk
from sayso_protocol.errors import SaysoError
from sayso_protocol.network import Network
from sayso_protocol.sync.answers import decode_heed
from sayso_protocol.sync.fingerprints import SALT_BYTES
from sayso_protocol.sync.requests import HeedRequest
from sayso_protocol.sync.sets import SyncSet, all_sets
from sayso_protocol.sync.walk import differences
from sayso_protocol.verdicts.query import Heed

log = logger(__name__)

PATIENCE = 256  # revocations by unknown addresses that are fetched before the consents
WALKS = 64  # of a set in a round, as long as each finds something
PEER_MEMORIES = 64
STRANGERS_AT_ONCE = 2  # walks with strangers that read at the same time
_DRAW_BYTES = 8

T = TypeVar("T")


class _Walked(NamedTuple):
    """The result of a walk: whether it was complete, messages stored here, and taken by the peer."""

    complete: bool
    stored: int
    taken: int


class _Progress:
    """The progress of a set: whether it was complete, and whether messages moved in either direction."""

    def __init__(self) -> None:
        self.moved = False
        self.done = False


class SyncRounds:
    """Runs rounds of sync with single peers."""

    def __init__(
        self,
        network: Network,
        transport: Transport,
        store: Store,
        intake: Intake,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        randomness: Randomness = os.urandom,
        runner: Runner = in_thread,
    ) -> None:
        self._network = network
        self._transport = transport
        self._store = store
        self._intake = intake
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._randomness = randomness
        self._runner = runner
        self._places = asyncio.Semaphore(STRANGERS_AT_ONCE)
        self._moved: set[str] = set()  # peers whose last round stored something
        # Of strangers, who displace each other, and of configured peers, whom they do not displace.
        self._memories: LRUCache[str, dict[int, PeerMemory]] = LRUCache(PEER_MEMORIES)
        self._lasting: dict[str, dict[int, PeerMemory]] = {}

    async def round(self, peer_id: str) -> bool:
        """Fetch everything that a peer has and we lack; returns whether that succeeded, never raises."""
        begun = self._clock.now()
        self._moved.discard(peer_id)
        with contained(self._counters, f"sync with {peer_id}"):
            runner = self._runner if self._freshness.counts(peer_id) else self._in_turn
            talk = Talk(self._transport, runner, peer_id)
            heeded = await self._heeded_by(talk)
            if await self._run(talk):
                self._freshness.peer_synced(peer_id, begun, heeded)
                self._counters.add("sync_rounds")
                return True
        self._counters.add("sync_failed")
        return False

    async def _in_turn(self, work: Callable[[], T], /) -> T:
        """Read for a round with a stranger, who makes other strangers wait and nobody else."""
        async with self._places:
            return await self._runner(work)

    async def _heeded_by(self, talk: Talk) -> Heed:
        """Return whose disputes a peer keeps, by its word (rule 11.14); nobody if it does not say."""
        if not self._freshness.heeded:
            return ()
        try:
            return decode_heed(await talk.ask(HeedRequest()))
        except SaysoError as error:
            log.info("heed-unsaid", peer=talk.peer_id, error=error)
            return ()

    def has_moved(self, peer_id: str) -> bool:
        """Return, once, whether the last round with a peer stored something, even if it broke off."""
        has_moved = peer_id in self._moved
        self._moved.discard(peer_id)
        return has_moved

    async def _run(self, talk: Talk) -> bool:
        """Sync each set separately, so that invalid consents do not stop revocations."""
        urgent = [one for one in all_sets() if one.is_urgent]
        early = [await self._early(talk, one) for one in urgent]
        others = [await self._reconcile(talk, one) for one in all_sets() if not one.is_urgent]
        # New consents at the peer may concern revocations that are pending there (rule 7.14).
        has_moved = talk.peer_id in self._moved or any(one.moved for one in others)
        late = [
            await self._reconcile(talk, one) if has_moved or not before.done else before
            for one, before in zip(urgent, early, strict=True)
        ]
        return all(one.done for one in (*others, *late))

    async def _early(self, talk: Talk, urgent: SyncSet) -> _Progress:
        """Sync urgent messages by known addresses first, if any address is known."""
        return await self._reconcile(talk, urgent, PATIENCE) if self._knows_anybody() else _Progress()

    def _knows_anybody(self) -> bool:
        try:
            with self._store.read() as db:
                return bits.any_known(db)
        except SaysoError as error:
            log.warning("store-unread", error=error)
            return False

    async def _reconcile(self, talk: Talk, what: SyncSet, patience: int | None = None) -> _Progress:
        progress = _Progress()
        try:
            for _ in range(WALKS):
                walked = await self._walk(talk, what, patience)
                progress.moved |= bool(walked.stored or walked.taken)
                if walked.complete or not walked.stored or patience is not None:
                    progress.done = walked.complete
                    break
        except SaysoError as error:
            log.info("sync-broken-off", peer=talk.peer_id, error=error)
        return progress

    async def _walk(self, talk: Talk, what: SyncSet, patience: int | None) -> _Walked:
        """Walk down the tree once, and fetch what is found."""
        kind, memory = what.number, self._memory_of(talk.peer_id, what)
        salt = self._randomness(SALT_BYTES)
        view = ExpectedView(self._store, kind, memory)
        draw = int.from_bytes(self._randomness(_DRAW_BYTES))
        shared = (self._store, self._intake, kind, memory, salt, self._network)
        bringing = Bringing(Fetching(talk, *shared), self._store, kind, memory, salt, patience)
        try:
            outcome = await talk.walk(differences(view, kind, salt, draw), bringing.bring)
        finally:
            if bringing.stored:
                self._moved.add(talk.peer_id)
        if outcome.forged:
            self._counters.add("sync_forged")
            log.warning("sums-forged", peer=talk.peer_id)
        taken = await bringing.offer() if outcome.complete else 0
        complete = outcome.complete and bringing.complete
        return _Walked(complete, bringing.stored, taken)

    def _memory_of(self, peer_id: str, what: SyncSet) -> PeerMemory:
        now = self._clock.now()
        memories = self._lasting if self._freshness.counts(peer_id) else self._memories
        known = memories.get(peer_id)
        if known is None:
            known = memories[peer_id] = {one.number: PeerMemory(now) for one in all_sets()}
        memory = known[what.number]
        memory.forget_in_turn(now)
        if what.is_urgent and memory.sums:
            with self._store.read() as db:
                memory.forget_missed(pending.missed_marks(db), now)
        return memory
