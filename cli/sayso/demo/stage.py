"""The state that the steps of the demo share: the chain, the nodes and the people."""

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path

from eth_account.signers.local import LocalAccount

from sayso.contributor.licensing import sign_message
from sayso.demo.chain import DemoChain
from sayso.demo.errors import DemoFailed
from sayso.demo.nodes import DemoNode
from sayso.demo.people import People, Sale
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
    """Options of the demo.

    Attributes:
        data: The folder of the contributor's files.
        chain_url: A chain endpoint, or None for the embedded chain.
        disabled: Channels to switch off in every node, to test that the demo then fails.
        patience_s: How long a step waits for its result, seconds.
    """

    data: Path
    chain_url: str | None = None
    disabled: tuple[str, ...] = ()
    patience_s: float = STEP_TIMEOUT_S


@dataclass
class Stage:
    """Stage holds everything that the demo has started; stop() ends it.

    Attributes:
        folder: The temporary folder of all files.
        options: The options of the demo.
    """

    folder: Path
    options: Options
    people: People = field(default_factory=People)
    sale: Sale = field(default_factory=Sale)
    nodes: dict[str, DemoNode] = field(default_factory=dict)
    consents: list[Envelope] = field(default_factory=list)
    chosen: list[bytes] = field(default_factory=list)  # the items revoked by signature
    _chain: DemoChain | None = None
    _trusted: NetworkFile | None = None

    @property
    def chain(self) -> DemoChain:
        """Return the chain; raises DemoFailed before it is started."""
        if self._chain is None:
            raise DemoFailed("the chain is not started")
        return self._chain

    @chain.setter
    def chain(self, chain: DemoChain) -> None:
        self._chain = chain

    @property
    def trusted(self) -> NetworkFile:
        """Return the network file; raises DemoFailed before the registry is deployed."""
        if self._trusted is None:
            raise DemoFailed("the registry is not deployed")
        return self._trusted

    @trusted.setter
    def trusted(self, trusted: NetworkFile) -> None:
        self._trusted = trusted

    async def ask(self, node: str, purpose: str, rows: list[Row] | None = None) -> CheckAnswer:
        """Check the manifest, or some rows, at one node, and verify the receipt."""
        rows = rows or [one.row for one in self.people.manifest]
        question = Question(self.people.query(purpose), MAX_AGE_S, "demo")
        async with self.nodes[node].client(self.trusted) as client:
            return await client.check(question, join_rows(rows))

    async def refused(self, node: str, purpose: str) -> set[int] | None:
        """Return the indices of the revoked rows; None if a row has any other reason."""
        reasons = (await self.ask(node, purpose)).reasons
        if set(reasons) <= {Reason.GRANTED, Reason.REVOKED}:
            return {index for index, reason in enumerate(reasons) if reason is Reason.REVOKED}
        return None

    async def hand_in(self, node: str, account: LocalAccount, *revocations: Revocation) -> Submitted:
        """Sign revocations and submit them to one node; returns the last acknowledged answer."""
        signed = [sign_message(account, one, self.trusted.network) for one in revocations]
        async with self.nodes[node].client(self.trusted) as client:
            answers = await client.submit(signed)
        if any(one.acknowledgement is None for one in answers):
            raise DemoFailed(f"node {node} did not acknowledge the revocation")
        return answers[-1]

    async def until(self, condition: str, look: Callable[[], Awaitable[T | None]]) -> T:
        """Wait until `look` returns a true value; raises DemoFailed after `patience_s`."""
        return await until(condition, look, self.options.patience_s)

    async def counter(self, node: str, name: str) -> int:
        """Return a counter of a node."""
        return await self.nodes[node].counter(self.trusted, name)

    async def stop(self) -> None:
        """End every process."""
        children = [node.process for node in self.nodes.values() if node.process]
        await asyncio.gather(*(child.stop() for child in children))
        if self._chain:
            await self._chain.stop()
