"""Two API processes on one database beside one: signed looks, by the same load and connections.

What takes the load runs on the same cores: the database, the node that gossips, and the load itself. So
on two cores the figure says what a second process costs and gives there, and not what two machines give.
"""

import asyncio
import os
import shutil
import statistics
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import replace
from secrets import token_bytes

from bench.api import MAX_AGE_S, QUERY, confirmed
from bench.consents import current
from bench.figure import Figure
from bench.load import load
from bench.real_node import MeasuredNode, measured_node
from sayso.demo.nodes import DemoNode
from sayso.demo.ports import LOOPBACK, free_ports
from sayso.demo.processes import Child
from sayso.node_client.client import NONCE_BYTES
from sayso.node_client.status import StatusQuestion
from sayso_node.folder.config import IDENTITY_FILE, init_node
from sayso_node.folder.settings import Settings, load_settings
from sayso_protocol.verdicts.verdict import Row
from support.postgres import postgres

LICENSES = 200
ITEMS = 100
CONNECTIONS = 32
REQUESTS = 3_000
ROUNDS = 3


class BesideNode(DemoNode):
    """A process beside a node."""

    async def start(self) -> None:
        """See DemoNode."""
        log = self.folder / "node.log"
        arguments = ("sayso_node", "--api-only", str(self.folder))
        self.process = await Child.start(f"process {self.name}", log, *arguments)


@asynccontextmanager
async def beside(node: MeasuredNode, name: str) -> AsyncIterator[BesideNode]:
    """Start a process beside a node, and stop it at the end."""
    theirs, folder = load_settings(node.node.folder), node.node.folder.parent / name
    (port,) = free_ports(1)
    settings = Settings(
        *(name, theirs.network, f"{LOOPBACK}:{port}", (), theirs.rpc), store=theirs.store
    )
    init_node(folder, settings, os.urandom)
    shutil.copy2(node.node.folder / IDENTITY_FILE, folder / IDENTITY_FILE)
    process = BesideNode(name, folder, f"http://{settings.http}")
    await process.start()
    try:
        await process.ready(node.trusted)
        yield process
    finally:
        assert process.process
        await asyncio.shield(process.process.stop())


def figures() -> Iterator[Figure]:
    """postgres.api_scaling"""
    with postgres() as server:
        yield asyncio.run(_measure(server.schema()))


async def _measure(place: str) -> Figure:
    async with AsyncExitStack() as stack:
        node = await stack.enter_async_context(measured_node(store=place))
        envelopes = [current(number, ITEMS, node.trusted.network) for number in range(LICENSES)]
        await node.take(envelopes)
        rows = [Row(one.digest, item) for one in envelopes for item in one.items]
        some = [await stack.enter_async_context(beside(node, name)) for name in ("one", "two")]
        for one in some:
            await confirmed(replace(node, node=one), rows[-1])
        asked = rows[:: len(rows) // REQUESTS or 1]
        paths = [StatusQuestion(row, QUERY, MAX_AGE_S).path(token_bytes(NONCE_BYTES)) for row in asked]
        rates: dict[int, list[float]] = {1: [], 2: []}
        for turn in range(ROUNDS + 1):
            for count, found in rates.items():
                rate = await _rate([one.url for one in some[:count]], paths)
                if turn:  # the first is for warming up
                    found.append(rate)
    alone, both = (statistics.median(found) for found in rates.values())
    limit = f"{os.cpu_count()} cores carry the database, the node and the load, too; {both:.0f} looks/s"
    return Figure("postgres.api_scaling", both / alone, "x", "higher", {"one process": 1.0}, limit)


async def _rate(urls: Sequence[str], paths: Sequence[str]) -> float:
    """Looks a second, of the same connections in all, shared by the processes."""
    count = len(urls)
    share = {"connections": CONNECTIONS // count, "requests": REQUESTS // count}
    seen = await asyncio.gather(*(load(url, paths, **share) for url in urls))
    return sum(one.per_s for one in seen)
