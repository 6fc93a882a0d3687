"""`sayso node status`: how a node is, and why it is not ready or not running."""

import asyncio
from pathlib import Path
from typing import Final

import click
import msgspec

from sayso.commands.node import AskedNode
from sayso.commands.options import PATH, json_option, network_option, node_option
from sayso.commands.text import example, moment, say, say_json
from sayso.errors import NodeUnreachable, NotReady
from sayso.extras import extra
from sayso.node_client.answers import NodeInfo
from sayso.node_client.parsing import read_node_info
from sayso.node_client.transport import Transport
from sayso_node.api.schema import about
from sayso_node.api.schema.about import PeerJson, Ready
from sayso_protocol.errors import WrongNetwork
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import address_text

Answers = tuple[Ready, NodeInfo, list[PeerJson]]
HERE: Final = "http://127.0.0.1:8600"  # where a node answers unless its settings say otherwise


@click.command(
    epilog=example("sayso node status ./node", "sayso node status --node http://127.0.0.1:8600")
)
@click.argument("folder", type=PATH, required=False)
@node_option
@network_option
@json_option
def status(folder: Path | None, node_url: str | None, network_path: Path, *, as_json: bool) -> None:
    """Ask a node how it is: whether it is ready and why not, its key, block, peers and counters.

    With FOLDER it asks the node of that folder and, if none answers, says what keeps it from starting.
    The exit status is 1 if the node is not ready. Without a network file it asks --node, or the node on
    this machine.
    """
    if folder and node_url:
        raise click.UsageError("name FOLDER or --node, not both")
    trusted: NetworkFile | None
    if folder:
        trusted, (ready, info, peers) = _ask_own(folder)
    else:
        asked = AskedNode(node_url, network_path) if network_path.exists() else None
        trusted, url = (asked.trusted, asked.url) if asked else (None, node_url or HERE)
        ready, info, peers = asyncio.run(_ask(url, trusted))
    if as_json:
        say_json(_as_json(ready, info, peers, trusted))
    else:
        _show(ready, info, peers, trusted)
    if not ready.ready:
        raise NotReady("; ".join(one.text for one in ready.reasons) or "the node gives no reason")


def _show(ready: Ready, info: NodeInfo, peers: list[PeerJson], trusted: NetworkFile | None) -> None:
    say(f"{info.name}, version {info.version}, {_trust(info, trusted)}")
    say(f"ready  {'yes' if ready.ready else 'NO'}")
    for one in ready.reasons:
        say(f"  {one.code}: {one.text}")
    for name in ready.alarms:
        say(f"alarm  {name}")
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


def _ask_own(folder: Path) -> tuple[NetworkFile, Answers]:
    """Ask the node of a folder; raises NotReady if it does not run, with the reason."""
    with extra("node"):
        from sayso_node.doctor.stores import examine_store  # noqa: PLC0415
        from sayso_node.folder.addresses import url_here  # noqa: PLC0415
        from sayso_node.folder.config import load_config  # noqa: PLC0415

    config = load_config(folder)
    url = url_here(config.settings)
    try:
        answers = asyncio.run(_ask(url, config.network_file))
    except NodeUnreachable as error:
        wrong = [one for one in examine_store(config) if one.level == "FAIL"]
        for one in wrong:
            say(f"{one.subject}: {one.text}")
            say(f"  -> {one.advice}")
        why = "; ".join(one.text for one in wrong) or f"start it with: sayso node run {folder}"
        raise NotReady(f"no node answers at {url}: {why}") from error
    if answers[1].node_key != config.node_key:
        raise NotReady(f"another node than that of {folder} answers at {url}")
    return config.network_file, answers


async def _ask(url: str, trusted: NetworkFile | None) -> Answers:
    async with Transport(url) as node:
        info = read_node_info(await node.get("/v1/node", about.NodeJson))
        if trusted and info.network != trusted.network:
            raise WrongNetwork(
                f"the node serves {info.network}; the network file names {trusted.network}"
            )
        ready = await node.get_whatever("/readyz", Ready)
        return ready, info, (await node.get("/v1/peers", about.Peers)).peers


def _trusted(info: NodeInfo, trusted: NetworkFile | None) -> bool:
    return trusted is not None and any(one.key == info.node_key for one in trusted.operators)


def _trust(info: NodeInfo, trusted: NetworkFile | None) -> str:
    if trusted is None:
        return "without a network file: nothing says whether to trust it"
    return "trusted" if _trusted(info, trusted) else "NOT in the network file: not trusted"


def _as_json(
    ready: Ready, info: NodeInfo, peers: list[PeerJson], trusted: NetworkFile | None
) -> dict[str, object]:
    return {
        "ready": ready.ready,
        "reasons": [{"code": one.code, "text": one.text} for one in ready.reasons],
        "alarms": ready.alarms,
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
        "peers": msgspec.to_builtins(peers),
        "counters": info.counters,
    }
