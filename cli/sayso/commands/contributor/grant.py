"""`sayso grant`: license files for purposes, with one signature for up to 1,024 items."""

import secrets
import time
from collections.abc import Iterable
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import click

from sayso.commands.grouping import Command, gathering, taken
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, address_option, path_option, text_option
from sayso.commands.signing import Signing, print_messages, print_option, signing_options
from sayso.commands.text import example, say, several, tracked, warn, warn_of_purposes
from sayso.commands.types import date as moment_of
from sayso.commands.types import expiry_option, grantee_option, whole_days, whole_hours
from sayso.contributor.licensing import SignedGrant, Terms, build_consents, grant
from sayso.contributor.saved_messages import bundle_bytes, check_fits
from sayso.errors import SignerFailed
from sayso.files import HashedFile, find_files, hash_files, item_hash, salt_files
from sayso.gate.formats.endings import JSON_LINES, refuse_other
from sayso.gate.formats.json_rows import granted_lines, salt_lines
from sayso.gate.licenses import ENDING
from sayso.node_client.client import NodeClient
from sayso.outputs import Outputs, StagedFile, refuse_existing
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.consent import RECHECK_HOURS, REMOVAL_DAYS
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES, NOBODY, hex_text

SALTS: Final = ".salts.jsonl"

_TERMS = (
    grantee_option("--grantee", "ADDRESS|anyone", "Who may use the files.", required=True),
    text_option(
        "--purpose",
        "PURPOSE",
        "A purpose, for example train-ai. May be given several times.",
        name="purposes",
        multiple=True,
        required=True,
    ),
    text_option(
        "--via", "DOMAIN", "The domain of the marketplace that arranged the license.", default=""
    ),
    expiry_option(
        "--expires",
        "1y|DATE",
        "The end of the license: 90d, 1y or 2027-06-30; at most ten years from now.",
        name="expires_at",
        required=True,
    ),
    click.option(
        "--issued",
        "issued_at",
        type=moment_of,
        metavar="DATE",
        help="The beginning of the license: 2027-01-30T08:00:00. Repeat it to continue what a wallet "
        "of several owners signs over days.  [default: now]",
    ),
    click.option(
        "--recheck",
        "recheck_hours",
        type=whole_hours,
        default=f"{RECHECK_HOURS}h",
        show_default=True,
        metavar="SPAN",
        help="How long a buyer may rely on an answer before asking again: 1h to 365d.",
    ),
    click.option(
        "--removal",
        "removal_days",
        type=whole_days,
        default=f"{REMOVAL_DAYS}d",
        show_default=True,
        metavar="SPAN",
        help="How soon after a revocation holders have to remove the files: 1d to 365d.",
    ),
    address_option(
        "--parties",
        "ADDRESS",
        "Another person whose consent the files need. May be given several times.",
        multiple=True,
    ),
    address_option("--guardian", "ADDRESS", "Another address that may revoke the license."),
    path_option("--terms", "FILE", "The license text; its hash becomes part of the consent."),
    text_option("--terms-uri", "URL", "The web address of the license text.", default=""),
)


