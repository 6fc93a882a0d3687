"""`sayso bundle`: the license bundle: the signed consents of a data set, and what was passed on."""

from collections import Counter
from collections.abc import Iterable
from pathlib import Path

import click

from sayso.commands.buyer.dialect import dialect_options
from sayso.commands.lazy import Group
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, address_option, json_option, network_option, path_option
from sayso.commands.text import example, moment, say, say_json, several, warn
from sayso.errors import BadManifest
from sayso.explain.sentences import who
from sayso.gate.fetching import Fetcher
from sayso.gate.formats.base import Columns, Dialect, Source
from sayso.gate.formats.opening import open_source
from sayso.gate.licenses import LicenseBundle, counted, load_licenses, save_licenses
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso.outputs import refuse_existing
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.verdicts.license_table import ABSENT
from sayso_protocol.verdicts.verdict import License

ROWS = 1 << 20


@click.group(cls=Group)
def bundle() -> None:
    """Fetch, verify and describe the license bundle of a data set: its signed consents."""


@bundle.command(epilog=example("sayso bundle pull data.parquet --out licenses"))
@click.argument("manifest", type=PATH)
@path_option("--out", "DIR", "The folder to write.", required=True)
@address_option(
    "--grantee",
    "ADDRESS",
    "Fetch the sublicenses by which this address holds what was licensed to others, too.",
)
@dialect_options
@node_options
def pull(
    *, manifest: Path, out: Path, grantee: bytes | None, dialect: Dialect, asked: AskedNode
) -> None:
    """Fetch every consent that MANIFEST names, and those of the other parties, into a new folder.

    The command verifies each signature, so you need not trust the node. It reports the licenses that the
    node does not hold; an offline check calls their rows unknown.
    """
    refuse_existing(out)
    source = open_source(manifest, Columns(dialect=dialect))
    fetcher = asked.ask(lambda node: _fetch(source, node, grantee))
    if not fetcher.found:
        raise BadManifest(f"the node holds none of the licenses that {str(manifest)!r} names")
    _check(fetcher.sublicenses.values())
    save_licenses(out, [*fetcher.found.values(), *fetcher.sublicenses.values()])
    if fetcher.missing:
        warn(f"the node does not hold {several(len(fetcher.missing), 'license')}")
    if fetcher.unverified:
        warn(f"left out {several(len(fetcher.unverified), 'license')} that only a chain can verify")
    say(f"{_held(len(fetcher.found), len(fetcher.sublicenses))} in {out}")


async def _fetch(source: Source, client: NodeClient, grantee: bytes | None) -> Fetcher:
    fetcher = Fetcher(client, grantee=grantee)
    for batch in source.batches(ROWS):
        await fetcher.fetch(batch.rows)
    return fetcher


@bundle.command(epilog=example("sayso bundle verify licenses --manifest data.parquet"))
@click.argument("path", type=PATH, metavar="BUNDLE")
@path_option("--manifest", "M", "Require a consent for every row of M.")
@dialect_options
@network_option
def verify(*, path: Path, manifest: Path | None, dialect: Dialect, network_path: Path) -> None:
    """Verify every signature in BUNDLE offline.

    With --manifest, the command also verifies that the bundle has the consent of every row.
    """
    licenses = load_licenses(path, load_network(network_path).network)
    say(f"{_held(len(licenses.held), len(licenses.sublicenses))}, every signature is valid")
    if licenses.unverified:
        warn(f"left out {several(licenses.unverified, 'message')} that only a chain can verify")
    if manifest:
        table, absent, rows = licenses.table(), 0, 0
        for batch in open_source(manifest, Columns(dialect=dialect)).batches(ROWS):
            absent += int((table.find(batch.rows) == ABSENT).sum())
            rows += len(batch)
        if absent:
            raise BadManifest(
                f"{absent:,} of {rows:,} rows name a license or item that is not in the bundle"
            )
        say(f"all {several(rows, 'row')} name a license and an item of the bundle")


@bundle.command(epilog=example("sayso bundle info licenses"))
@click.argument("path", type=PATH, metavar="BUNDLE")
@network_option
@json_option
def info(path: Path, network_path: Path, *, as_json: bool) -> None:
    """Show what the consents in BUNDLE allow: the grantees, the purposes and the first expiry."""
    licenses = load_licenses(path, load_network(network_path).network)
    items, permissions = counted(licenses.held)
    if as_json:
        say_json(_json(licenses, items, permissions))
        return
    held = _held(len(licenses.held), len(licenses.sublicenses))
    say(f"{held}, {several(items, 'item')}, {permissions:,} permissions")
    for text, count in sorted(Counter(map(_terms, licenses.held.values())).items()):
        say(f"  {several(count, 'license')} {text}")
    if licenses.held:
        first = min(one.consent.expires_at for one in licenses.held.values())
        say(f"the first license ends on {moment(first)}")


def _held(licenses: int, sublicenses: int) -> str:
    """Return `2 licenses`, and the number of sublicenses if there are any."""
    also = f", {several(sublicenses, 'sublicense')}" if sublicenses else ""
    return f"{several(licenses, 'license')}{also}"


def _check(sublicenses: Iterable[Envelope]) -> None:
    """Check every signature that can be checked without a chain; raises BadSignature."""
    found = LicenseBundle()
    for one in sublicenses:
        found.add(one)
    if found.unverified:
        warn(f"{several(found.unverified, 'sublicense')} can only be verified by a chain")


def _terms(held: License) -> str:
    consent = held.consent
    parties = f", {len(consent.parties)} parties" if len(consent.parties) > 1 else ""
    return f"to {who(consent.grantee)} for {', '.join(consent.purposes)}{parties}"


def _json(licenses: LicenseBundle, items: int, permissions: int) -> dict[str, object]:
    return {
        "licenses": len(licenses.held),
        "sublicenses": len(licenses.sublicenses),
        "items": items,
        "permissions": permissions,
        "unverified": licenses.unverified,
        "digest": licenses.digest.hex(),
        "terms": dict(sorted(Counter(map(_terms, licenses.held.values())).items())),
    }
