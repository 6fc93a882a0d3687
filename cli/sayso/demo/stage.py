"""What the steps of a demo share: the chain, the nodes, what was sent and how long refusals took."""

import asyncio
import time
from collections.abc import Awaitable, Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, Generic, TypeVar

from eth_account.signers.local import LocalAccount
from msgspec.structs import replace

from sayso.contributor.licensing import sign_message
from sayso.demo.chain import DemoChain
from sayso.demo.nodes import DemoNode
from sayso.demo.waiting import STEP_TIMEOUT_S, T, until
from sayso.errors import DemoFailed
from sayso.holder.drafts import Draft, Statement
from sayso.holder.hashes import sorted_once
from sayso.node_client.answers import CheckAnswer, Submitted
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import Named, NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

MAX_AGE_S = 30
GWEI_PER_COIN: Final = 10**9


@dataclass(frozen=True)
class Prices:
    """Prices are what gas is multiplied with.

    Attributes:
        gas_gwei: The price of one gas, gwei.
        coin_dollars: The price of one coin of the chain, dollars.
    """

    gas_gwei: float = 0.05
    coin_dollars: float = 3_000.0

    def dollars(self, gas: float) -> float:
        """Return what so much gas costs."""
        return gas * self.gas_gwei / GWEI_PER_COIN * self.coin_dollars


@dataclass(frozen=True)
class Options:
    """Options of the demo.

    Attributes:
        data: The folder of the contributor's files.
        chain_url: A chain endpoint, or None for the embedded chain.
        disabled: Channels to switch off in every node, to test that the demo then fails.
        patience_s: How long a step waits for its result, seconds.
        phones: How many phones record in the scenario silencio.
        prices: At which a scenario counts money.
    """

    data: Path
    chain_url: str | None = None
    disabled: tuple[str, ...] = ()
    patience_s: float = STEP_TIMEOUT_S
    phones: int = 1_000
    prices: Prices = field(default_factory=Prices)


class Later(Generic[T]):
    """Later is an attribute that a step sets; whoever reads it before raises DemoFailed."""

    def __init__(self, why: str) -> None:
        self._why = why

    def __set_name__(self, _owner: type, name: str) -> None:
        self._name = name

    def __get__(self, stage: object, _owner: type | None = None) -> T:
        """Return what was set; raises DemoFailed."""
        if self._name not in vars(stage):
            raise DemoFailed(self._why)
        found: T = vars(stage)[self._name]
        return found

    def __set__(self, stage: object, value: T) -> None:
        vars(stage)[self._name] = value


@dataclass
class Stage:
    """Stage holds everything that a demo has started; stop() ends it.

    Attributes:
        folder: The temporary folder of all files.
        options: The options of the demo.
        chain, trusted: The chain, and the network file.
        sent: Every message that was handed in, in order.
        refused_after: How long each revocation took from the signature to the refusal, seconds.
    """

    folder: Path
    options: Options
    nodes: dict[str, DemoNode] = field(default_factory=dict)
    sent: list[Envelope] = field(default_factory=list)
    refused_after: list[float] = field(default_factory=list)
    chain = Later[DemoChain]("the chain is not started")
    trusted = Later[NetworkFile]("the registry is not deployed")

    @property
    def heeded(self) -> tuple[Named, ...]:
        """Return whose disputes the nodes regard."""
        return ()

    @property
    def companies(self) -> dict[bytes, str]:
        """Return the names of those who hold data, by address."""
        return {}

    async def submit(self, node: str, envelopes: Sequence[Envelope]) -> list[Submitted]:
        """Hand signed messages in to a node; raises NodeRefused for the first refused one."""
        async with self.nodes[node].client(self.trusted) as client:
            answers = await client.submit(envelopes)
        self.sent += envelopes
        return answers

    async def hand_in(self, node: str, account: LocalAccount, *revocations: Revocation) -> Submitted:
        """Sign revocations and submit them to one node; returns the last acknowledged answer."""
        signed = [sign_message(account, one, self.trusted.network) for one in revocations]
        answers = await self.submit(node, signed)
        if any(one.acknowledgement is None for one in answers):
            raise DemoFailed(f"node {node} did not acknowledge the revocation")
        return answers[-1]

    async def state(
        self, node: str, account: LocalAccount, template: Statement, hashes: Iterable[bytes]
    ) -> list[Envelope]:
        """Sign a statement about licenses, files or people, and hand it in; returns its messages."""
        network, draft = self.trusted.network, Draft(template, sorted_once(hashes))
        signed = [sign_message(account, message, network, some) for message, some in draft.messages()]
        await self.submit(node, signed)
        return signed

    async def reasons(self, node: str, query: Query, rows: Iterable[Row]) -> tuple[Reason, ...]:
        """Check rows at one node, verify the receipt, and return the reason of each row."""
        return tuple((await self.check(node, query, rows)).reasons)

    async def check(self, node: str, query: Query, rows: Iterable[Row]) -> CheckAnswer:
        """Check rows at one node, and verify the receipt."""
        async with self.nodes[node].client(self.trusted) as client:
            return await client.check(Question(query, MAX_AGE_S, "demo"), join_rows(list(rows)))

    async def trace(self, license_hash: bytes) -> TraceJson | None:
        """Return where a license went once all nodes say the same; None before.

        When a node first saw a message, and its last final block, are its own.
        """
        found = list[TraceJson]()
        for node in self.nodes.values():
            async with node.client(self.trusted) as client:
                found.append(await client.trace(license_hash))
        first, *others = map(_shared, found)
        return found[0] if all(one == first for one in others) else None

    async def until(self, condition: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait until `look` returns a true value; raises DemoFailed after `patience_s`."""
        return await until(condition, look, self.options.patience_s)

    def took(self, begun: float) -> float:
        """Note that everybody refuses now what was revoked at `begun`; returns the seconds since."""
        self.refused_after.append(time.monotonic() - begun)
        return self.refused_after[-1]

    async def counter(self, node: str, name: str) -> int:
        """Return a counter of a node."""
        return await self.nodes[node].counter(self.trusted, name)

    async def stop(self) -> None:
        """End every process."""
        children = [node.process for node in self.nodes.values() if node.process]
        await asyncio.gather(*(child.stop() for child in children))
        with suppress(DemoFailed):  # there is none to stop
            await self.chain.stop()


def _shared(trace: TraceJson) -> TraceJson:
    holders = [
        replace(one, passed_on=[replace(passed, first_seen=0.0) for passed in one.passed_on])
        for one in trace.holders
    ]
    return replace(trace, first_seen=0.0, final=None, holders=holders)


S_contra = TypeVar("S_contra", bound=Stage, contravariant=True)


@dataclass(frozen=True)
class Step(Generic[S_contra]):
    """Step is one step: its name, its title, the steps that it needs, and its function."""

    name: str
    title: str
    needs: tuple[str, ...]
    run: Callable[[S_contra], Awaitable[str]]
