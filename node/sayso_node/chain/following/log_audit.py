"""Finds events that an endpoint leaves out of its logs.

On a chain that is slow enough, every new header is tested: the bloom filter of a block without events of
ours mostly says so. Otherwise the block is doubted until its logs agree with its transaction receipts,
which its hash proves. On faster chains one block of each range that is read is tested, chosen at random.

What is proved is stored at once. While something is not, or while logs differ from it for longer than
any index lags, the reading fails, so that the view keeps its age.
"""

import asyncio
from collections.abc import Iterable
from random import Random
from typing import Final

from sayso_contracts.registry.events import TOPICS, Anchored, Event, Revoked
from sayso_node.chain.following.event_keeper import EventKeeper
from sayso_node.chain.interface import BlockHeader, Chain
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.interfaces import Clock
from sayso_node.store.chain import late_blocks, untested
from sayso_node.store.chain.untested import Doubt, Untested
from sayso_node.store.interface import Store, Writing
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_protocol.ethereum.blooms import may_hold
from sayso_protocol.receipts.receipt import ChainPoint

log = logger(__name__)

TESTED_BLOCKS: Final = 50_000  # before the head; of older ones, a block of each range
LIVE_BLOCKS: Final = 32  # before the head, tested in the reading that brings them
YOUNG_BLOCKS: Final = 2_400  # before the head, whose receipts every endpoint must have
HEADERS_AT_ONCE: Final = 8  # also of older blocks in a reading
DOUBTS_AT_ONCE: Final = 8  # of older blocks in a reading
RETRY_S: Final = 60.0  # longest time until a doubted block is asked about again
ALARM_S: Final = 120.0  # of doubt


class LogAudit:
    """Tests headers and settles doubts."""

    def __init__(
        self,
        chain: Chain,
        registry: bytes,
        store: Store,
        keeper: EventKeeper,
        clock: Clock,
        counters: Counters,
        alarms: Alarms,
        rng: Random,
    ) -> None:
        self._chain = chain
        self._registry = registry
        self._store = store
        self._keeper = keeper
        self._clock = clock
        self._counters = counters
        self._alarms = alarms
        self._rng = rng

    def note(self, db: Writing, first: int, last: ChainPoint, head: int, *, is_slow: bool) -> None:
        """Note blocks whose logs were read now, in the transaction that stores the events."""
        begin = max(first, head + 1 - TESTED_BLOCKS)
        if is_slow and begin <= last.number:
            untested.note(db, Untested(begin, last.number, last.hash))
        elif first <= last.number:
            one = self._rng.randint(first, last.number)
            untested.note(db, Untested(one, one, last.hash if one == last.number else b""))

    async def run(self, head: BlockHeader) -> None:
        """Test what is due up to this head; raises ChainUnreachable while blocks are doubted."""
        older = 1
        while (blocks := self._newest()) is not None:
            if blocks.last + LIVE_BLOCKS < head.point.number:
                if not older:
                    break
                older -= 1
            await self._test(blocks, head)
        for one in self._due(head.point.number):
            await self._settle(one)
        self._report()

    def _newest(self) -> Untested | None:
        with self._store.read() as db:
            return untested.newest(db)

    async def _test(self, blocks: Untested, head: BlockHeader) -> None:
        """Test the newest headers of a range, which must lead to the hash that is known."""
        lowest = max(blocks.first, blocks.last + 1 - HEADERS_AT_ONCE)
        numbers = range(blocks.last, lowest - 1, -1)
        headers = await asyncio.gather(*(self._header(one, head) for one in numbers))
        expected = blocks.last_hash
        for one in headers:
            if expected and one.point.hash != expected:
                raise ChainUnreachable(f"block {one.point.number} is not the parent of the next block")
            expected = one.parent
        strange = [one.point.number for one in headers if not one.is_whole]
        text = f"the fields of block {strange[0]} do not give its hash" if strange else None
        self._alarms.set("chain-unproved", text)
        now = self._clock.now()
        doubted = [one.point for one in headers if one.is_whole and self._may_concern_us(one)]

        def keep(db: Writing) -> None:
            for one in doubted:
                is_young = one.number + YOUNG_BLOCKS >= head.point.number
                untested.doubt(db, one, now, silences=is_young)
            untested.tested(db, blocks, lowest, expected)

        await self._store.write(keep)
        self._counters.add("chain_headers_tested", len(headers))

    async def _header(self, number: int, head: BlockHeader) -> BlockHeader:
        found = head if number == head.point.number else await self._chain.header(number)
        if found is None:
            raise ChainUnreachable(f"block {number} is no longer on the chain")
        return found

    def _may_concern_us(self, header: BlockHeader) -> bool:
        bloom = header.bloom
        return may_hold(bloom, self._registry) and any(may_hold(bloom, topic) for topic in TOPICS)

    def _due(self, head: int) -> list[Doubt]:
        """Return doubts that have waited as long as they are old, or for a minute; few of old blocks."""
        now = self._clock.now()
        with self._store.read() as db:
            found = untested.doubts(db)
        due = [one for one in found if abs(now - one.tried_at) >= min(now - one.since, RETRY_S)]
        new = [one for one in due if one.block.number + LIVE_BLOCKS >= head]
        old = sorted((one for one in due if one not in new), key=lambda one: one.tried_at)
        return new + old[:DOUBTS_AT_ONCE]

    async def _settle(self, doubt: Doubt) -> None:
        """Prove a block's events and store them; compare its logs."""
        block, now = doubt.block, self._clock.now()
        try:
            proved = await self._chain.proved_events(block)
            given = await self._chain.events_of(block)
        except (ChainUnreachable, ProofUnavailable) as error:
            log.warning("events-unproved", block=block.number, error=error)
            await self._store.write(lambda db: untested.tried(db, block.number, now, is_proved=False))
            return
        agree = _contents(proved) <= _contents(given)

        def keep(db: Writing) -> bool:
            if agree:
                untested.settled(db, block.number)
            else:
                untested.tried(db, block.number, now, is_proved=True)
            return self._keeper.keep(db, proved)

        if await self._store.write(keep):
            self._counters.add("chain_logs_left_out")
            log.warning("logs-left-out", block=block.number)

    def _report(self) -> None:
        """Raise ChainUnreachable if something may be unknown; an alarm if that lasts."""
        now = self._clock.now()
        with self._store.read() as db:
            left = untested.doubts(db)
        lasting = [one for one in left if now - one.since >= ALARM_S]
        text = f"block {lasting[0].block.number}, and {len(lasting) - 1} others" if lasting else None
        self._alarms.set("chain-logs-missing", text)
        longest = max(late_blocks.PASSES_S)
        for one in left:
            was_tried = one.tried_at > 0
            is_open = was_tried and not one.is_proved
            if one.silences and (is_open or now - one.since >= longest):
                number = one.block.number
                raise ChainUnreachable(f"block {number} may have events that its logs leave out")


def _contents(events: Iterable[Event]) -> set[tuple[object, ...]]:
    """Return what events say, without their places, which endpoints count differently."""
    found = set[tuple[object, ...]]()
    for one in events:
        match one:
            case Revoked():
                found.add((one.contributor, one.word, one.bits))
            case Anchored():
                found.add((one.root, one.submitter))
    return found
