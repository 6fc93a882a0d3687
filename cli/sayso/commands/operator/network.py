"""`sayso network`: the network file, which is the root of trust."""

import asyncio
from pathlib import Path

import click

from sayso.commands.asking import confirm
from sayso.commands.lazy import Group
from sayso.commands.options import json_option, network_option, text_option, yes_option
from sayso.commands.text import example, say, say_json
from sayso.errors import BadName
from sayso.extras import extra
from sayso.networks import load_network, save_network, with_name, with_operator
from sayso.node_client.client import NodeClient
from sayso_protocol.network_file import Named, NetworkFile, Operator, parse_network_file
from sayso_protocol.primitives import address_from_text, address_text


@click.group(cls=Group)
def network() -> None:
    """Show the network file, add an operator you trust, or name an organisation."""


@network.command(epilog=example("sayso network show --network network.toml"))
@network_option
@json_option
def show(network_path: Path, *, as_json: bool) -> None:
    """Show the chain, the registry and the operators of the network file."""
    trusted = load_network(network_path)
    if as_json:
        say_json(_as_json(trusted))
        return
    say(f"chain      {trusted.network.chain_id}")
    say(f"registry   {address_text(trusted.network.registry)}, since block {trusted.deploy_block}")
    say(f"finality   {trusted.finality} blocks")
    for one in trusted.names:
        say(f"name       {one.name}  {address_text(one.address)}  {one.domain}  {one.role}".rstrip())
    for operator in trusted.operators:
        say(
            f"operator   {operator.name}  {operator.key.hex()}  {operator.url}  {operator.peer}".rstrip()
        )


@network.command(
    epilog=example("sayso network name 0x52908400098527886E0F7030069857D2E4169EE7 Kled --domain kled.ai")
)
@click.argument("address", type=address_from_text)
@click.argument("name")
@text_option("--domain", "DOMAIN", "The domain of the organisation.", default="")
@text_option("--role", "WORD", "What it is, such as union.", default="")
@network_option
def name(address: bytes, name: str, domain: str, role: str, network_path: Path) -> None:
    """Name the organisation that has ADDRESS: nodes with this file show NAME to people.

    A name is in one script and looks like no other name in the file (Unicode Technical Standard 39).
    Make sure that the address is theirs: people trust it because you list it.
    """
    with extra("node"):
        from sayso_node.web.names import faults_of  # noqa: PLC0415 - needs the node extra

    trusted = load_network(network_path)
    added = parse_network_file(with_name(trusted, Named(address, name, domain, role)).to_toml())
    faults = faults_of(added.names)
    if fault := faults[address]:
        raise BadName(f"people would not be shown {name!r}: {fault}")
    save_network(network_path, added)
    say(f"{address_text(address)}  {name}" + (f", {domain}" if domain else ""))


@network.command(epilog=example('sayso network add --from-node http://127.0.0.1:8600 --name "Ours"'))
@text_option(
    "--from-node",
    "DIR|URL",
    "The node: its folder (sayso node init), or the URL of its HTTP API.",
    name="source",
    required=True,
)
@click.option("--name", help="A name for the operator.  [default: the node's own]")
@click.option("--peer", help="The multiaddress to dial, with /p2p/.  [default: the node's own]")
@network_option
@yes_option
def add(source: str, name: str | None, peer: str | None, network_path: Path, *, yes: bool) -> None:
    """Trust another operator: add its key to the network file.

    Your commands then accept statements that this key signs. Plain HTTP does not protect the key on its
    way to you, so compare it with the key that the operator publishes.
    """
    trusted = load_network(network_path)
    is_url = source.startswith(("http://", "https://"))
    operator = asyncio.run(_ask(source, trusted)) if is_url else _read(Path(source))
    operator = Operator(name or operator.name, operator.key, peer or operator.peer, operator.url)
    say(f"{operator.name}  {operator.key.hex()}")
    if is_url and not yes:
        confirm("Is this the operator's key, and do you trust it?")
    save_network(network_path, with_operator(trusted, operator))


def _read(folder: Path) -> Operator:
    from sayso_node.folder.config import load_operator  # noqa: PLC0415 - needs the node package

    if not folder.is_dir():
        raise click.UsageError(
            f"{str(folder)!r} is neither a node's folder nor a URL that begins with http:// or https://"
        )
    return load_operator(folder)


async def _ask(url: str, trusted: NetworkFile) -> Operator:
    async with NodeClient(url, trusted) as node:
        info = await node.node()
    peer = info.listen[0] if info.listen else ""
    if peer and "/p2p/" not in peer:
        peer += f"/p2p/{info.peer_id}"
    return Operator(info.name, info.node_key, peer, url)


def _as_json(trusted: NetworkFile) -> dict[str, object]:
    operators = [
        {"name": one.name, "key": one.key.hex(), "peer": one.peer, "url": one.url}
        for one in trusted.operators
    ]
    return {
        "chain_id": trusted.network.chain_id,
        "registry": address_text(trusted.network.registry),
        "deploy_block": trusted.deploy_block,
        "finality": trusted.finality,
        "operators": operators,
        "names": [
            {
                "address": address_text(one.address),
                "name": one.name,
                "domain": one.domain,
                "role": one.role,
            }
            for one in trusted.names
        ],
    }
