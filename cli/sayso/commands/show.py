"""`sayso show`: a message or signed statement, explained in plain sentences."""

import time
from contextlib import suppress
from pathlib import Path

import click

from sayso.commands.options import PATH, network_option, path_option
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
@path_option("--consents", "FILE", "Also show which permissions of these consents a revocation covers.")
@network_option
def command(path: Path, consents: Path | None, network_path: Path) -> None:
    """Explain a file: who signed it, what it allows or revokes, until when, and whether it verifies.

    FILE holds consents or revocations, a receipt, an acknowledgement, a status answer, the proof of a
    row, or a network file. The command asks no node. Without a network file, it verifies a node's
    signature with the key that the statement names, and cannot tell whose key that is.

    Exit status: 0 shown; 1 the file is not of these types, or a signature is invalid.
    """
    trusted = _trusted(network_path)
    known = _consents(consents) if consents else []
    data = read_bounded(path, MAX_BYTES)
    explanations = explain(data, trusted, known, time.time(), MAX_BYTES)
    for position, one in enumerate(explanations):
        if position:
            say("")
        say(*one.lines)
    for one in explanations:
        if one.error:
            raise one.error


def _trusted(path: Path) -> NetworkFile | None:
    """Return the network file; None if the default file does not exist. Raises InvalidNetworkFile."""
    return None if path == DEFAULT_FILE and not path.exists() else load_network(path)


def _consents(path: Path) -> list[Envelope]:
    """Return the messages of a bundle of any network, verified; raises BadSignature."""
    envelopes = read_envelopes(read_bounded(path, MAX_BYTES), MAX_BYTES)
    for one in envelopes:
        with suppress(Unsupported):
            one.check_signatures(EoaVerifier())
    return envelopes
