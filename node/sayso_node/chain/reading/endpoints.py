"""Several chain endpoints as one: the first good one is used, the others watch it.

At each reading all are asked for their head. One that fails, or lags behind the others, is not used.
Their hashes are compared at the highest block that is final for all, and the registry's events for the
blocks that are read: if two tell different histories, nobody can know which is true, so nothing is
clear (rule 8.9) until they agree. What any of them says about revocations is kept.
"""

import asyncio
import logging
from collections.abc import Awaitable, Callable, Sequence
from typing import TypeVar

from sayso_contracts.events import Event
from sayso_node.alarms import Alarms
from sayso_node.chain.reading.json_rpc import JsonRpc
from sayso_node.chain.reading.web3_chain import Web3Chain
from sayso_node.counters import Counters
from sayso_node.errors import ChainUnreachable
from sayso_node.freshness import ChainHead, Freshness
from sayso_protocol.receipts.receipt import ChainPoint

log = logging.getLogger(__name__)

T = TypeVar("T")
LAG_BLOCKS = 3  # behind the best: such an endpoint is not used


class Endpoints:
    """See interface.Chain."""

    def __init__(
        self,
        chains: Sequence[Web3Chain],
        freshness: Freshness,
        alarms: Alarms,
        counters: Counters,
        *,
        finality: int,
    ) -> None:
        self.all = tuple(chains)
        self.in_use = chains[0]
        self._freshness = freshness
        self._alarms = alarms
        self._counters = counters
        self._finality = finality
        self._heads: dict[Web3Chain, ChainHead] = {}
        self._differing: tuple[int, int] | None = None  # blocks whose events were told differently

    @property
    def links(self) -> tuple[JsonRpc, ...]:
        """The ways to all of them, that of the one in use first."""
        return tuple(one.link for one in self.in_order)

    @property
    def in_order(self) -> list[Web3Chain]:
        """All of them, the one in use first."""
        return sorted(self.all, key=lambda one: one is not self.in_use)

    async def close(self) -> None:
        """Close the connections."""
        for chain in self.all:
            await chain.close()

    async def head(self) -> ChainHead:
        """The newest block of the endpoint that is used from now on; raises ChainUnreachable."""
        answers = await asyncio.gather(*(_outcome(one.head()) for one in self.all))
        told = zip(self.all, answers, strict=True)
        self._heads = {one: head for one, head in told if isinstance(head, ChainHead)}
        failed = [error for error in answers if isinstance(error, ChainUnreachable)]
        if not self._heads:
            self._alarms.start("chain-unreachable", str(failed[0]))
            raise failed[0]
        self._alarms.end("chain-unreachable")
        self._choose()
        await self._compare()
        return self._heads[self.in_use]

    async def block_hash(self, number: int) -> bytes | None:
        """The hash at a height, or None above the head."""
        return await self.in_use.block_hash(number)

    async def events(self, first: int, last: int) -> list[Event]:
        """The registry's events in these blocks, in order; raises RangeRefused also."""
        events = await self.in_use.events(first, last)
        others = [one for one in self._watching() if self._heads[one].point.number >= last]
        answers = await asyncio.gather(*(_outcome(one.events(first, last)) for one in others))
        return self._joined(events, answers, (first, last))

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """The registry's events in one block, named by its hash."""
        events = await self.in_use.events_of(block)
        answers = await asyncio.gather(*(_outcome(one.events_of(block)) for one in self._watching()))
        return self._joined(events, answers, (block.number, block.number))

    def _watching(self) -> list[Web3Chain]:
        return [one for one in self._heads if one is not self.in_use]

    def _choose(self) -> None:
        """Stay with the one in use while it is good; else the first good one of the list."""
        best = max(head.point.number for head in self._heads.values())
        good = [one for one, head in self._heads.items() if best - head.point.number <= LAG_BLOCKS]
        bad = ", ".join(one.name for one in self.all if one not in good)
        self._alarms.set("chain-endpoint-down", bad or None)
        if self.in_use not in good:
            log.warning("the chain is read from %s, no longer from %s", good[0].name, self.in_use.name)
            self.in_use = good[0]
            self._counters.add("chain_failovers")

    async def _compare(self) -> None:
        """Whether all tell the same history of what is final."""
        if len(self._heads) > 1:
            final = min(head.point.number for head in self._heads.values()) - self._finality
            told = None
            if final >= 0:
                told = await self._differ(final, lambda one: one.block_hash(final))
            if told is None and self._differing:
                first, last = self._differing
                told = await self._differ(last, lambda one: _names(one, first, last))
            if told is None:
                self._differing = None
        else:
            told = self._freshness.dispute  # nobody is left who could settle it
        self._dispute(told)

    async def _differ(self, number: int, ask: Callable[[Web3Chain], Awaitable[object]]) -> str | None:
        """Who answers differently about a height, if anybody; those who do not answer say nothing."""
        asked = list(self._heads)
        answers = await asyncio.gather(*(_outcome(ask(one)) for one in asked))
        said = [
            (one, answer)
            for one, answer in zip(asked, answers, strict=True)
            if answer is not None and not isinstance(answer, ChainUnreachable)
        ]
        if all(answer == said[0][1] for _, answer in said):
            return None
        other = next(one for one, answer in said if answer != said[0][1])
        return f"{said[0][0].name} and {other.name} differ about block {number}"

    def _joined(
        self,
        events: list[Event],
        answers: Sequence[list[Event] | ChainUnreachable],
        blocks: tuple[int, int],
    ) -> list[Event]:
        """The events of all who answered; that they differ is said, and looked at again."""
        found = {(one.block_number, one.block_hash, one.log_index): one for one in events}
        names = set(found)
        for answer in answers:
            if isinstance(answer, ChainUnreachable):
                continue
            theirs = {(one.block_number, one.block_hash, one.log_index): one for one in answer}
            if set(theirs) != names:
                first, last = self._differing or blocks
                self._differing = min(first, blocks[0]), max(last, blocks[1])
                self._dispute(f"endpoints tell different events in blocks {blocks[0]} to {blocks[1]}")
            found |= theirs
        return sorted(found.values(), key=lambda one: (one.block_number, one.log_index))

    def _dispute(self, told: str | None) -> None:
        if told and not self._freshness.dispute:
            self._counters.add("chain_disputes")
        self._freshness.dispute = told
        self._alarms.set("chain-disagreement", told)


async def _names(chain: Web3Chain, first: int, last: int) -> list[tuple[bytes, int]]:
    return [(one.block_hash, one.log_index) for one in await chain.events(first, last)]


async def _outcome(asking: Awaitable[T]) -> T | ChainUnreachable:
    """What was answered, or that it failed."""
    try:
        return await asking
    except ChainUnreachable as error:
        return error
