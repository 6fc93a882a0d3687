"""Asks when blocks were made that revoke or anchor, and which block is the last final one (15.2, 15.3).

A block without a time makes nobody late: what it revoked is undated until its time is known.
"""

import asyncio
from functools import partial

from sayso_node.chain.interface import Chain
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.store.chain import block_dates, chain_state
from sayso_node.store.interface import Store
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import Block

log = logger(__name__)

DATED_AT_ONCE = 16  # in a round


class BlockDates:
    """Dates some blocks a round, and others in the next one."""

    def __init__(self, chain: Chain, store: Store, finality: int, interval_s: float) -> None:
        self._chain, self._store = chain, store
        self._finality, self._interval_s = finality, interval_s
        self._after = -1  # so that a block that nobody has delays no other

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.step()
            except (ChainUnreachable, StoreUnusable) as error:
                log.warning("dates-unstored", error=error)

    async def step(self) -> None:
        """Run one round; raises ChainUnreachable and StoreUnusable."""
        wanted, last_final = await asyncio.to_thread(self._wanted)
        self._after = wanted[-1].number if len(wanted) == DATED_AT_ONCE else -1
        for block in wanted:
            header = await self._chain.header(block.number)
            if header is not None and header.point == block:
                await self._store.write(partial(block_dates.date, block=block, time=int(header.time)))
        if last_final is not None:
            header = await self._chain.header(last_final)
            if header is not None:
                last = Block(last_final, int(header.time))
                await self._store.write(partial(block_dates.set_final, block=last))

    def _wanted(self) -> tuple[list[ChainPoint], int | None]:
        """Return blocks without a time, and the height of the last final block if it is a new one."""
        with self._store.read() as db:
            wanted = block_dates.wanted(db, self._after, DATED_AT_ONCE)
            newest, known = chain_state.newest(db), block_dates.final(db)
        number = newest.number - self._finality if newest else -1
        is_new = number >= 0 and (known is None or known.number != number)
        return wanted, number if is_new else None
