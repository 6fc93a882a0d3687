"""`sayso grant`: license files for purposes, by one signature for up to 1,024 of them."""

import asyncio
import time
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Any

import click
from rich.console import Console
from rich.progress import track

from sayso.commands.options import (
    PATH,
    network_option,
    node_option,
    node_url_or_default,
)
from sayso.commands.signing import Signing, print_messages, print_option, signing_options
from sayso.commands.text import example, say, several, warn, warn_of_purposes
from sayso.commands.types import address_or_anyone, expiry
from sayso.contributor.licensing import SignedGrant, Terms, build_consents, grant
from sayso.contributor.saved_messages import bundle_bytes
from sayso.files import HashedFile, find_files, hash_files, item_hash
from sayso.gate.formats.json_rows import granted_lines
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso.outputs import Outputs, refuse_existing
from sayso_protocol.primitives import HASH_BYTES, NOBODY, address_from_text, hex_text

_TERMS = (
    click.option(
        "--grantee",
        type=address_or_anyone,
        required=True,
        metavar="ADDRESS|anyone",
        help="Who may use the files.",
    ),
    click.option(
        "--purpose",
        "purposes",
        multiple=True,
        required=True,
        metavar="PURPOSE",
        help="What for, for example train-ai. May be given several times.",
    ),
    click.option("--via", default="", metavar="DOMAIN", help="The marketplace that arranged it."),
    click.option(
        "--expires",
        "expires_at",
        type=expiry,
        required=True,
        metavar="1y|DATE",
        help="When it ends: 90d, 1y or 2027-06-30; ten years at most.",
    ),
    click.option(
        "--parties",
        multiple=True,
        type=address_from_text,
        metavar="ADDRESS",
        help="Somebody else whose consent the files need. May be given several times.",
    ),
    click.option(
        "--guardian",
        type=address_from_text,
        metavar="ADDRESS",
        help="Who may revoke it besides yourself.",
    ),
    click.option(
        "--terms", type=PATH, metavar="FILE", help="The license text: its hash is signed, too."
    ),
    click.option("--terms-uri", default="", metavar="URL", help="Where that text can be read."),
)


def _terms_options(command: Callable[..., None]) -> Callable[..., None]:
    for option in reversed(_TERMS):
        command = option(command)
    return command


@click.command(
    name="grant",
    epilog=example(
        "sayso grant photos/ --key me.json --grantee anyone --purpose train-ai \\",
        "  --via kled.ai --expires 1y --manifest photos.jsonl",
    ),
)
@click.argument("paths", nargs=-1, required=True, type=PATH)
@signing_options
@_terms_options
@click.option(
    "--manifest",
    "manifest_path",
    type=PATH,
    required=True,
    metavar="OUT.jsonl",
    help="Write a row for each file here; it goes to the buyer with the files.",
)
@click.option(
    "--save",
    type=PATH,
    metavar="OUT.sayso",
    help="Keep the signed consents here, too: for sayso show, export and revoke --consents.",
)
@print_option
@node_option
@network_option
def command(
    paths: tuple[Path, ...],
    signing: Signing,
    manifest_path: Path,
    save: Path | None,
    node_url: str | None,
    network_path: Path,
    *,
    only_print: bool,
    **options: Any,
) -> None:
    """License files, and the files in folders, to somebody for named purposes.

    The sentence you sign is shown; --print shows all of it beforehand. Links are not followed. You can
    take permission back at any time (sayso revoke); the same files cannot be licensed again on identical
    terms after that.
    """
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    for path in (manifest_path, save):
        if path:
            refuse_existing(path)
    terms = _terms(**options)
    warn_of_purposes(terms.purposes)
    files = _hash(paths)
    now = int(time.time())
    if only_print:
        built = build_consents(signing.address(), (file.item for file in files), terms, now)
        print_messages((consent for consent, _ in built), trusted.network)
        return
    granted = grant(signing.open(), trusted.network, files, terms, now)
    with Outputs() as outputs:
        manifest = outputs.open(manifest_path)
        for line in granted_lines((str(file.path), file.item, one) for file, one in granted.rows):
            manifest.write(line)
        if save:
            outputs.open(save).write(bundle_bytes(granted.envelopes))
        revoked = asyncio.run(_submit(NodeClient(url, trusted), granted))
        outputs.commit()
    _report(granted, revoked)


def _terms(*, guardian: bytes | None, terms: Path | None, **options: Any) -> Terms:
    text_hash = item_hash(terms) if terms else bytes(HASH_BYTES)
    return Terms(guardian=guardian or NOBODY, terms=text_hash, **options)


def _hash(paths: Iterable[Path]) -> list[HashedFile]:
    found = find_files(paths)
    for path in found.skipped:
        warn(f"left out, because it is no regular file: {path}")
    console = Console(stderr=True)
    progress = track(
        hash_files(found.files),
        "Hashing",
        total=len(found.files),
        console=console,
        transient=True,
        disable=not console.is_terminal,
    )
    return list(progress)


async def _submit(client: NodeClient, granted: SignedGrant) -> list[int]:
    """Hand the consents in; returns how many permissions of each are revoked already."""
    async with client as node:
        await node.submit(granted.envelopes)
        return [(await node.license(envelope.digest)).revoked for envelope in granted.envelopes]


def _report(granted: SignedGrant, revoked: Iterable[int]) -> None:
    for envelope, count in zip(granted.envelopes, revoked, strict=True):
        say(envelope.message.notice)
        say(f"license {hex_text(envelope.digest)}")
        if count:
            warn(
                f"{several(count, 'permission')} of it stays revoked: taken back earlier, by a sentence "
                "or on identical terms"
            )
    items = {file.item for file, _ in granted.rows}
    say(f"{several(len(granted.rows), 'file')}, {several(len(items), 'item')} licensed")
