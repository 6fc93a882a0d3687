"""A chain and a node on this machine, for who has none at hand."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from sayso.demo.chain import embedded_chain
from sayso.demo.nodes import make_nodes
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text


@asynccontextmanager
async def world(folder: Path) -> AsyncIterator[tuple[NetworkFile, str]]:
    """Start a chain with the registry and a node; yields the network file and the node's URL."""
    chain = await embedded_chain(folder)
    try:
        deployed = await chain.deploy()
        network = Network(chain.chain_id, address_from_text(deployed.address))
        template = NetworkFile(network, deployed.block_number)
        nodes, trusted, payer = make_nodes(folder, template, chain.url, names=("node",))
        await chain.fund(payer)
        node = nodes["node"]
        await node.start()
        try:
            await node.ready(trusted)
            yield trusted, node.url
        finally:
            if node.process:
                await node.process.stop()
    finally:
        await chain.stop()
