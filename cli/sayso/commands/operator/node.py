"""`sayso node`: run a node, and see how one is."""

import asyncio
import os
from pathlib import Path

import click

from sayso.commands.options import (
    PATH,
    json_option,
    network_option,
    node_option,
    node_url_or_default,
    rpc_option,
)
from sayso.commands.text import example, moment, say, say_json
from sayso.extras import extra
from sayso.networks import load_network
from sayso.node_client.answers import NodeInfo, Peer
from sayso.node_client.client import NodeClient
from sayso.outputs import output_errors
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_text


@click.group()
def node() -> None:
    """Run a node, or ask one how it is."""


@node.command(
    epilog=example(
        'sayso node init ./node --name "Ours" --rpc http://127.0.0.1:8545',
        "sayso network add --from-node ./node",
    )
)
@click.argument("folder", type=PATH)
@click.option("--name", required=True, help="For people and logs.")
@click.option(
    "--http", default="127.0.0.1:8600", show_default=True, metavar="HOST:PORT", help="HTTP API."
)
@click.option(
    "--listen",
    multiple=True,
    default=("/ip4/0.0.0.0/tcp/4600",),
    show_default=True,
    metavar="MULTIADDR",
    help="Where peers reach it.",
)
@click.option("--peer", "peers", multiple=True, metavar="MULTIADDR", help="Dial this peer, too.")
@click.option(
    "--anchor-key", type=PATH, metavar="FILE", help="Private key (hexadecimal) that pays for anchors."
)
@rpc_option
@network_option
def init(
    folder: Path,
    name: str,
    http: str,
    listen: tuple[str, ...],
    peers: tuple[str, ...],
    anchor_key: Path | None,
    rpc_url: str,
    network_path: Path,
) -> None:
    """Make a node's FOLDER: its settings (node.toml) and its identity.

    Shows the node's entry for network files; others need it before they believe this node.
    """
    with extra("node"):
        from sayso_node.config import Settings, init_node  # noqa: PLC0415

    settings = Settings(
        name=name,
        network=os.path.relpath(network_path, folder),
        http=http,
        listen=listen,
        rpc=rpc_url,
        peers=peers,
        anchor_key=os.path.relpath(anchor_key, folder) if anchor_key else "",
    )
    with output_errors(folder):
        operator = init_node(folder, settings, os.urandom)
    say(f"key   {operator.key.hex()}")
    say(f"peer  {operator.peer}")
    say(f"url   {operator.url}")


@node.command(epilog=example("sayso node run ./node"))
@click.argument("folder", type=PATH)
@click.option("--verbose", "-v", is_flag=True, help="Log more than what goes wrong.")
def run(folder: Path, *, verbose: bool) -> None:
    """Run the node in FOLDER until SIGTERM or Ctrl-C."""
    with extra("node"):
        from sayso_node.app import run_node  # noqa: PLC0415
        from sayso_node.config import load_config  # noqa: PLC0415
        from sayso_node.supervision.logs import set_up_log  # noqa: PLC0415

    config = load_config(folder)
    set_up_log(verbose=verbose)
    run_node(config, lambda: say(f"ready: http://{config.settings.http}"))


@node.command(epilog=example("sayso node status --node http://127.0.0.1:8600"))
@node_option
@network_option
@json_option
def status(node_url: str | None, network_path: Path, *, as_json: bool) -> None:
    """Ask a node how it is: its key, its block, its peers, what it counted."""
    trusted = load_network(network_path)
    info, peers = asyncio.run(_status(node_url_or_default(node_url, trusted), trusted))
    if as_json:
        say_json(_as_json(info, peers, trusted))
        return
    say(f"{info.name}, version {info.version}, {_trust(info, trusted)}")
    say(f"key    {info.node_key.hex()}")
    say(f"clock  {moment(info.time)}")
    say(
        f"block  {info.block[0]:,}, of {moment(info.block[1])}" if info.block else "block  none read yet"
    )
    say(f"peers  {sum(one.connected for one in peers)} of {len(peers)} connected")
    for peer in peers:
        say(f"  {'up  ' if peer.connected else 'down'} {peer.peer_id} {peer.address}".rstrip())
    for name, count in sorted(info.counters.items()):
        if count:  # --json has the zeros, too
            say(f"  {name:<32} {count:,}")


async def _status(url: str, trusted: NetworkFile) -> tuple[NodeInfo, list[Peer]]:
    async with NodeClient(url, trusted) as client:
        return await client.node(), await client.peers()


def _trusted(info: NodeInfo, trusted: NetworkFile) -> bool:
    return any(one.key == info.node_key for one in trusted.operators)


def _trust(info: NodeInfo, trusted: NetworkFile) -> str:
    return "trusted" if _trusted(info, trusted) else "NOT in the network file: not trusted"


def _as_json(info: NodeInfo, peers: list[Peer], trusted: NetworkFile) -> dict[str, object]:
    return {
        "name": info.name,
        "version": info.version,
        "trusted": _trusted(info, trusted),
        "node_key": info.node_key.hex(),
        "peer_id": info.peer_id,
        "chain_id": info.network.chain_id,
        "registry": address_text(info.network.registry),
        "time": info.time,
        "block": {"number": info.block[0], "time": info.block[1]} if info.block else None,
        "listen": list(info.listen),
        "peers": [
            {"peer_id": one.peer_id, "address": one.address, "connected": one.connected} for one in peers
        ],
        "counters": info.counters,
    }
