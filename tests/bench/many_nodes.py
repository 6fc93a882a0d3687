"""Whole nodes of two processes each, all operators of one network on one chain, and who asks them.

A node is asked when its event stream says that something came, so that nobody has to poll.
"""

import asyncio
import os
from collections.abc import AsyncIterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from eth_account import Account
from hexbytes import HexBytes

from bench.consents import current
from sayso.demo.chain import embedded_chain
from sayso.demo.nodes import DemoNode
from sayso.demo.ports import LOOPBACK, free_ports
from sayso.demo.waiting import until
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE, address_from_text, address_text, hex_text, sha256

READY_S = 300.0
QUERY = {"grantee": address_text(bytes(20)), "purpose": "train-ai", "max_age_s": "3600"}
MSGPACK = {"Content-Type": "application/msgpack"}


class Person:
    """A consent, and the revocation of it."""

    def __init__(self, number: int, place: Network, grantee: bytes = ANYONE) -> None:
        self.consent = current(number, 1, place, grantee)
        assert isinstance(self.consent.message, Consent)
        message = Revocation(self.consent.message.contributor, ("everything",))
        account = Account.from_key(sha256(b"bench %d" % number))
        signature = account.unsafe_sign_hash(HexBytes(digest(message, place))).signature
        self.revocation = Envelope(message, place, bytes(signature))

    @property
    def path(self) -> str:
        """Where a node is asked about its item."""
        consent, item = hex_text(self.consent.digest), hex_text(self.consent.items[0])
        return f"/v1/status/{consent}/{item}"


class Watched:
    """A node, and who waits for its refusals."""

    def __init__(self, node: DemoNode, http: aiohttp.ClientSession) -> None:
        self.node, self._http = node, http
        self._something = asyncio.Event()

    async def listen(self) -> None:
        """Read the event stream for as long as there is one."""
        forever = aiohttp.ClientTimeout(total=None)
        async with self._http.get(self.node.url + "/v1/events", timeout=forever) as stream:
            async for line in stream.content:
                if line.startswith(b"event: revocation"):
                    self._something.set()
                    self._something = asyncio.Event()

    async def give(self, *envelopes: Envelope) -> None:
        """Hand messages in; all are kept."""
        body = encode_bundle([encode(one) for one in envelopes])
        url = self.node.url + "/v1/messages"
        async with self._http.post(url, data=body, headers=MSGPACK) as answer:
            assert answer.status == 200, await answer.text()

    async def says(self, person: Person) -> str:
        """The reason that it gives for this person's item."""
        async with self._http.get(self.node.url + person.path, params=QUERY) as answer:
            reason: str = (await answer.json())["reason"]
            return reason

    async def refuses(self, person: Person) -> None:
        """Return when it says `revoked`."""
        while True:
            something = self._something
            if await self.says(person) == "revoked":
                return
            await something.wait()

    async def count(self, name: str) -> int:
        """One of its counters."""
        async with self._http.get(self.node.url + "/v1/node") as answer:
            count: int = (await answer.json())["counters"][name]
            return count

    async def connected(self) -> int:
        """With how many of the others it is connected."""
        async with self._http.get(self.node.url + "/v1/peers") as answer:
            peers = (await answer.json())["peers"]
            return sum(one["connected"] for one in peers)


@asynccontextmanager
async def many_nodes(folder: Path, count: int) -> AsyncIterator[tuple[list[Watched], Network]]:
    """All of them, connected with each other; stopped at the end."""
    async with AsyncExitStack() as stack:
        chain = await embedded_chain(folder)
        stack.push_async_callback(chain.stop)
        deployment = await chain.deploy()
        place = Network(chain.chain_id, address_from_text(deployment.address))
        made = _made(folder, NetworkFile(place, deployment.block_number), chain.url, count)
        for node in made:
            await node.start()
            assert node.process
            stack.push_async_callback(node.process.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        nodes = [Watched(node, http) for node in made]
        for one in nodes:

            async def meets_all(one: Watched = one) -> bool:
                try:
                    return await one.connected() >= count - 1
                except aiohttp.ClientConnectionError:
                    return False

            await until(f"{one.node.name} is connected with all", meets_all, READY_S)
            listening = asyncio.create_task(one.listen())
            stack.callback(listening.cancel)
        yield nodes, place


def _made(folder: Path, template: NetworkFile, rpc: str, count: int) -> list[DemoNode]:
    """Folders of nodes that are all operators of one network."""
    nodes, operators = [], []
    ports = iter(free_ports(2 * count))
    for number in range(count):
        home = folder / f"node{number}"
        settings = Settings(
            name=f"node{number}",
            network="../network.toml",
            http=f"{LOOPBACK}:{next(ports)}",
            listen=(f"/ip4/{LOOPBACK}/tcp/{next(ports)}",),
            rpc=rpc,
        )
        operators.append(init_node(home, settings, os.urandom))
        nodes.append(DemoNode(settings.name, home, f"http://{settings.http}"))
    (folder / "network.toml").write_text(replace(template, operators=tuple(operators)).to_toml())
    return nodes
