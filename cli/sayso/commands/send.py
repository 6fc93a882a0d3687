"""`sayso send`: hand in messages that were signed and saved earlier."""

import asyncio
from pathlib import Path

import click

from sayso.answers import Submitted
from sayso.bundles import load_bundle
from sayso.client import NodeClient
from sayso.commands.options import PATH, network_option, node_option, node_url_or_default
from sayso.commands.text import example, moment, say
from sayso.errors import NotAcknowledged
from sayso.networks import load_network
from sayso_protocol.envelope import Envelope
from sayso_protocol.messages import Revocation
from sayso_protocol.primitives import hex_text


@click.command(name="send", epilog=example("sayso send revocation.sayso --node http://127.0.0.1:8600"))
@click.argument("path", type=PATH, metavar="FILE")
@node_option
@network_option
def command(path: Path, node_url: str | None, network_path: Path) -> None:
    """Send a file of signed messages (sayso revoke --save) to a node; anybody may."""
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    envelopes = load_bundle(path, trusted.network)
    report_sent(envelopes, asyncio.run(submit(NodeClient(url, trusted), envelopes)))


async def submit(client: NodeClient, envelopes: list[Envelope]) -> list[Submitted]:
    """Hand messages in at one node."""
    async with client as node:
        return await node.submit(envelopes)


def report_sent(envelopes: list[Envelope], results: list[Submitted]) -> None:
    """Say what became of each message; raises NotAcknowledged for a revocation nobody signed for."""
    for envelope, result in zip(envelopes, results, strict=True):
        name = hex_text(result.digest)
        if result.acknowledgement and result.operator:
            when = moment(result.acknowledgement.statement.time)
            say(f"revocation {name}")
            say(f"  kept by {result.operator.name}, signed on {when}")
        elif isinstance(envelope.message, Revocation):
            raise NotAcknowledged(f"the node did not sign for keeping the revocation {name}")
        else:
            say(f"consent {name}" + ("" if result.new else " (known already)"))