def _terms_options(command: Command) -> Command:
    def gathered(options: dict[str, Any]) -> Terms:
        guardian, text = options.pop("guardian") or NOBODY, options.pop("terms")
        text_hash = item_hash(text) if text else bytes(HASH_BYTES)
        return Terms(guardian=guardian, terms=text_hash, **taken(options, Terms))

    return gathering(command, "terms", gathered, _TERMS)


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
@path_option(
    "--manifest",
    "OUT.jsonl",
    "Write the manifest, a row for each file, to this file; the buyer needs it.",
    name="manifest_path",
    required=True,
)
@path_option(
    "--save",
    "OUT.sayso",
    "Save the signed consents to this file, for sayso show, export and revoke --consents.",
)
@click.option(
    "--salted",
    is_flag=True,
    help="Mix a secret into each item hash, and write the secrets beside it, to OUT.salts.jsonl. "
    "Whoever has the same file then cannot find out that you licensed it. Give the secrets to the buyer "
    "with the files, and to nobody else.",
)
@print_option
@node_options
def command(
    paths: tuple[Path, ...],
    signing: Signing,
    manifest_path: Path,
    save: Path | None,
    issued_at: int | None,
    asked: AskedNode,
    *,
    salted: bool,
    only_print: bool,
    terms: Terms,
) -> None:
    """License files, and the files in folders, to a grantee for named purposes.

    The command shows the notice that you sign; --print shows all data and signs nothing. The command
    does not follow symbolic links. If sending fails, all files stay, and OUT.sayso beside the manifest
    has what is signed, for sayso submit. You can revoke the license at any time (sayso revoke); after
    that, you cannot license the same files again on identical terms.
    """
    network, _ = asked.trusted.network, asked.url  # both are named before anything is hashed
    refuse_other(manifest_path, JSON_LINES)
    salts_path = manifest_path.with_suffix(SALTS) if salted else None
    kept = save or manifest_path.with_suffix(ENDING)
    refuse_existing(manifest_path, kept, salts_path)
    warn_of_purposes(terms.purposes)
    files = _hash(paths)
    if salted and (only_print or issued_at is not None):
        raise click.UsageError("--print or --issued with --salted: each run draws other secrets")
    if salted:
        files = list(salt_files(files, secrets.token_bytes))
    now = int(time.time()) if issued_at is None else issued_at
    if only_print:
        built = build_consents(signing.address(), (file.item for file in files), terms, now)
        print_messages((consent for consent, _ in built), network)
        return
    check_fits(-(-len({file.item for file in files}) // LIMITS.items))
    granted = _sign(signing, network, files, terms, now)
    with Outputs() as outputs:
        manifest = outputs.open(manifest_path)
        for line in granted_lines((str(file.path), file.item, one) for file, one in granted.rows):
            manifest.write(line)
        if salts_path:
            _write_salts(outputs.open(salts_path, 0o600), files)
        outputs.open(kept).write(bundle_bytes(granted.envelopes))
        revoked = _send(asked, granted, outputs, kept)
    if not save:
        kept.unlink(missing_ok=True)
    _report(granted, revoked)


def _sign(
    signing: Signing, network: Network, files: list[HashedFile], terms: Terms, issued_at: int
) -> SignedGrant:
    try:
        return grant(signing.open(), network, files, terms, issued_at)
    except SignerFailed:
        begin, end = (
            datetime.fromtimestamp(one, UTC).isoformat() for one in (issued_at, terms.expires_at)
        )
        warn(
            "nothing is saved; to continue what other owners still sign, repeat the command with "
            f"--issued {begin} --expires {end}"
        )
        raise


def _write_salts(out: StagedFile, files: Iterable[HashedFile]) -> None:
    for line in salt_lines((str(file.path), file.item, file.salt) for file in files):
        out.write(line)


def _hash(paths: Iterable[Path]) -> list[HashedFile]:
    found = find_files(paths)
    for path in found.skipped:
        warn(f"left out, because it is not a regular file: {path}")
    return list(tracked(hash_files(found.files), "Hashing", len(found.files)))


def _send(asked: AskedNode, granted: SignedGrant, outputs: Outputs, kept: Path) -> list[int]:
    """Submit the consents, and return how many permissions of each are already revoked.

    Whatever happens from the first request on, the node may have the consents. So their manifest, their
    secrets and they themselves are on the disk before, and stay there.
    """

    async def submitted(node: NodeClient) -> list[int]:
        await node.node()  # another network, or no node, leaves nothing behind
        outputs.commit()
        await node.submit(granted.envelopes)
        return [(await node.license(envelope.digest)).revoked for envelope in granted.envelopes]

    try:
        return asked.ask(submitted, asks_wallets=False)
    except BaseException:
        if kept.exists():
            warn(f"all is signed and kept, and perhaps not sent; send it with: sayso submit {kept}")
        raise


def _report(granted: SignedGrant, revoked: Iterable[int]) -> None:
    for envelope, count in zip(granted.envelopes, revoked, strict=True):
        say(envelope.message.notice)
        say(f"license {hex_text(envelope.digest)}")
        if count:
            warn(f"stays revoked since earlier: {several(count, 'permission')} of this license")
    items = {file.item for file, _ in granted.rows}
    say(f"{several(len(granted.rows), 'file')}, {several(len(items), 'item')} licensed")
