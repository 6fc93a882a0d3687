"""A real node on a real chain, an honest user, and strangers in a process of their own.

    async with siege(120) as node, node.attacked():
        waits = await node.serve(120)

The user asks three things again and again: whether the node lives, whether it takes a revocation, and
whether rows are clear. Each must be answered, and rightly, in every round.
"""

import asyncio
import contextlib
import os
import sys
import time
from collections.abc import AsyncIterator, Awaitable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, TypeVar

import aiohttp
from eth_account import Account
from hexbytes import HexBytes

from bench.consents import current
from bench.real_node import MeasuredNode, measured_node
from sayso.demo.waiting import until
from sayso.node_client.client import NodeClient
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.waiting import DEADLINE_S

TESTS: Final = Path(__file__).parents[1]
ITEMS: Final = 4
QUESTION: Final = Question(Query(bytes(20), "train-ai"), 3_600, "siege")
PAUSE_S: Final = 0.2  # of the user between two rounds


T = TypeVar("T")


@dataclass
class Waits:
    """How long the user waited for answers, seconds, by what was asked."""

    seconds: dict[str, list[float]] = field(default_factory=dict)

    async def of(self, name: str, answer: Awaitable[T]) -> T:
        """Await an answer, with a deadline, and note how long it took."""
        begun = time.monotonic()
        try:
            return await asyncio.wait_for(answer, DEADLINE_S)
        finally:
            self.seconds.setdefault(name, []).append(time.monotonic() - begun)

    @property
    def slowest(self) -> float:
        """The longest wait of all, seconds."""
        return max(max(some) for some in self.seconds.values())


@dataclass
class Siege:
    """A node, the consents that it holds, and how many of them are revoked."""

    node: MeasuredNode
    consents: Sequence[Envelope]
    revoked: int = 0

    async def serve(self, seconds: float) -> Waits:
        """Ask as a user for so long; raises AssertionError for a wrong answer, TimeoutError for none."""
        waits, end = Waits(), time.monotonic() + seconds
        async with self.node.node.client(self.node.trusted) as client, aiohttp.ClientSession() as http:
            await client.node()
            while time.monotonic() < end:
                await waits.of("healthz", self._lives(http))
                await waits.of("revocation", self._revoke(client))
                await waits.of("check", self._check(client))
                await asyncio.sleep(PAUSE_S)
        return waits

    async def _lives(self, http: aiohttp.ClientSession) -> None:
        async with http.get(self.node.node.url + "/healthz") as answer:
            assert answer.status == 200, await answer.text()

    async def _revoke(self, client: NodeClient) -> None:
        """Revoke one more consent; the node must promise to keep it."""
        message = as_kind(self.consents[self.revoked].message, Consent)
        revocation = Revocation(message.contributor, ("everything",))
        network = self.node.trusted.network
        account = Account.from_key(sha256(b"bench %d" % self.revoked))
        signed = account.unsafe_sign_hash(HexBytes(digest(revocation, network)))
        (answer,) = await client.submit([Envelope(revocation, network, bytes(signed.signature), ())])
        assert answer.acknowledgement
        self.revoked += 1

    async def _check(self, client: NodeClient) -> None:
        """Each row of a revoked consent is revoked, and each other is granted."""
        rows = join_rows([Row(one.digest, item) for one in self.consents for item in one.items])
        answer = await client.check(QUESTION, rows)
        expected = [
            Reason.REVOKED if number < self.revoked else Reason.GRANTED
            for number in range(len(self.consents))
            for _ in range(ITEMS)
        ]
        assert [*answer.reasons] == expected

    @asynccontextmanager
    async def attacked(self) -> AsyncIterator[None]:
        """Let strangers attack for the block."""
        async with self.node.node.client(self.node.trusted) as client:
            about = await client.node()
        network = self.node.trusted.network
        arguments = (
            self.node.node.url,
            f"{about.listen[0]}/p2p/{about.peer_id}",
            str(network.chain_id),
            network.registry.hex(),
        )
        process = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", "hostile", *arguments),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": str(TESTS)},
        )
        try:
            assert process.stdout
            assert await process.stdout.readline() == b"begun\n"
            yield
            assert process.returncode is None, "the attackers ended early"
        finally:
            with contextlib.suppress(ProcessLookupError):
                process.kill()
            await process.wait()


@asynccontextmanager
async def siege(seconds: float) -> AsyncIterator[Siege]:
    """Start a node that holds consents of today, all granted, for a user who asks for so long."""
    consents = int(seconds / PAUSE_S) + 32  # one is revoked in each round
    async with measured_node() as node:
        held = [current(number, ITEMS, node.trusted.network) for number in range(consents)]
        await node.take(held)
        found = Siege(node, held)

        async def granted() -> bool:
            async with node.node.client(node.trusted) as client:
                try:
                    await found._check(client)
                except AssertionError:
                    return False
            return True

        await until("all rows are granted", granted, DEADLINE_S)
        yield found
