"""Combines several chain endpoints: one is used, and the others are backups and check its answers.

Each reading asks all endpoints for their head. One that fails or lags behind the others is not used.
Their hashes are compared at the highest block that is final for all, and so are the registry's events in
the blocks that are read. While two endpoints disagree, nobody can know which is right, so no row is
clear (rule 8.9). Revocations that any of them reports are stored.
"""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from functools import partial
from typing import TypeVar

from sayso_contracts.registry.events import Event
from sayso_node.chain.interface import BlockHeader
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import ChainUnreachable, ProofUnavailable
from sayso_node.freshness import Freshness
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import first_answer
from sayso_protocol.receipts.receipt import ChainPoint

log = logger(__name__)

T = TypeVar("T")
LAG_BLOCKS = 3  # an endpoint further behind the best is not used


class Endpoints:
    """Chain (chain/interface.py) over several endpoints."""

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
        self._heads: dict[Web3Chain, BlockHeader] = {}
        self._differing: tuple[int, int] | None = None  # blocks whose events differed

    @property
    def links(self) -> tuple[JsonRpc, ...]:
        """Return the connections to all endpoints, that of the endpoint in use first."""
        return tuple(one.link for one in self.in_order)

    @property
    def in_order(self) -> list[Web3Chain]:
        """Return all endpoints, the one in use first."""
        return sorted(self.all, key=lambda one: one is not self.in_use)

    async def close(self) -> None:
        """Close the connections."""
        for chain in self.all:
            await chain.close()

    async def head(self) -> BlockHeader:
        """Choose an endpoint and return its newest block; raises ChainUnreachable."""
        answers = await asyncio.gather(*(_outcome(one.head) for one in self.all))
        heads = zip(self.all, answers, strict=True)
        self._heads = {one: head for one, head in heads if isinstance(head, BlockHeader)}
        failed = [error for error in answers if isinstance(error, ChainUnreachable)]
        if not self._heads:
            self._alarms.start("chain-unreachable", str(failed[0]))
            raise failed[0]
        self._alarms.end("chain-unreachable")
        plain = ", ".join(one.name for one in self.all if one.link.takes_numbers_only)
        self._alarms.set("chain-by-number", plain or None)
        self._choose()
        await self._compare()
        return self._heads[self.in_use]

    async def header(self, number: int) -> BlockHeader | None:
        """Return the block at a height, or None above the head."""
        return await self.in_use.header(number)

    async def events(self, first: int, last: int) -> list[Event]:
        """Return the registry's events in these blocks, in order; also raises RangeRefused."""
        events = await self.in_use.events(first, last)
        others = [one for one in self._watching() if self._heads[one].point.number >= last]
        answers = await asyncio.gather(*(_outcome(partial(one.events, first, last)) for one in others))
        return self._joined(events, answers, (first, last))

    async def events_of(self, block: ChainPoint) -> list[Event]:
        """Return the registry's events in one block, named by its hash."""
        events = await self.in_use.events_of(block)
        answers = await asyncio.gather(
            *(_outcome(partial(one.events_of, block)) for one in self._watching())
        )
        return self._joined(events, answers, (block.number, block.number))

    async def proved_events(self, block: ChainPoint) -> list[Event]:
        """Return the same from transaction receipts, by the first endpoint that proves them."""
        failures = (ChainUnreachable, ProofUnavailable)
        return await first_answer(self.in_order, lambda one: one.proved_events(block), *failures)

    def _watching(self) -> list[Web3Chain]:
        return [one for one in self._heads if one is not self.in_use]

    def _choose(self) -> None:
        """Keep the endpoint in use while it is good; otherwise take the first good one of the list."""
        best = max(head.point.number for head in self._heads.values())
        good = [one for one, head in self._heads.items() if best - head.point.number <= LAG_BLOCKS]
        bad = ", ".join(one.name for one in self.all if one not in good)
        self._alarms.set("chain-endpoint-down", bad or None)
        if self.in_use not in good:
            log.warning("endpoint-changed", now=good[0].name, before=self.in_use.name)
            self.in_use = good[0]
            self._counters.add("chain_failovers")

    async def _compare(self) -> None:
        """Compare the endpoints at the highest block that is final for all."""
        if len(self._heads) > 1:
            final = min(head.point.number for head in self._heads.values()) - self._finality
            dispute = None
            if final >= 0:
                dispute = await self._differ(final, lambda one: _hash_at(one, final))
            if dispute is None and self._differing:
                first, last = self._differing
                dispute = await self._differ(last, lambda one: _names(one, first, last))
            if dispute is None:
                self._differing = None
        else:
            dispute = self._freshness.dispute  # no other endpoint is left to settle it
        self._dispute(dispute)

    async def _differ(self, number: int, ask: Callable[[Web3Chain], Awaitable[object]]) -> str | None:
        """Return which endpoints disagree at a height, if any; missing answers do not count."""
        asked = list(self._heads)
        answers = await asyncio.gather(*(_outcome(partial(ask, one)) for one in asked))
        answered = [
            (one, answer)
            for one, answer in zip(asked, answers, strict=True)
            if answer is not None and not isinstance(answer, ChainUnreachable)
        ]
        if all(answer == answered[0][1] for _, answer in answered):
            return None
        other = next(one for one, answer in answered if answer != answered[0][1])
        return f"{answered[0][0].name} and {other.name} differ about block {number}"

    def _joined(
        self,
        events: list[Event],
        answers: Sequence[list[Event] | ChainUnreachable],
        blocks: tuple[int, int],
    ) -> list[Event]:
        """Return the events of all answers; a difference is a dispute and is checked again."""
        found = {(one.block_number, one.block_hash, one.log_index): one for one in events}
        names = set(found)
        for answer in answers:
            if isinstance(answer, ChainUnreachable):
                continue
            theirs = {(one.block_number, one.block_hash, one.log_index): one for one in answer}
            if set(theirs) != names:
                first, last = self._differing or blocks
                self._differing = min(first, blocks[0]), max(last, blocks[1])
                self._dispute(f"endpoints report different events in blocks {blocks[0]} to {blocks[1]}")
            found |= theirs
        return sorted(found.values(), key=lambda one: (one.block_number, one.log_index))

    def _dispute(self, dispute: str | None) -> None:
        if dispute and not self._freshness.dispute:
            self._counters.add("chain_disputes")
        self._freshness.dispute = dispute
        self._alarms.set("chain-disagreement", dispute)


async def _hash_at(chain: Web3Chain, number: int) -> bytes | None:
    header = await chain.header(number)
    return header.point.hash if header else None


async def _names(chain: Web3Chain, first: int, last: int) -> list[tuple[bytes, int]]:
    return [(one.block_hash, one.log_index) for one in await chain.events(first, last)]


async def _outcome(ask: Callable[[], Awaitable[T]]) -> T | ChainUnreachable:
    """Ask, and return the answer or the failure."""
    try:
        return await ask()
    except ChainUnreachable as error:
        return error
