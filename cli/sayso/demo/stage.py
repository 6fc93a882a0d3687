"""What the steps of the demo share: chain, nodes, people, and the questions they keep asking."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from sayso.contributor.licensing import sign_message
from sayso.demo.chain import DemoChain
from sayso.demo.errors import DemoFailed
from sayso.demo.nodes import DemoNode
from sayso.demo.people import People
from sayso.demo.waiting import STEP_TIMEOUT_S, T, until
from sayso.node_client.answers import CheckAnswer, Submitted
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.verdict import Reason, Row

MAX_AGE_S = 30


@dataclass(frozen=True)
class Options:
    """How the demo is run.

    Attributes:
        data: The contributor's files.
        chain_url: A chain to use, or None for our own.
        disabled: Channels switched off in every node, to see that the demo notices.
        patience_s: How long a step waits for what it has to show, seconds.
    """

    data: Path
    chain_url: str | None = None
    disabled: tuple[str, ...] = ()
    patience_s: float = STEP_TIMEOUT_S


@dataclass
class Stage:
    """Everything the demo has set up so far; stop() takes it down again.

    Attributes:
        folder: Where all of it lives; removed afterwards.
        options: How the demo is run.
    """

    folder: Path
    options: Options
    people: People = field(default_factory=People)
    nodes: dict[str, DemoNode] = field(default_factory=dict)
    consents: list[Envelope] = field(default_factory=list)
    chosen: list[bytes] = field(default_factory=list)  # the items revoked by signature
    _chain: DemoChain | None = None
    _trusted: NetworkFile | None = None

    @property
    def chain(self) -> DemoChain:
        """The chain, once there is one."""
        if self._chain is None:
            raise DemoFailed("there is no chain")
        return self._chain

    @chain.setter
    def chain(self, chain: DemoChain) -> None:
        self._chain = chain

    @property
    def trusted(self) -> NetworkFile:
        """The network file, once the registry is deployed."""
        if self._trusted is None:
            raise DemoFailed("there is no network file")
        return self._trusted

    @trusted.setter
    def trusted(self, trusted: NetworkFile) -> None:
        self._trusted = trusted

    async def ask(self, node: str, purpose: str, rows: list[Row] | None = None) -> CheckAnswer:
        """A check of the whole manifest, or of some rows, at one node; its receipt was verified."""
        rows = rows or [one.row for one in self.people.manifest]
        question = Question(self.people.query(purpose), MAX_AGE_S, "demo")
        async with self.nodes[node].client(self.trusted) as client:
            return await client.check(question, join_rows(rows))

    async def refused(self, node: str, purpose: str) -> set[int] | None:
        """Which rows of the manifest are revoked, if every other one is clear; else None."""
        reasons = (await self.ask(node, purpose)).reasons
        if set(reasons) <= {Reason.GRANTED, Reason.REVOKED}:
            return {index for index, reason in enumerate(reasons) if reason is Reason.REVOKED}
        return None

    async def hand_in(self, node: str, account: LocalAccount, *revocations: Revocation) -> Submitted:
        """Sign revocations and give them to one node; returns the last answer, acknowledged."""
        signed = [sign_message(account, one, self.trusted.network) for one in revocations]
        async with self.nodes[node].client(self.trusted) as client:
            answers = await client.submit(signed)
        if any(one.acknowledgement is None for one in answers):
            raise DemoFailed(f"node {node} did not acknowledge the revocation")
        return answers[-1]

    async def until(self, what: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait until there is something to see; raises DemoFailed when patience ends."""
        return await until(what, look, self.options.patience_s)

    async def counter(self, node: str, name: str) -> int:
        """A counter of a node."""
        return await self.nodes[node].counter(self.trusted, name)

    async def stop(self) -> None:
        """End every process that was started here."""
        children = [node.process for node in self.nodes.values() if node.process]
        await asyncio.gather(*(child.stop() for child in children))
        if self._chain:
            await self._chain.stop()
