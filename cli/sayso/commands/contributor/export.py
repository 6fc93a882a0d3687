"""`sayso export`: a consent, converted to another vocabulary."""

import asyncio
import re
import time
from pathlib import Path
from typing import Final

import click

from sayso.commands.contributor.licenses import wallet_state
from sayso.commands.options import PATH, network_option, node_option, node_url_or_default
from sayso.commands.text import example, warn
from sayso.contributor.saved_messages import load_bundle
from sayso.errors import NothingToExport
from sayso.export import FORMATS, export, granted
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso.outputs import refuse_existing, write_file
from sayso_protocol.errors import Unsupported
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import of_kind
from sayso_protocol.network_file import NetworkFile
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
@click.argument("source", metavar="LICENSE|FILE")
@click.option(
    "--format", "name", type=click.Choice(list(FORMATS)), required=True, help="The target vocabulary."
)
@click.option(
    "--license",
    type=hash_from_text,
    metavar="HASH",
    help="The license to convert, if FILE holds several.",
)
@click.option("--out", type=PATH, metavar="FILE", help="The file to write.  [default: standard output]")
@node_option
@network_option
def command(
    source: str,
    name: str,
    license: bytes | None,  # noqa: A002 - the word of the help
    out: Path | None,
    node_url: str | None,
    network_path: Path,
) -> None:
    """Convert a consent to CAWG, IETF aipref, ODRL or Croissant.

    The command fetches the consent of a LICENSE hash from a node, or reads it from a FILE (sayso grant
    --save). Terms that the other vocabulary cannot express are denied; docs/reference/export.md has the
    table. The result describes one moment, so its users still have to check before each use.
    """
    trusted = load_network(network_path)
    if out:
        refuse_existing(out)
    held, revoked = (
        _ask(source, node_url, trusted) if _HASH.fullmatch(source) else _read(source, license, trusted)
    )
    exportable = granted(held, time.time(), revoked=revoked)
    for reason in exportable.why_not:
        warn(reason)
    text = export(name, held, trusted.network, exportable)
    if out:
        write_file(out, text.encode())
    else:
        click.echo(text, nl=False)


def _ask(text: str, node_url: str | None, trusted: NetworkFile) -> tuple[License, bool]:
    """Return the license of this hash, and whether any of it is revoked according to the node."""
    url = node_url_or_default(node_url, trusted)

    async def ask() -> tuple[License, bool]:
        async with NodeClient(url, trusted) as node:
            held = await node.license(hash_from_text(text))
            if held.word and not held.word.accepted:
                raise Unsupported(wallet_state(held.word))
            return held.license, held.revoked > 0

    return asyncio.run(ask())


def _read(source: str, wanted: bytes | None, trusted: NetworkFile) -> tuple[License, bool]:
    """Return the consent in a file; no node is asked whether it is revoked."""
    envelopes = load_bundle(Path(source), trusted.network)
    held = {one.digest: License(consent, one.items) for one, consent in of_kind(envelopes, Consent)}
    chosen = [one for name, one in held.items() if wanted in {None, name}]
    if len(chosen) != 1:
        names = ", ".join(hex_text(one) for one in held)
        raise NothingToExport(f"select one license with --license; the file holds {names or 'none'}")
    warn("no node was asked whether the license is revoked")
    return chosen[0], False
