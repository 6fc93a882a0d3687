"""Five nodes, each in a network of its own, and between any two of them a link that can be bad or cut.

No node reaches another but through the links: the networks are joined to the test's only, which forwards
nothing. The chain is reached in the same way.
"""

import itertools
import os
import signal
import subprocess
import sys
import time
from collections.abc import AsyncIterator, Iterable
from contextlib import AsyncExitStack, ExitStack, asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

import aiohttp

from sayso.demo.waiting import until
from sayso.errors import NodeUnreachable
from sayso.node_client.client import NodeClient
from sayso.node_client.status import StatusQuestion
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row
from support.anvil import anvil, registry_on
from support.protocol_strategies import a_consent, item_hashes, signed
from support.waiting import DEADLINE_S
from system.links import Link, Weather
from system.namespaces import Namespace, join

NODES: Final = 5
PEER_PORT, API_PORT, CHAIN_PORT = 4_600, 8_600, 8_545
MAX_AGE_S: Final = 10
QUERY: Final = Query(bytes(20), "train-ai")
DAY_S: Final = 86_400


@dataclass
class Island:
    """A node, and its network."""

    number: int
    space: Namespace
    folder: Path
    operator: Operator
    process: "subprocess.Popen[bytes] | None" = None

    def start(self) -> None:
        """Start its process."""
        command = [sys.executable, "-m", "sayso_node", str(self.folder)]
        with self.space.inside():
            self.process = subprocess.Popen(command, stdin=subprocess.PIPE)

    def stop(self) -> None:
        """End it, whatever state it is in."""
        if self.process:
            self.process.send_signal(signal.SIGCONT)
            self.process.terminate()
            self.process.wait(DEADLINE_S)

    def signal(self, number: int) -> None:
        """Send its process a signal."""
        assert self.process
        self.process.send_signal(number)

    def kill(self) -> None:
        """SIGKILL, and what was not written is gone."""
        self.signal(signal.SIGKILL)
        assert self.process
        self.process.wait(DEADLINE_S)

    @property
    def gossip_pid(self) -> int:
        """Its gossip process."""
        assert self.process
        pids = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children").read_text().split()
        (found,) = [pid for pid in pids if b"gossip" in Path(f"/proc/{pid}/cmdline").read_bytes()]
        return int(found)


class Islands:
    """All of them, and what is between them."""

    def __init__(self, trusted: NetworkFile, islands: list[Island], weather: "Weathers") -> None:
        self._trusted = trusted
        self._islands = islands
        self._weather = weather
        self._numbers = itertools.count(1)

    def __getitem__(self, number: int) -> Island:
        return self._islands[number]

    def weather(self, **changes: float) -> None:
        """The same for all links between nodes."""
        for one in self._weather.values():
            for name, value in changes.items():
                setattr(one, name, value)

    def cut(self, some: Iterable[int]) -> None:
        """Nothing goes between these and the others, in either direction."""
        inside = {*some}
        for (start, end), one in self._weather.items():
            if (start in inside) != (end in inside):
                one.open.clear()

    def heal(self) -> None:
        """Everything goes through again."""
        for one in self._weather.values():
            one.open.set()

    def client(self, number: int) -> NodeClient:
        """A client of one node, from the test's network."""
        return NodeClient(self._islands[number].operator.url, self._trusted)

    def consent(self, contributor: bytes) -> Envelope:
        """A new one, for anybody, signed and valid today."""
        items, today = item_hashes(1, next(self._numbers)), int(time.time())
        message = a_consent(
            items,
            contributor=contributor,
            parties=(contributor,),
            grantee=ANYONE,
            purposes=(QUERY.purpose,),
            issued_at=today - DAY_S,
            expires_at=today + DAY_S,
        )
        return signed(message, items, self._trusted.network)

    def revocation(self, contributor: bytes) -> Envelope:
        """Everything of this contributor."""
        return signed(Revocation(contributor, ("everything",)), (), self._trusted.network)

    async def give(self, number: int, *envelopes: Envelope) -> None:
        """Hand messages in at one node: it keeps all of them."""
        async with self.client(number) as client:
            assert len(await client.submit(envelopes)) == len(envelopes)

    async def asked(self, number: int, consent: Envelope) -> tuple[Reason, bytes] | None:
        """What one node says of a consent's item, and its state digest; None if it does not answer."""
        question = StatusQuestion(Row(consent.digest, consent.items[0]), QUERY, MAX_AGE_S)
        try:
            async with self.client(number) as client:
                found = await client.status(question)
                return found.reason, found.answer.head.statement.state
        except NodeUnreachable:
            return None

    async def say(self, reason: Reason, consents: Iterable[Envelope], numbers: Iterable[int]) -> None:
        """Return when these nodes say this of all of the consents."""
        for number, consent in itertools.product([*numbers], [*consents]):

            async def said(number: int = number, consent: Envelope = consent) -> bool:
                answer = await self.asked(number, consent)
                return answer is not None and answer[0] is reason

            await until(f"node {number} says {reason}", said, DEADLINE_S)

    async def agree(self, consent: Envelope) -> None:
        """Return when all nodes have the same revocation state, and say the same of this consent."""

        async def same() -> bool:
            answers = {await self.asked(number, consent) for number in range(NODES)}
            return len(answers) == 1 and None not in answers

        await until("all have the same state digest", same, DEADLINE_S)


