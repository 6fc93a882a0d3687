"""The asking half of sync: one round with one peer fetches all it has that we lack, and offers the rest.

What is urgent comes first, so that no revocation of somebody known waits behind consents; then all
else; then the revocations that would have been of nobody known before, here or at the peer (rule 7.14).
A peer that shows a message and does not give it has not been synced with: the round fails, and the
node's answers stay stale if it cannot find enough others.
"""

import logging
import os
from typing import NamedTuple

from cachetools import LRUCache

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.intake.intake import Intake
from sayso_node.interfaces import Clock, Randomness, Transport
from sayso_node.store import bits
from sayso_node.store.admission import pending
from sayso_node.store.interface import Store
from sayso_node.supervision import contained
from sayso_node.sync.fetching import Fetching
from sayso_node.sync.learning import learn
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_node.sync.talk import Talk
from sayso_node.workers import Runner, in_thread
from sayso_protocol.errors import SaysoError
from sayso_protocol.network import Network
from sayso_protocol.sync.fingerprints import SALT_BYTES, Entry
from sayso_protocol.sync.sets import SyncSet, all_sets
from sayso_protocol.sync.walk import differences

log = logging.getLogger(__name__)

PATIENCE = 256  # revocations of nobody known that are fetched before the consents
WALKS = 64  # of a set in a round, as long as each brings something
OFFERED_A_ROUND = 1_024  # entries, at most, in a walk
RELEARN_S = 3_600.0  # what was declined is asked for again, and offered again
PEER_MEMORIES = 64
_DRAW_BYTES = 8


class _Remembered:
    """What is remembered of a peer, and since when."""

    def __init__(self, since: float) -> None:
        self.since = since
        self.sets = {one.number: PeerMemory() for one in all_sets()}


class _Walked(NamedTuple):
    """Whether everything was compared and given, how much was stored here, how much the peer took."""

    complete: bool
    stored: int
    taken: int


class _Progress:
    """How far a set was got: whether all was given, and whether anything moved, either way."""

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
        self._memories: LRUCache[str, _Remembered] = LRUCache(PEER_MEMORIES)

    async def round(self, peer_id: str) -> bool:
        """Fetch everything that a peer has and we lack; whether it gave all. Never raises for a peer."""
        begun = self._clock.now()
        with contained(self._counters, f"sync with {peer_id}"):
            if await self._run(Talk(self._transport, self._runner, peer_id)):
                self._freshness.peer_synced(peer_id, begun)
                self._counters.add("sync_rounds")
                return True
        self._counters.add("sync_failed")
        return False

    async def _run(self, talk: Talk) -> bool:
        """Each set by itself: whatever is wrong with a consent, revocations get through."""
        urgent = [one for one in all_sets() if one.is_urgent]
        early = [await self._early(talk, one) for one in urgent]
        others = [await self._reconcile(talk, one) for one in all_sets() if not one.is_urgent]
        # What the peer took may have made a revocation known there that waited (rule 7.14).
        has_moved = any(one.moved for one in others)
        late = [
            await self._reconcile(talk, one) if has_moved or not before.done else before
            for one, before in zip(urgent, early, strict=True)
        ]
        return all(one.done for one in (*others, *late))

    async def _early(self, talk: Talk, urgent: SyncSet) -> _Progress:
        """As far as it is of somebody known; of nobody, while nobody is."""
        return await self._reconcile(talk, urgent, PATIENCE) if self._knows_anybody() else _Progress()

    def _knows_anybody(self) -> bool:
        try:
            with self._store.read() as db:
                return bits.any_known(db)
        except SaysoError as error:
            log.warning("sync cannot read the store: %s", error)
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
            log.info("sync with %s broke off: %s", talk.peer_id, error)
        return progress

    async def _walk(self, talk: Talk, what: SyncSet, patience: int | None) -> _Walked:
        """Once down the tree."""
        kind, memory = what.number, self._memory_of(talk.peer_id, what)
        salt = self._randomness(SALT_BYTES)
        view = ExpectedView(self._store, kind, memory)
        draw = int.from_bytes(self._randomness(_DRAW_BYTES))
        found = await talk.walk(differences(view, kind, salt, draw))
        if found.forged:
            self._counters.add("sync_forged")
            log.warning("%s has other messages than its sums say", talk.peer_id)
        fetching = Fetching(talk, self._store, self._intake, salt, self._network)
        wanted = view.not_declined(salt, found)
        refused, taken = list[Entry](), 0
        complete = await fetching.get(kind, wanted, patience)
        for node in found.ranges:
            await fetching.get_range(node)
        offered = [one for one in found.ours if one.id not in view.aside.refused]
        if offered and patience is not None:
            complete = False  # the peer, too, is told of consents first
        elif (
            len(offered) + found.untold <= OFFERED_A_ROUND
        ):  # with more to take in, it had better ask itself
            refused = await fetching.offer(offered)
            taken = len(offered) - len(refused)
        learn(self._store, kind, salt, memory, view, found, fetching.got, refused)
        return _Walked(complete and found.complete, fetching.got.stored, taken)

    def _memory_of(self, peer_id: str, what: SyncSet) -> PeerMemory:
        now = self._clock.now()
        known = self._memories.get(peer_id)
        if known is None or now - known.since > RELEARN_S:
            known = self._memories[peer_id] = _Remembered(now)
        memory = known.sets[what.number]
        if what.is_urgent and memory.declined:
            with self._store.read() as db:
                memory.forget_missed(pending.missed_marks(db))
        return memory
