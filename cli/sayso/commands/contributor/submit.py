"""`sayso submit`: submit messages that were signed and saved earlier."""

import json
from collections.abc import Sequence
from pathlib import Path
from typing import Final

import click

from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, path_option
from sayso.commands.text import example, moment, say, several
from sayso.contributor.saved_messages import load_bundle
from sayso.errors import NotAcknowledged, NotKept
from sayso.gate.licenses import bundle_files
from sayso.node_client.answers import Submitted
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.message import DISPUTE, REMOVAL, SUBLICENSE, USE
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.text import acknowledgement_to_json

_LACKING: Final = {  # what a node does not know of a statement that it may drop (rule 7.17)
    SUBLICENSE: "it does not know that the signer may pass them on; submit the consents, or the parent",
    USE: "it does not know that the signer holds the licenses; submit the consents or sublicenses",
    REMOVAL: "it does not know that the signer holds the licenses; submit the consents or sublicenses",
    DISPUTE: "it does not heed the signer, so it stops nothing there",
}
acknowledgement_option = path_option(
    "--acknowledgement",
    "ACK",
    "Write the node's acknowledgement of the revocation to this file.",
    name="promises",
)


@click.command(
    name="submit",
    epilog=example(
        "sayso submit stop.sayso --node https://north.example --acknowledgement kept.json",
        "sayso submit consents.sayso stop.sayso",
        "sayso submit use-3fa9c012",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=PATH, metavar="FILE...")
@acknowledgement_option
@node_options
def command(paths: tuple[Path, ...], promises: Path | None, asked: AskedNode) -> None:
    """Submit files of signed messages (sayso revoke --save, sayso grant --save). Anybody may do this.

    A folder stands for all its files. Sending a message twice changes nothing.

    The command succeeds when an operator of the network file acknowledges each revocation. A node that
    knows no license of a revocation holds it as pending, without a promise, and the command fails. In
    this case, submit the file with the consents as well.
    """
    refuse_existing(promises)
    files = [file for path in paths for file in bundle_files(path)]
    envelopes = [one for file in files for one in load_bundle(file, asked.trusted.network)]
    send(envelopes, asked, promises)


def send(envelopes: Sequence[Envelope], asked: AskedNode, promises: Path | None = None) -> None:
    """Submit messages, keep the acknowledgements in the file `promises`, and print every result.

    Raises:
        NotAcknowledged, NotKept: The node does not keep a message.
        OutputFailed: The acknowledgements cannot be written. See NodeClient.submit for other errors.
    """
    results = asked.ask(lambda node: node.submit(envelopes))
    if promises:
        _save_acknowledgements(promises, results)
    report_sent(envelopes, results)


def _save_acknowledgements(path: Path, results: Sequence[Submitted]) -> None:
    """Write the acknowledgements as a JSON object, or as a list of several."""
    signed = [acknowledgement_to_json(one.acknowledgement) for one in results if one.acknowledgement]
    if signed:
        text = json.dumps(signed[0] if len(signed) == 1 else signed, indent=2)
        write_file(path, text.encode() + b"\n")


def report_sent(envelopes: Sequence[Envelope], results: Sequence[Submitted]) -> None:
    """Print the result of every message; raises NotAcknowledged and NotKept."""
    unacknowledged: list[Submitted] = []
    not_kept = 0
    for envelope, result in zip(envelopes, results, strict=True):
        kind = kind_of(envelope.message)
        name = f"{kind.name} {hex_text(result.digest)}"
        if result.acknowledgement and result.operator:
            when = moment(result.acknowledgement.statement.time)
            say(name)
            say(f"  kept by {result.operator.name}, signed on {when}")
        elif kind.is_acknowledged:
            unacknowledged.append(result)
            say(name)
            say(
                "  "
                + ("pending at the node, without a promise" if result.pending else "not acknowledged")
            )
        elif result.pending:
            not_kept += 1
            say(name)
            say(f"  pending at the node, without a promise: {_why_pending(envelope)}")
        else:
            say(name + ("" if result.new else " (already known)"))
    if any(one.pending for one in unacknowledged):
        raise NotAcknowledged(
            "the node knows no license that the revocation covers, so it may drop the revocation; "
            "submit the consent as well (sayso submit CONSENTS FILE), or use a node that has the consent"
        )
    if unacknowledged:
        raise NotAcknowledged("the node accepted the revocation, but did not acknowledge it")
    if not_kept:
        raise NotKept(f"the node may drop {several(not_kept, 'message')}; the lines above say why")


def _why_pending(envelope: Envelope) -> str:
    if not envelope.signature:
        return "no final block that it read has the signer's endorsement"
    return _LACKING.get(envelope.message.kind, "it lacks what the message is about")
