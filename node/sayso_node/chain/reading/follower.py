"""Follows the registry: reads every revocation and anchor on chain, through reorganisations.

A reading takes the head, checks by hash that the last followed block is still on the chain, and reads
the events in between. Cursor and events are stored in one transaction. When a block is dropped, its
anchors are deleted; its revocations stay, because a revocation counts on any fork (rule 8.10).

Endpoints refuse wide ranges, each from another width on: a refused range is halved, and grows again
later. An endpoint behind a load balancer may have a block before its logs: so the head is requested by
its hash, and the last blocks are read again with each new one.
"""

import logging

from sayso_contracts.events import Anchored, Event, Revoked
from sayso_node.chain.interface import Chain
from sayso_node.counters import Counters
from sayso_node.errors import ChainUnreachable, RangeRefused, StoreUnusable
from sayso_node.freshness import ChainHead, Freshness
from sayso_node.interfaces import Clock
from sayso_node.retrying import every
from sayso_node.store.admission import revocations
from sayso_node.store.chain import archives, chain_state, relays
from sayso_node.store.interface import Store, Writing
from sayso_protocol.receipts.receipt import ChainPoint

log = logging.getLogger(__name__)

RANGE_BLOCKS = 10_000  # highest width, and the first
LATE_BLOCKS = 8  # read again, because their logs may be late


class Follower:
    """Reads the chain repeatedly, each time up to its head."""

    def __init__(
        self,
        chain: Chain,
        store: Store,
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
        self._range = RANGE_BLOCKS

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self._interval_s):
            try:
                await self.read()
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("chain_failed")
                log.warning("the chain could not be read: %s", error)

    async def read(self) -> None:
        """Read the chain up to the head; raises ChainUnreachable, and then the view keeps its age."""
        begun = self._clock.now()
        head = await self._chain.head()
        reached = await self._common_block()
        while reached.number < head.point.number:
            last = min(reached.number + min(self._range, RANGE_BLOCKS), head.point.number)
            try:
                reached = await self._read_range(reached, last, head)
            except ChainUnreachable as error:
                if not self._narrow(last - reached.number) or not isinstance(error, RangeRefused):
                    raise
            else:
                self._range = min(2 * self._range, RANGE_BLOCKS)
        self._freshness.chain_read(begun, head)
        self._counters.add("chain_polls")

    def _narrow(self, blocks: int) -> bool:
        """Halve the range, also after a failure, which may be a timeout; returns whether it could."""
        self._range = max(blocks // 2, 1)
        return blocks > 1

    async def _common_block(self) -> ChainPoint:
        """Return the last followed block that is still on the chain, and rewind the store to it."""
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
        """Read the blocks after `base`; returns the last block read.

        The end's hash is taken first, then the base is looked up again, so both are on the same chain.
        If that chain is replaced before its events are read, the next reading does not find the end's
        hash.
        """
        point = head.point
        if last != point.number:
            point = await self._point(last)
            if base.hash and await self._chain.block_hash(base.number) != base.hash:
                raise ChainUnreachable("the chain was replaced while it was read")
        first = max(base.number + 1 - LATE_BLOCKS, self._deploy_block)
        events = await self._chain.events(first, last)
        if point == head.point:
            events += await self._chain.events_of(point)
        await self._store.write(lambda db: self._keep(db, events, point))
        return point

    async def _point(self, number: int) -> ChainPoint:
        block_hash = await self._chain.block_hash(number)
        if block_hash is None:
            raise ChainUnreachable(f"block {number} is no longer on the chain")
        return ChainPoint(number, block_hash)

    def _keep(self, db: Writing, events: list[Event], point: ChainPoint) -> None:
        """Store events and the block up to which they were read, in one transaction."""
        for event in events:
            match event:
                case Revoked():
                    bits = {event.word: event.bits}
                    archives.want(db, event.block_number, event.block_hash)
                    relays.seen(db, event.block_number, event.contributor, event.word, event.bits)
                    if revocations.add_chain_bits(db, event.contributor, bits, self._clock.now()):
                        self._counters.add("chain_revocations")
                case Anchored():
                    place = (event.submitter, event.block_number, event.block_hash)
                    if chain_state.add_anchor(db, chain_state.Anchor(event.root, *place)):
                        self._counters.add("chain_anchors")
        chain_state.advance(db, point)
