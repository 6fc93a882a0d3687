"""`sayso trace`: where a license went, as a tree of holders, each with its history."""

import asyncio
from pathlib import Path

import click
import msgspec
from rich.console import Console

from sayso.commands.contributor.trace_picture import picture
from sayso.commands.contributor.trace_tree import heading, tree
from sayso.commands.options import json_option, network_option, node_option, node_url_or_default
from sayso.commands.text import example, say, say_json
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso_node.api.schema.traces import TraceJson
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import hash_from_text


@click.command(name="trace", epilog=example("sayso trace 0x5f0c...", "sayso trace 0x5f0c... --picture"))
@click.argument("license_hash", metavar="LICENSE", type=hash_from_text)
@node_option
@network_option
@click.option("--picture", "as_picture", is_flag=True, help="Draw the holders over a timeline.")
@json_option
def command(
    license_hash: bytes, node_url: str | None, network_path: Path, *, as_picture: bool, as_json: bool
) -> None:
    """Show where a license went: passed on to whom, used in which run, disputed, and what was removed.

    The tree shows what holders stated, and dates from the chain. What they do not state, nobody knows. A
    confirmed removal says that somebody signed so; it does not say that a model forgot.
    """
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    found = asyncio.run(_trace(url, trusted, license_hash))
    if as_json:
        say_json(msgspec.to_builtins(found))
        return
    for line in heading(found, url):
        say(line)
    if as_picture:
        Console(highlight=False).print(picture(found))
        return
    for line in tree(found):
        say(line)


async def _trace(url: str, trusted: NetworkFile, license_hash: bytes) -> TraceJson:
    async with NodeClient(url, trusted) as node:
        return await node.trace(license_hash)
