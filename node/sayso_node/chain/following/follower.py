"""Follows the registry: reads its revocations, anchors and endorsements, through reorganisations.

A reading takes the head, checks by hash that the last followed block is still on the chain, and reads
the events in between. Cursor and events are stored in one transaction. When a block is dropped, its
anchors and endorsements are deleted; its revocations stay, because a revocation counts on any fork (rule
8.10).

Endpoints refuse wide ranges, each from another width on: a refused range is halved, and grows again
later. An endpoint behind a load balancer may have a block before its logs: so the head is requested by
its hash, the last blocks are read again with each new one, and all new blocks once more after two and
after ten minutes (store/chain/late_blocks.py). Deep history is read again by a range an hour, so that
what the store may have lost of it comes back. What logs leave out for good is found by the headers
(log_audit.py). A chain with slow, regular blocks is read twice a block.
"""

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial
from random import Random

from sayso_contracts.registry.events import Event
from sayso_node.chain.following.block_speed import BlockSpeed
from sayso_node.chain.following.event_keeper import EventKeeper
from sayso_node.chain.following.log_audit import LogAudit
from sayso_node.chain.following.standing import Standing
from sayso_node.chain.interface import BlockHeader, Chain
from sayso_node.errors import ChainUnreachable, RangeRefused, StoreUnusable, TooManyRequests
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.chain import chain_state, late_blocks, set_back
from sayso_node.store.chain.late_blocks import LateRange
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_protocol.receipts.receipt import ChainPoint

log = logger(__name__)

RANGE_BLOCKS = 10_000  # highest width, and the first
LATE_BLOCKS = 8  # before the head, read again at once, because their logs may be late
YOUNG_BLOCKS = (
    2_400  # before the head, read again later: ten minutes of a chain with four blocks a second
)
PATROL_EVERY_S = 3_600.0  # between two ranges of old blocks that are read again
DEEP_S = 3_600.0  # how long the alarm about a replaced final block lasts
LATE_EVERY_S = 60.0  # between two passes over blocks that are due, so that a pass has many


