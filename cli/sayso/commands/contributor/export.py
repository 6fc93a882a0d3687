"""`sayso export`: a consent, converted to another vocabulary."""

import re
import time
from pathlib import Path
from typing import Final

import click

from sayso.commands.contributor.licenses import wallet_state
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import hash_option, path_option
from sayso.commands.text import example, warn
from sayso.errors import NothingToExport
from sayso.export import FORMATS, export, granted
from sayso.holder.hashes import load_messages
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.errors import Unsupported
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import of_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.verdicts.verdict import License

_HASH: Final = re.compile("0x[0-9a-f]{64}")


@click.command(
    name="export",
    epilog=example(
        "sayso export 0x4f5e...c1d2 --format croissant --out croissant.json",
        "sayso export consents.sayso --format aipref",
    ),
)
@click.argument("source", metavar="LICENSE|FILE|DIR")
@click.option(
    "--format", "name", type=click.Choice(list(FORMATS)), required=True, help="The target vocabulary."
)
@hash_option("--license", "HASH", "The license to convert, if FILE holds several.")
@path_option("--out", "FILE", "The file to write.  [default: standard output]")
@node_options
def command(
    source: str,
    name: str,
    license: bytes | None,  # noqa: A002 - the word of the help
    out: Path | None,
    asked: AskedNode,
) -> None:
    """Convert a consent to CAWG, IETF aipref, ODRL or Croissant.

    The command fetches the consent of a LICENSE hash from a node, or reads it from a FILE (sayso grant
    --save) or a license bundle. Terms that the other vocabulary cannot express are denied;
    docs/reference/export.md has the table. The result describes one moment, so its users still have to
    check before each use.
    """
    network = asked.trusted.network
    refuse_existing(out)
    held, revoked = _ask(source, asked) if _HASH.fullmatch(source) else _read(source, license, network)
    exportable = granted(held, time.time(), revoked=revoked)
    for reason in exportable.why_not:
        warn(reason)
    text = export(name, held, network, exportable)
    if out:
        write_file(out, text.encode())
    else:
        click.echo(text, nl=False)


def _ask(text: str, asked: AskedNode) -> tuple[License, bool]:
    """Return the license of this hash, and whether any of it is revoked according to the node."""
    held = asked.ask(lambda node: node.license(hash_from_text(text)))
    if held.word and not held.word.accepted:
        raise Unsupported(wallet_state(held.word))
    return held.license, held.revoked > 0


def _read(source: str, wanted: bytes | None, network: Network) -> tuple[License, bool]:
    """Return the consent in a file; no node is asked whether it is revoked."""
    envelopes = load_messages(Path(source), network)
    held = {one.digest: License(consent, one.items) for one, consent in of_kind(envelopes, Consent)}
    chosen = [one for name, one in held.items() if wanted in {None, name}]
    if len(chosen) != 1:
        names = ", ".join(hex_text(one) for one in held)
        raise NothingToExport(f"select one license with --license; the file holds {names or 'none'}")
    warn("no node was asked whether the license is revoked")
    return chosen[0], False
