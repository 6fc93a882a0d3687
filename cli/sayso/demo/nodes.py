"""The demo's three nodes: processes, each with its own store, identity and HTTP port."""

import os
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso.demo.ports import LOOPBACK, free_ports
from sayso.demo.processes import Child
from sayso.demo.waiting import until
from sayso.errors import DemoFailed, NodeUnreachable
from sayso.node_client.client import NodeClient
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_protocol.network_file import NetworkFile

NAMES: Final = ("A", "B", "C")
NODE_START_S: Final = 60.0


@dataclass
class DemoNode:
    """DemoNode is one node: its folder, its URL and, if it runs, its process."""

    name: str
    folder: Path
    url: str
    process: Child | None = None

    async def start(self) -> None:
        """Start the process; the node answers after ready()."""
        log = self.folder / "node.log"
        self.process = await Child.start(f"node {self.name}", log, "sayso_node", str(self.folder))

    def client(self, trusted: NetworkFile) -> NodeClient:
        """Create a client that verifies signatures with the network file."""
        return NodeClient(self.url, trusted)

    async def ready(self, trusted: NetworkFile) -> None:
        """Wait until the node answers; raises DemoFailed with the end of the node's log."""

        async def answers() -> bool:
            if self.process is None or not self.process.running:
                words = self.process.last_words() if self.process else ""
                raise DemoFailed(f"node {self.name} has ended. {words}")
            try:
                async with self.client(trusted) as node:
                    await node.node()
            except NodeUnreachable:
                return False
            return True

        await until(f"node {self.name} answers", answers, NODE_START_S)

    async def counter(self, trusted: NetworkFile, name: str) -> int:
        """Return a counter of the node; 0 if the node has no such counter."""
        async with self.client(trusted) as node:
            return (await node.node()).counters.get(name, 0)


def make_nodes(
    folder: Path,
    template: NetworkFile,
    rpc: str,
    disabled: tuple[str, ...] = (),
    names: tuple[str, ...] = NAMES,
) -> tuple[dict[str, DemoNode], NetworkFile, LocalAccount]:
    """Create folders, the network file, and the account that pays for anchors of the first node."""
    payer: LocalAccount = Account.create()
    nodes, operators = {}, []
    ports = iter(free_ports(2 * len(names)))
    for name in names:
        home = folder / name
        settings = Settings(
            name=name,
            network="../network.toml",
            http=f"{LOOPBACK}:{next(ports)}",
            listen=(f"/ip4/{LOOPBACK}/tcp/{next(ports)}",),
            rpc=rpc,
            anchor_key="anchor.key" if name == names[0] else "",
            sync_interval_s=2.0,
            chain_interval_s=0.5,
            anchor_wait_s=1.0,
            relay_wait_s=1.0,
            disabled=disabled,
        )
        operators.append(init_node(home, settings, os.urandom))
        nodes[name] = DemoNode(name, home, f"http://{settings.http}")
    anchor_key = folder / names[0] / "anchor.key"
    anchor_key.touch(0o600)
    anchor_key.write_text(payer.key.hex())
    trusted = replace(template, operators=tuple(operators))
    (folder / "network.toml").write_text(trusted.to_toml())
    return nodes, trusted, payer
