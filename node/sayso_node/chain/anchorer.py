"""Anchors the license hashes this node sponsors: many under one root, one transaction a batch.

The signed transaction is on disk before it is sent. After a crash the very same transaction is sent
again, with the same nonce, so nothing is paid for twice.
"""

import asyncio
import logging

from sayso_node.chain.interface import Chain
from sayso_node.counters import Counters
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.interfaces import Clock
from sayso_node.store import chain_state
from sayso_node.store.engine import Engine

log = logging.getLogger(__name__)

BATCH_LICENSES = 10_000
INTERVAL_S = 1.0


class Anchorer:
    """Makes batches and sees each one on chain before it makes the next."""

    def __init__(
        self,
        chain: Chain,
        store: Engine,
        sponsor: bytes,
        clock: Clock,
        counters: Counters,
        *,
        wait_s: float,
    ) -> None:
        self._chain = chain
        self._store = store
        self._sponsor = sponsor
        self._clock = clock
        self._counters = counters
        self._wait_s = wait_s

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.step()
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("anchor_failed")
                log.warning("anchoring failed: %s", error)
            await asyncio.sleep(INTERVAL_S)

    async def step(self) -> None:
        """Send the batch that waits for the chain, or make one that is due; raises ChainUnreachable."""
        with self._store.read() as db:
            waiting = chain_state.unanchored(db)
        if waiting is None:
            await self._make_batch()
            return
        raw = waiting.raw_transaction or await self._prepare(waiting.root)
        if await self._chain.send(raw):
            self._counters.add("anchor_sent")

    async def _make_batch(self) -> None:
        before = self._clock.now() - self._wait_s
        with self._store.read() as db:
            licenses = chain_state.due(db, before, BATCH_LICENSES)
        if licenses:
            await self._store.write(lambda db: chain_state.make_batch(db, self._sponsor, licenses))
            self._counters.add("batches_made")

    async def _prepare(self, root: bytes) -> bytes:
        raw = await self._chain.sign_anchor(root)
        await self._store.write(lambda db: chain_state.keep_transaction(db, root, raw))
        return raw
