"""`sayso submit`: hand in messages that were signed and saved earlier, at any node, by anybody."""

import asyncio
import json
from collections.abc import Sequence
from pathlib import Path

import click

from sayso.commands.options import PATH, network_option, node_option, node_url_or_default
from sayso.commands.text import example, moment, say
from sayso.contributor.saved_messages import load_bundle
from sayso.errors import NotAcknowledged
from sayso.networks import load_network
from sayso.node_client.answers import Submitted
from sayso.node_client.client import NodeClient
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.text import acknowledgement_to_json

acknowledgement_option = click.option(
    "--acknowledgement",
    "promises",
    type=PATH,
    metavar="ACK",
    help="Write the node's signed promise to keep the revocation here.",
)


@click.command(
    name="submit",
    epilog=example(
        "sayso submit stop.sayso --node https://north.example --acknowledgement kept.json",
        "sayso submit consents.sayso stop.sayso",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="FILE...")
@acknowledgement_option
@node_option
@network_option
def command(
    paths: tuple[Path, ...], promises: Path | None, node_url: str | None, network_path: Path
) -> None:
    """Hand in files of signed messages (sayso revoke --save, sayso grant --save); anybody may.

    A revocation counts as handed in when an operator of the network file has signed for keeping it. A
    node that knows nothing of what it takes back lets it wait without a promise, and this fails: name
    the file with the consents, too.
    """
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    if promises:
        refuse_existing(promises)
    envelopes = [one for path in paths for one in load_bundle(path, trusted.network)]
    results = asyncio.run(submit(NodeClient(url, trusted), envelopes))
    if promises:
        save_acknowledgements(promises, results)
    report_sent(envelopes, results)


async def submit(client: NodeClient, envelopes: list[Envelope]) -> list[Submitted]:
    """Hand messages in at one node."""
    async with client as node:
        return await node.submit(envelopes)


def save_acknowledgements(path: Path, results: Sequence[Submitted]) -> None:
    """Write what the node signed, as one JSON object, or a list of several; raises OutputFailed."""
    signed = [acknowledgement_to_json(one.acknowledgement) for one in results if one.acknowledgement]
    if signed:
        text = json.dumps(signed[0] if len(signed) == 1 else signed, indent=2)
        write_file(path, text.encode() + b"\n")


def report_sent(envelopes: Sequence[Envelope], results: Sequence[Submitted]) -> None:
    """Say what became of every message; raises NotAcknowledged if nobody signed for a revocation."""
    unkept: list[Submitted] = []
    for envelope, result in zip(envelopes, results, strict=True):
        kind = kind_of(envelope.message)
        name = f"{kind.name} {hex_text(result.digest)}"
        if result.acknowledgement and result.operator:
            when = moment(result.acknowledgement.statement.time)
            say(name)
            say(f"  kept by {result.operator.name}, signed on {when}")
        elif kind.is_acknowledged:
            unkept.append(result)
            say(name)
            say("  " + ("waits at the node, without a promise" if result.pending else "not signed for"))
        else:
            say(name + ("" if result.new else " (known already)"))
    if any(one.pending for one in unkept):
        raise NotAcknowledged(
            "the node knows no license that the revocation is about, so it may forget it; hand it in "
            "together with the consent (sayso submit CONSENTS FILE), or at a node that has the consent"
        )
    if unkept:
        raise NotAcknowledged("the node took the revocation and did not sign for keeping it")
