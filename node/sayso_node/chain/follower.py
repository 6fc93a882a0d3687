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
from sayso_node.errors import ChainUnreachable, StoreUnusable
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
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("chain_failed")
                log.warning("the chain could not be read: %s", error)
            await asyncio.sleep(self._interval_s)

    async def read(self) -> None:
        """One reading up to the head; raises ChainUnreachable, and then nothing is claimed."""
        begun = self._clock.now()
        head = await self._chain.head()
        reached = await self._common_block()
        while reached.number < head.point.number:
            last = min(reached.number + RANGE_BLOCKS, head.point.number)
            reached = await self._read_range(reached, last, head)
        self._freshness.chain_read(begun, head)
        self._counters.add("chain_polls")

    async def _common_block(self) -> ChainPoint:
        """The last followed block that is still on the chain; rewinds the store to it."""
        with self._store.read() as db:
            followed = chain_state.followed(db)
        for point in followed:
            if await self._chain.block_hash(point.number) == point.hash:
                common = point
                break
        else:
            common = ChainPoint(self._deploy_block - 1, b"")
        if followed and followed[0] != common:
            await self._store.write(lambda db: chain_state.rewind(db, common.number))
            self._counters.add("chain_reorgs")
        return common

    async def _read_range(self, base: ChainPoint, last: int, head: ChainHead) -> ChainPoint:
        """Read what follows `base`; returns how far.

        The end's hash is taken first, then the base is looked up once more: so both are of one chain.
        If that chain is replaced before its events are read, the hash is gone at the next reading.
        """
        point = head.point
        if last != point.number:
            point = await self._point(last)
            if base.hash and await self._chain.block_hash(base.number) != base.hash:
                raise ChainUnreachable("the chain was replaced while it was read")
        events = await self._chain.events(base.number + 1, last)
        await self._store.write(lambda db: self._keep(db, events, point))
        return point

    async def _point(self, number: int) -> ChainPoint:
        block_hash = await self._chain.block_hash(number)
        if block_hash is None:
            raise ChainUnreachable(f"block {number} is gone")
        return ChainPoint(number, block_hash)

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
