"""Follows the registry: every revocation and anchor on chain, through reorganisations.

A reading takes the head, checks by hash that the last followed block is still part of the chain, and
reads the events in between. Cursor and events are stored in one transaction. A block that is gone takes
its anchors with it; its revocations stay, because a revocation counts on any fork (rule 8.10).
"""

import asyncio
import logging
import sqlite3

from sayso_contracts.events import Anchored, Event, Revoked
from sayso_node.chain.interface import Chain
from sayso_node.counters import Counters
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead, Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import chain_state, messages
from sayso_node.store.engine import Engine
from sayso_protocol.receipts import ChainPoint

log = logging.getLogger(__name__)

RANGE_BLOCKS = 2_000  # endpoints refuse wide ranges


class Follower:
    """Reads the chain again and again, each time up to its head."""

    def __init__(
        self,
        chain: Chain,
        store: Engine,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        *,
        deploy_block: int,
        interval_s: float,
    ) -> None:
        self._chain = chain
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._deploy_block = deploy_block
        self._interval_s = interval_s

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            try:
                await self.read()
            except ChainUnreachable as error:
                self._counters.add("chain_failed")
                log.warning("the chain could not be read: %s", error)
            await asyncio.sleep(self._interval_s)

    async def read(self) -> None:
        """One reading up to the head; raises ChainUnreachable, and then nothing is claimed."""
        begun = self._clock.now()
        head = await self._chain.head()
        next_block = await self._common_block() + 1
        while next_block <= head.point.number:
            last = min(next_block + RANGE_BLOCKS - 1, head.point.number)
            await self._read_range(next_block, last, head)
            next_block = last + 1
        self._freshness.chain_read(begun, head)
        self._counters.add("chain_polls")

    async def _common_block(self) -> int:
        """The last followed block that is still on the chain; rewinds the store to it."""
        with self._store.read() as db:
            followed = chain_state.followed(db)
        for point in followed:
            if await self._chain.block_hash(point.number) == point.hash:
                common = point.number
                break
        else:
            common = self._deploy_block - 1
        if followed and followed[0].number != common:
            await self._store.write(lambda db: chain_state.rewind(db, common))
            self._counters.add("chain_reorgs")
        return common

    async def _read_range(self, first: int, last: int, head: ChainHead) -> None:
        events = await self._chain.events(first, last)
        block_hash = head.point.hash if last == head.point.number else await self._chain.block_hash(last)
        if block_hash is None:
            raise ChainUnreachable(f"block {last} is gone")
        point = ChainPoint(last, block_hash)
        await self._store.write(lambda db: self._keep(db, events, point))

    def _keep(self, db: sqlite3.Connection, events: list[Event], point: ChainPoint) -> None:
        """What was read, and up to where, in one transaction."""
        for event in events:
            match event:
                case Revoked():
                    bits = {event.word: event.bits}
                    if messages.merge_bits(db, event.contributor, bits, source="chain"):
                        self._counters.add("chain_revocations")
                case Anchored():
                    place = (event.submitter, event.block_number, event.block_hash)
                    chain_state.add_anchor(db, chain_state.Anchor(event.root, *place))
                    self._counters.add("chain_anchors")
        chain_state.advance(db, point)