Weathers = dict[tuple[int, int], Weather]


@asynccontextmanager
async def islands(folder: Path) -> AsyncIterator[Islands]:
    """Make the networks, the chain and the nodes; nothing of them is left afterwards.

    Within the block this thread is in the network that all links are in.
    """
    with ExitStack() as places:
        sea = places.enter_context(Namespace())
        spaces = [places.enter_context(Namespace()) for _ in range(NODES)]
        for number, space in enumerate(spaces):
            join(space, _own(number), sea, _gateway(number))
        places.enter_context(sea.inside())
        rpc = places.enter_context(anvil(options=("--block-time", "1")))
        network, block = await registry_on(rpc)
        async with AsyncExitStack() as stack:
            made = [_island(folder, number, space) for number, space in enumerate(spaces)]
            for island in made:
                trusted = NetworkFile(network, block, 1, _seen_from(island, made))
                (island.folder / "network.toml").write_text(trusted.to_toml())
            weather = await _links(stack, int(rpc.rpartition(":")[2]))
            for island in made:
                island.start()
                stack.callback(island.stop)
            trusted = NetworkFile(network, block, 1, tuple(one.operator for one in made))
            found = Islands(trusted, made, weather)
            for island in made:
                await _answers(island)
            yield found


def _own(number: int) -> str:
    return f"10.77.{number}.1"


def _gateway(number: int) -> str:
    return f"10.77.{number}.254"


def _island(folder: Path, number: int, space: Namespace) -> Island:
    home = folder / f"node{number}"
    settings = Settings(
        name=f"node{number}",
        network="network.toml",
        http=f"{_own(number)}:{API_PORT}",
        listen=(f"/ip4/{_own(number)}/tcp/{PEER_PORT}",),
        rpc=f"http://{_gateway(number)}:{CHAIN_PORT}",
        sync_interval_s=1.0,
        chain_interval_s=0.5,
        disabled=("snapshots",),
    )
    return Island(number, space, home, init_node(home, settings, os.urandom))


def _seen_from(island: Island, made: list[Island]) -> tuple[Operator, ...]:
    """The operators as this one reaches them: each link has a port at its own gateway."""

    def seen(other: Island) -> Operator:
        if other is island:
            return other.operator
        peer_id = other.operator.peer.rpartition("/")[2]
        where = f"/ip4/{_gateway(island.number)}/tcp/{PEER_PORT + other.number}"
        return replace(other.operator, peer=f"{where}/p2p/{peer_id}")

    return tuple(map(seen, made))


async def _links(stack: AsyncExitStack, chain_port: int) -> Weathers:
    weather: Weathers = {}
    links = []
    for start in range(NODES):
        to_chain = (_gateway(start), CHAIN_PORT), ("127.0.0.1", chain_port)
        links.append(Link(*to_chain, Weather()))
        for end in range(NODES):
            if start != end:
                one = weather[start, end] = Weather()
                links.append(Link((_gateway(start), PEER_PORT + end), (_own(end), PEER_PORT), one))
    for link in links:
        await link.start()
        stack.push_async_callback(link.stop)
    return weather


async def _answers(island: Island) -> None:
    async def healthy() -> bool:
        assert island.process
        assert island.process.poll() is None, f"node {island.number} has ended"
        try:
            async with (
                aiohttp.ClientSession() as http,
                http.get(island.operator.url + "/healthz") as said,
            ):
                return said.status == 200
        except aiohttp.ClientError:
            return False

    await until(f"node {island.number} answers", healthy, DEADLINE_S)
