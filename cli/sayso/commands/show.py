"""`sayso show`: what a message says, in plain sentences."""

import time
from contextlib import suppress
from pathlib import Path

import click

from sayso.commands.options import PATH, network_option
from sayso.commands.text import example, say
from sayso.contributor.saved_messages import MAX_BYTES, read_bounded
from sayso.explain import explain, read_envelopes
from sayso.networks import DEFAULT_FILE, load_network
from sayso_protocol.errors import Unsupported
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.signatures.wallets import EoaVerifier


@click.command(
    name="show",
    epilog=example(
        "sayso show stop.sayso",
        "sayso show stop.sayso --consents consents.sayso",
        "sayso show - < receipt.json",
    ),
)
@click.argument("path", type=PATH, metavar="FILE|-")
@click.option(
    "--consents", type=PATH, metavar="FILE", help="Say what a revocation takes back of these consents."
)
@network_option
def command(path: Path, consents: Path | None, network_path: Path) -> None:
    """Explain a message: who says what, until when, what it takes back, and whose signature is right.

    FILE is what was saved of a consent or a revocation, a receipt, an acknowledgement, a status answer,
    the proof of a row, or a network file. Needs no node. Without a network file, a node's signature is
    checked against the key that it names, and whose key that is remains open.

    Exit status: 0 shown; 1 it is no such message, or a signature is wrong.
    """
    trusted = _trusted(network_path)
    known = _consents(consents) if consents else []
    data = read_bounded(path, MAX_BYTES)
    explanations = explain(data, trusted, known, time.time(), MAX_BYTES)
    for position, one in enumerate(explanations):
        if position:
            say("")
        for line in one.lines:
            say(line)
    for one in explanations:
        if one.error:
            raise one.error


def _trusted(path: Path) -> NetworkFile | None:
    """The network file; None where nobody named one and there is none. Raises InvalidNetworkFile."""
    return None if path == DEFAULT_FILE and not path.exists() else load_network(path)


def _consents(path: Path) -> list[Envelope]:
    """Consents of any network that were really signed; raises BadSignature."""
    envelopes = read_envelopes(read_bounded(path, MAX_BYTES), MAX_BYTES)
    for one in envelopes:
        with suppress(Unsupported):
            one.check_signatures(EoaVerifier())
    return envelopes
