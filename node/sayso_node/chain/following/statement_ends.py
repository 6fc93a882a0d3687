"""Ends statements once the chain's time has reached their end (rule 15.7), a few in each round.

Reading what is over may take a second, so it is done outside the transaction that removes it.
"""

import asyncio
from functools import partial

from sayso_node.errors import StoreUnusable
from sayso_node.store.interface import Store
from sayso_node.store.statements import ends
from sayso_node.store.statements.ends import Look
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_protocol.network import Network

log = logger(__name__)


class StatementEnds:
    """Looks at some statements a round, and at others in the next one."""

    def __init__(self, network: Network, store: Store, interval_s: float) -> None:
        self._network, self._store, self._interval_s = network, store, interval_s

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.step()
            except StoreUnusable as error:
                log.warning("ends-unstored", error=error)

    async def step(self) -> int:
        """Run one round, and return how many statements have ended; raises StoreUnusable."""
        found = await asyncio.to_thread(self._look)
        if not found:
            return 0
        return await self._store.write(partial(ends.settle, network=self._network, found=found))

    def _look(self) -> list[Look]:
        with self._store.read() as db:
            return ends.look(db, self._network)
