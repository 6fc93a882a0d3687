"""Anchors the license hashes that this node sponsors, one batch under one root per transaction.

A batch and the intent to anchor it are stored in one transaction of the store; the payer sends it.
"""

from sayso_contracts.registry.abi import encode_call
from sayso_node.chain.paying.work import Work
from sayso_node.interfaces import Clock
from sayso_node.store.chain import chain_state, intents
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Reading, Store, Writing
from sayso_node.supervision.counters import Counters
from sayso_protocol.receipts.receipt import ChainPoint

BATCH_LICENSES = 10_000


class Anchorer(Work):
    """Makes batches of license hashes; the follower reads their events, like those of other nodes."""

    kind = "anchor"

    def __init__(
        self, store: Store, sponsor: bytes, clock: Clock, counters: Counters, *, wait_s: float
    ) -> None:
        self._store = store
        self._sponsor = sponsor
        self._clock = clock
        self._counters = counters
        self._wait_s = wait_s

    async def make(self) -> bool:
        """Make a batch if one is due."""
        now = self._clock.now()
        with self._store.read() as db:
            licenses = chain_state.due(db, now - self._wait_s, BATCH_LICENSES)
        if not licenses:
            return False

        def keep(db: Writing) -> None:
            root = chain_state.make_batch(db, self._sponsor, licenses).root
            intents.add(db, self.kind, root, encode_call("anchor", root), now)

        await self._store.write(keep)
        self._counters.add("batches_made")
        return True

    def seen(self, db: Reading, intent: Intent) -> ChainPoint | None:
        """Return the block of the anchor, whoever sent it."""
        return chain_state.anchored_in(db, intent.subject)

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """Intend the anchor again, because the batch is still not anchored."""
        intents.add(db, self.kind, intent.subject, intent.data, now)
