"""How every demo begins: a chain with the registry, and three nodes that are connected."""

import asyncio
from typing import Any, Final

from sayso.demo.chain import embedded_chain, named_chain
from sayso.demo.nodes import NAMES, make_nodes
from sayso.demo.stage import Stage, Step
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_from_text


async def start_chain(stage: Stage) -> str:
    """Start the chain and deploy the registry."""
    url = stage.options.chain_url
    stage.chain = await (named_chain(url) if url else embedded_chain(stage.folder))
    deployment = await stage.chain.deploy()
    network = Network(stage.chain.chain_id, address_from_text(deployment.address))
    stage.trusted = NetworkFile(network, deployment.block_number, heed=stage.heeded)
    return f"chain {stage.chain.chain_id} has the registry at {deployment.address}"


async def start_nodes(stage: Stage) -> str:
    """Start the nodes."""
    chain = stage.chain
    made = make_nodes(stage.folder, stage.trusted, chain.url, stage.options.disabled)
    stage.nodes, stage.trusted, payer = made
    await chain.fund(payer)
    await asyncio.gather(*(node.start() for node in stage.nodes.values()))
    await asyncio.gather(*(node.ready(stage.trusted) for node in stage.nodes.values()))

    async def all_connected() -> bool:
        return min([await _connected(stage, name) for name in NAMES]) == len(NAMES) - 1

    await stage.until("every node is connected to both others", all_connected)
    return "three processes run, and each is connected to the two others over libp2p"


async def _connected(stage: Stage, name: str) -> int:
    async with stage.nodes[name].client(stage.trusted) as client:
        return sum(peer.connected for peer in await client.peers())


OPENING: Final[tuple[Step[Any], ...]] = (
    Step("chain", "Start a chain and deploy the registry", (), start_chain),
    Step("nodes", "Start three nodes", ("chain",), start_nodes),
)
