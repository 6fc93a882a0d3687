"""How long from a revocation at one node to its refusal at all of ten: two a second, on one box.

Ten whole nodes of two processes each, which know each other from the network file. The clock starts when
a revocation is handed in over HTTP, and stops when the last node has said, over HTTP, that the license
is revoked. Each is asked when its event stream says that something came, so that nobody has to poll.
"""

import asyncio
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from pathlib import Path

import aiohttp
from eth_account import Account
from hexbytes import HexBytes

from bench.consents import current
from bench.figure import Figure
from sayso.demo.chain import embedded_chain
from sayso.demo.nodes import DemoNode
from sayso.demo.ports import LOOPBACK, free_ports
from sayso.demo.waiting import until
from sayso_node.config import Settings, init_node
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text, address_text, hex_text, sha256

NODES = 10
REVOCATIONS = 120
WARM_UP = 10  # before them: meshes are joined, connections to the API are open
EVERY_S = 0.5
READY_S, ARRIVES_S = 300.0, 60.0
QUERY = {"grantee": address_text(bytes(20)), "purpose": "train-ai", "max_age_s": "3600"}
MSGPACK = {"Content-Type": "application/msgpack"}


def figures() -> Iterator[Figure]:
    """gossip.p50_s and gossip.p99_s"""
    with tempfile.TemporaryDirectory() as name:
        times, by_gossip = asyncio.run(_measure(Path(name)))
    heard = f"{NODES} nodes, {by_gossip:.1%} by gossip, the rest by sync"
    for rank in (50, 99):
        value = statistics.quantiles(times, n=100, method="inclusive")[rank - 1]
        peers = {"the slowest": max(times)}
        yield Figure(f"gossip.p{rank}_s", value, "s", "lower", peers, heard)


class _Person:
    """A consent, and the revocation of it."""

    def __init__(self, number: int, place: Network) -> None:
        self.consent = current(number, 1, place)
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


class _Watched:
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

    async def says(self, person: _Person) -> str:
        """The reason that it gives for this person's item."""
        async with self._http.get(self.node.url + person.path, params=QUERY) as answer:
            reason: str = (await answer.json())["reason"]
            return reason

    async def refuses(self, person: _Person) -> None:
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


async def _measure(folder: Path) -> tuple[list[float], float]:
    """Seconds until all refuse, for each revocation, and which part of them gossip brought."""
    async with _nodes(folder) as (nodes, place):
        people = [_Person(number, place) for number in range(WARM_UP + REVOCATIONS)]
        await nodes[0].give(*(one.consent for one in people))
        for watched in nodes:

            async def all_hold(watched: _Watched = watched) -> bool:
                return all([await watched.says(one) != "unknown" for one in people])

            await until(f"{watched.node.name} has all consents", all_hold, READY_S)
        await _revoke(nodes, people[:WARM_UP])
        before = await _counts(nodes)
        times = await _revoke(nodes, people[WARM_UP:])
        by_gossip, by_sync = [
            after - one for after, one in zip(await _counts(nodes), before, strict=True)
        ]
        return times, by_gossip / (by_gossip + by_sync)


async def _counts(nodes: list[_Watched]) -> tuple[int, int]:
    """Revocations that came by gossip and by sync, at all nodes."""
    gossip = [await one.count("gossip_revocations") for one in nodes]
    sync = [await one.count("sync_revocations") for one in nodes]
    return sum(gossip), sum(sync)


async def _revoke(nodes: list[_Watched], people: list[_Person]) -> list[float]:
    """Each at its time, at one node after the other, whether or not the last has arrived."""
    begun = time.perf_counter()
    under_way = []
    for number, person in enumerate(people):
        await asyncio.sleep(begun + number * EVERY_S - time.perf_counter())
        under_way.append(asyncio.create_task(_one(nodes, nodes[number % len(nodes)], person)))
    return await asyncio.gather(*under_way)


async def _one(nodes: list[_Watched], door: _Watched, person: _Person) -> float:
    begun = time.perf_counter()
    async with asyncio.timeout(ARRIVES_S):
        await door.give(person.revocation)
        await asyncio.gather(*(one.refuses(person) for one in nodes))
    return time.perf_counter() - begun


@asynccontextmanager
async def _nodes(folder: Path) -> AsyncIterator[tuple[list[_Watched], Network]]:
    """All of them, connected with each other; stopped at the end."""
    async with AsyncExitStack() as stack:
        chain = await embedded_chain(folder)
        stack.push_async_callback(chain.stop)
        deployment = await chain.deploy()
        place = Network(chain.chain_id, address_from_text(deployment.address))
        made = _made(folder, NetworkFile(place, deployment.block_number), chain.url)
        for node in made:
            await node.start()
            assert node.process
            stack.push_async_callback(node.process.stop)
        http = await stack.enter_async_context(aiohttp.ClientSession())
        nodes = [_Watched(node, http) for node in made]
        for one in nodes:

            async def meets_all(one: _Watched = one) -> bool:
                try:
                    return await one.connected() >= NODES - 1
                except aiohttp.ClientConnectionError:
                    return False

            await until(f"{one.node.name} is connected with all", meets_all, READY_S)
            listening = asyncio.create_task(one.listen())
            stack.callback(listening.cancel)
        yield nodes, place


def _made(folder: Path, template: NetworkFile, rpc: str) -> list[DemoNode]:
    """Folders of nodes that are all operators of one network."""
    nodes, operators = [], []
    ports = iter(free_ports(2 * NODES))
    for number in range(NODES):
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
