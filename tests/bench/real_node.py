"""A real node process on a real chain, and consents given to it over HTTP: what the API is timed on."""

import asyncio
import os
import tempfile
from collections.abc import AsyncIterator, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, replace
from pathlib import Path

from sayso.demo.chain import DemoChain, embedded_chain
from sayso.demo.nodes import DemoNode
from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_node.store.opening import location_in
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text

Fill = Callable[[str, Network], None]  # the location of the store


@dataclass
class MeasuredNode:
    """A node that runs, and whom to trust about it."""

    node: DemoNode
    trusted: NetworkFile

    def memory_mb(self, name: str) -> float:
        """A figure of its process, such as VmHWM (the most it ever had) or VmRSS, in MB."""
        assert self.node.process
        status = Path(f"/proc/{self.node.process.pid}/status").read_text()
        (line,) = [one for one in status.splitlines() if one.startswith(name + ":")]
        return int(line.split()[1]) / 1_000

    async def take(self, envelopes: Sequence[Envelope]) -> None:
        """Hand in consents."""
        async with self.node.client(self.trusted) as client:
            await client.submit(envelopes)


@asynccontextmanager
async def measured_node(fill: Fill | None = None, store: str = "") -> AsyncIterator[MeasuredNode]:
    """Start chain and node, stop both at the end; `fill` fills the node's store before.

    `store` is a database; without it, the store is a file.
    """
    with tempfile.TemporaryDirectory() as folder:
        chain = await embedded_chain(Path(folder))
        try:
            async with _node(Path(folder), chain, fill, store) as node:
                yield node
        finally:
            await chain.stop()


@asynccontextmanager
async def _node(
    folder: Path, chain: DemoChain, fill: Fill | None, store: str
) -> AsyncIterator[MeasuredNode]:
    deployment = await chain.deploy()
    template = NetworkFile(
        Network(chain.chain_id, address_from_text(deployment.address)), deployment.block_number
    )
    http, listen = free_ports(2)
    settings = Settings(
        name="measured",
        network="../network.toml",
        http=f"{LOOPBACK}:{http}",
        listen=(f"/ip4/{LOOPBACK}/tcp/{listen}",),
        rpc=chain.url,
        sync_interval_s=2.0,
        chain_interval_s=0.5,
        store=store,
    )
    operator = init_node(folder / "node", settings, os.urandom)
    trusted = replace(template, operators=(operator,))
    (folder / "network.toml").write_text(trusted.to_toml())
    node = DemoNode("measured", folder / "node", f"http://{settings.http}")
    if fill:
        await asyncio.to_thread(fill, location_in(folder / "node", store), trusted.network)
    await node.start()
    try:
        await node.ready(trusted)
        yield MeasuredNode(node, trusted)
    finally:
        assert node.process
        await asyncio.shield(node.process.stop())