class Follower:
    """Reads the chain repeatedly, each time up to its head."""

    def __init__(
        self,
        chain: Chain,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        rng: Random,
        *,
        registry: bytes,
        finality: int,
        deploy_block: int,
        interval_s: float,
        came: Callable[[Writing], None] = lambda _db: None,
        dated_anew: Callable[[], None] = lambda: None,
    ) -> None:
        self._chain = chain
        self._came = came  # called in the transaction that stores what was read
        self._dated_anew = dated_anew  # called when dates of the store were changed
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._deploy_block = deploy_block
        self._interval_s = interval_s
        self._alarms = alarms
        self._finality = finality
        self._seen = float("inf")  # on our clock, when it was last looked at
        self._deep_at = float("-inf")  # when a final block was last replaced
        self._range = RANGE_BLOCKS
        self._asked = 1  # blocks of the last request
        self._passed_at = float("-inf")  # when late blocks were last looked for
        self._patrolled_at = float("-inf")  # when old blocks were last read again
        self._standing = Standing(chain, store, deploy_block)
        self._speed = BlockSpeed()
        self._keeper = EventKeeper(clock, counters)
        shared = (store, self._keeper, clock, counters, alarms, rng)
        self._audit = LogAudit(chain, registry, *shared)

    async def run(self) -> None:
        """Run until cancelled."""
        async for _ in every(self.wait_s):
            try:
                await self._standing.update(await self.read())
            except (ChainUnreachable, StoreUnusable) as error:
                self._counters.add("chain_failed")
                log.warning("chain-unread", error=error)

    def wait_s(self) -> float:
        """Return the seconds until the next reading."""
        return self._speed.wait_s(self._interval_s)

    async def read(self) -> BlockHeader:
        """Read the chain up to the head, which is returned.

        Raises ChainUnreachable, and then the view keeps its age.
        """
        begun = self._clock.now()
        await self._see_clock(begun)
        head = await self._chain.head()
        self._freshness.head_seen = head.point.number
        await self._speed.learn(self._chain, head)
        self._report(head, begun)
        reached = await self._common_block(head)
        while reached.number < head.point.number:
            last = min(reached.number + self._width, head.point.number)
            with self._narrowing():
                reached = await self._read_range(reached, last, head)
        await self._read_late(begun)
        await self._audit.run(head)
        self._freshness.chain_read(begun, head)
        self._counters.add("chain_polls")
        return head

    async def _see_clock(self, now: float) -> None:
        """Date anew what is dated ahead, as after a start, or after the clock was set back."""
        if now < self._seen:
            with self._store.read() as db:
                was_ahead = set_back.was_ahead(db, now)
            if was_ahead:
                log.warning("clock-set-back")
                await self._store.write(lambda db: set_back.date_anew(db, now))
                self._dated_anew()
        self._seen = now

    def _report(self, head: BlockHeader, now: float) -> None:
        """Start or end the alarms about a head that stands still and about replaced final blocks."""
        age = now - head.time
        text = f"block {head.point.number} is {age:.0f} s old" if age > self._speed.frozen_s else None
        self._alarms.set("chain-frozen", text)
        if not 0 <= now - self._deep_at < DEEP_S:
            self._alarms.end("chain-reorganised")

    @property
    def _width(self) -> int:
        return min(self._range, RANGE_BLOCKS)

    @contextmanager
    def _narrowing(self) -> Iterator[None]:
        """Suppress the refusal of a range that can be narrower, and widen the range after a success."""
        try:
            yield
        except TooManyRequests:
            raise  # the pace is wrong, not the range
        except ChainUnreachable as error:
            if not self._narrow() or not isinstance(error, RangeRefused):
                raise
        else:
            self._range = min(2 * self._range, RANGE_BLOCKS)

    def _narrow(self) -> bool:
        """Halve the range, also after a failure, which may be a timeout; returns whether it could."""
        self._range = max(self._asked // 2, 1)
        return self._asked > 1

    async def _events(self, first: int, last: int) -> list[Event]:
        self._asked = last - first + 1
        return await self._chain.events(first, last)

    async def _common_block(self, head: BlockHeader) -> ChainPoint:
        """Return the last followed block that is still on the chain, and rewind the store to it."""
        with self._store.read() as db:
            followed = chain_state.followed(db)
            is_wanted = chain_state.is_reading_wanted(db, self._deploy_block)
        if is_wanted:
            await self._store.write(chain_state.begin_anew)
            followed = []
        told = head.point, ChainPoint(head.point.number - 1, head.parent)  # by the head itself
        for point in followed:
            if point in told or await self._chain_has(point):
                common = point
                break
        else:
            common = ChainPoint(self._deploy_block - 1, b"")
        if followed and followed[0] != common:
            self._note_depth([one for one in followed if one.number > common.number])
            await self._store.write(lambda db: chain_state.rewind(db, common.number))
            self._counters.add("chain_reorgs")
        return common

    def _note_depth(self, replaced: list[ChainPoint]) -> None:
        """Start the alarm if one of the replaced blocks, the newest of which is first, was final."""
        depth = replaced[0].number - replaced[-1].number
        if depth >= self._finality:
            self._deep_at = self._clock.now()
            text = f"block {replaced[-1].number} was replaced, {depth} blocks deep"
            self._alarms.start("chain-reorganised", text)

    async def _read_range(self, base: ChainPoint, last: int, head: BlockHeader) -> ChainPoint:
        """Read the blocks after `base`; returns the last block read.

        The end's hash is taken first, then the base is looked up again, so both are on the same chain.
        If that chain is replaced before its events are read, the next reading does not find the end's
        hash.
        """
        point = head.point
        if last != point.number:
            point = await self._point(last)
            if base.hash and not await self._chain_has(base):
                raise ChainUnreachable("the chain was replaced while it was read")
        first = max(base.number + 1, self._deploy_block)
        overlap = LATE_BLOCKS if last == head.point.number else 0
        events = await self._events(self._first_of(last, first - overlap, first), last)
        if point == head.point and not (self._speed.is_slow and head.is_whole):
            events += await self._chain.events_of(point)  # else its header is tested
        await self._store.write(lambda db: self._keep_range(db, events, (first, point), head))
        return point

    def _first_of(self, last: int, wanted: int, needed: int) -> int:
        """Return the first block of a request: as wanted, if the endpoint gives so many blocks."""
        return min(needed, max(wanted, self._deploy_block, last + 1 - self._width))

    def _keep_range(
        self, db: Writing, events: list[Event], read: tuple[int, ChainPoint], head: BlockHeader
    ) -> None:
        """Store events and the block up to which they were read, in one transaction."""
        first, point = read
        self._keeper.keep(db, events)
        chain_state.begun(db, self._deploy_block)
        chain_state.advance(db, point)
        slow = self._speed.is_slow
        self._audit.note(db, first, point, head.point.number, is_slow=slow)
        self._came(db)
        young = max(first, head.point.number + 1 - YOUNG_BLOCKS)
        if young <= point.number:
            late_blocks.note(db, young, point.number, self._clock.now())

    async def _read_late(self, now: float) -> None:
        """Read the blocks again that are due: their logs may have come since."""
        if 0 <= now - self._passed_at < LATE_EVERY_S:
            return
        while (due := self._late(now)) is not None:
            reached, events = due.first - 1, list[Event]()
            while reached < due.last:
                last = min(reached + self._width, due.last)
                with self._narrowing():
                    events += await self._events(reached + 1, last)
                    reached = last
            await self._store.write(partial(self._keep_late, events=events, due=due))
        if not 0 <= now - self._patrolled_at < PATROL_EVERY_S:
            if self._patrolled_at != float("-inf"):
                await self._patrol()
            self._patrolled_at = now
        self._passed_at = now

    async def _patrol(self) -> None:
        """Read one range of old blocks again, the next at each pass, and from the start after the last.

        What the store has lost of the chain comes back so, whatever lost it; that is damage.
        """
        with self._store.read() as db:
            first, newest = late_blocks.patrol_from(db, self._deploy_block), chain_state.newest(db)
        last = min(first + self._width, newest.number - YOUNG_BLOCKS if newest else 0)
        if last < first:
            return
        with self._narrowing():
            events = await self._events(first, last)
            after = last + 1 if newest and last < newest.number - YOUNG_BLOCKS else self._deploy_block
            if await self._store.write(partial(self._keep_patrol, events=events, after=after)):
                text = f"the store had lost what blocks {first} to {last} revoked or anchored"
                self._store.damage.report(text)
                log.error("events-lost", first=first, last=last)

    def _keep_patrol(self, db: Writing, events: list[Event], after: int) -> bool:
        late_blocks.patrolled(db, after)
        return self._keeper.keep(db, events)

    def _late(self, now: float) -> LateRange | None:
        with self._store.read() as db:
            return late_blocks.due(db, now)

    def _keep_late(self, db: Writing, events: list[Event], due: LateRange) -> None:
        if self._keeper.keep(db, events):
            self._counters.add("chain_late_logs")
            log.warning("logs-late", first=due.first, last=due.last)
        self._came(db)
        late_blocks.passed(db, due)

    async def _point(self, number: int) -> ChainPoint:
        if header := await self._chain.header(number):
            return header.point
        raise ChainUnreachable(f"block {number} is no longer on the chain")

    async def _chain_has(self, point: ChainPoint) -> bool:
        header = await self._chain.header(point.number)
        return header is not None and header.point == point
