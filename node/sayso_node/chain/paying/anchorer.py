"""Anchors the license hashes this node sponsors: many under one root, one transaction a batch.

A batch and the intent to anchor it are made in one transaction of the store; the payer sees it through.
"""

from sayso_contracts.abi import encode_call
from sayso_node.chain.interface import Landed
from sayso_node.counters import Counters
from sayso_node.interfaces import Clock
from sayso_node.store.chain import chain_state, intents
from sayso_node.store.chain.intents import Intent
from sayso_node.store.interface import Store, Writing

BATCH_LICENSES = 10_000


class Anchorer:
    """See payer.Work; makes batches."""

    kind = "anchor"
    creates = False

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

    def too_large(self) -> bool:
        """One root always fits."""
        return False

    def landed(self, db: Writing, intent: Intent, landed: Landed, now: float) -> None:
        """The follower reads the event, as it does everybody's."""

    def failed(self, db: Writing, intent: Intent, now: float) -> None:
        """The batch stands, so its root is still to be anchored."""
        intents.add(db, self.kind, intent.subject, intent.data, now)
