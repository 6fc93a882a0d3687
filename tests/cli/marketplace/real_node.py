"""A whole node in real time, whose chain goes on by itself, and a shop that uses it."""

import asyncio
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager, suppress
from pathlib import Path

from eth_account.signers.local import LocalAccount

from cli.marketplace.shop import Shop, address
from sayso.contributor.licensing import sign_message
from sayso.marketplace.courier import Courier
from sayso.node_client.client import NodeClient
from sayso_node.clock import SystemClock
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.fake_chain import FakeChain
from support.running_node import RunningNode, running_node
from support.waiting import until

BLOCK_S = 0.02


class Place:
    """The node, the shop, and what others do there."""

    def __init__(self, node: RunningNode, folder: Path) -> None:
        self.node = node
        self.trusted = node.node._config.network_file
        self.shop = Shop(folder / "shop", self.trusted, time.time, nodes=[node.url])
        self.courier = Courier(self.shop.market, self.shop.engine)

    async def revoke(self, who: LocalAccount, *scopes: str) -> None:
        message = sign_message(who, Revocation(address(who), scopes), self.trusted.network)
        async with NodeClient(self.node.url, self.trusted) as client:
            await client.submit([message])

    async def reasons(
        self, rows: Sequence[Row], grantee: bytes, purpose: str = "train-ai"
    ) -> set[Reason]:
        """What a buyer is told."""
        async with NodeClient(self.node.url, self.trusted) as client:
            question = Question(Query(grantee, purpose), 60, "test")
            return {*(await client.check(question, join_rows(list(rows)))).reasons}

    async def stocked(self, *held: Envelope) -> None:
        """The courier has handed these consents in, and asked about them."""
        await self.courier.send()

        async def known() -> bool:
            await self.courier.check()
            return {item for one in held for item in one.items} <= self.shop.stock()

        await until(known)

    @asynccontextmanager
    async def following(self) -> AsyncIterator[None]:
        task = asyncio.create_task(self.courier.follow(self.node.url))
        try:
            yield
        finally:
            task.cancel()
            with suppress(asyncio.CancelledError):
                await task


@asynccontextmanager
async def place(folder: Path) -> AsyncIterator[Place]:
    """Start all of it; stop all of it."""
    chain = FakeChain(time.time())
    chain.now = time.time

    async def beat() -> None:
        while True:
            chain.time = time.time()
            chain.mine()
            await asyncio.sleep(BLOCK_S)

    (folder / "node").mkdir()
    async with running_node(folder / "node", chain=chain, clock=SystemClock()) as node:  # type: ignore[arg-type]
        pulse = asyncio.create_task(beat())
        try:
            yield Place(node, folder)
        finally:
            pulse.cancel()
