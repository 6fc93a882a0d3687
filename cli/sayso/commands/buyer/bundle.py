"""`sayso bundle`: the signed consents that a data set relies on, beside the data."""

import asyncio
from collections import Counter
from pathlib import Path

import click

from sayso.commands.options import (
    PATH,
    json_option,
    network_option,
    node_option,
    node_url_or_default,
)
from sayso.commands.text import example, moment, say, say_json, several, warn
from sayso.errors import BadManifest
from sayso.gate.fetching import Fetcher
from sayso.gate.formats.base import Columns, Source
from sayso.gate.formats.opening import open_source
from sayso.gate.licenses import LicenseBundle, counted, load_licenses, save_licenses
from sayso.networks import load_network
from sayso.node_client.client import NodeClient
from sayso.outputs import refuse_existing
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.primitives import ANYONE, address_text
from sayso_protocol.verdicts.license_table import ABSENT
from sayso_protocol.verdicts.verdict import License

ROWS = 1 << 20


@click.group()
def bundle() -> None:
    """Fetch, verify and describe the signed consents that a data set relies on."""


@bundle.command(epilog=example("sayso bundle pull data.parquet --out licenses"))
@click.argument("manifest", type=PATH)
@click.option("--out", type=PATH, required=True, metavar="DIR", help="The folder to write.")
@node_option
@network_option
def pull(manifest: Path, out: Path, node_url: str | None, network_path: Path) -> None:
    """Fetch every consent that MANIFEST names, and those of the other parties, into a new folder.

    Each signature is checked; nothing that the node says needs to be believed. What the node does not
    hold is said: offline, its rows are unknown.
    """
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    refuse_existing(out)
    source = open_source(manifest, Columns())
    fetcher = asyncio.run(_fetch(source, url, trusted))
    if not fetcher.found:
        raise BadManifest(f"the node holds none of the licenses that {str(manifest)!r} names")
    kept = save_licenses(out, fetcher.found.values())
    if fetcher.missing:
        warn(f"the node does not hold {several(len(fetcher.missing), 'license')}")
    if fetcher.unverified:
        warn(f"only a chain can verify {several(len(fetcher.unverified), 'license')}: left out")
    say(f"{several(kept, 'license')} in {out}")


async def _fetch(source: Source, url: str, trusted: NetworkFile) -> Fetcher:
    async with NodeClient(url, trusted) as client:
        fetcher = Fetcher(client)
        for batch in source.batches(ROWS):
            await fetcher.fetch(batch.rows)
        return fetcher


@bundle.command(epilog=example("sayso bundle verify licenses --manifest data.parquet"))
@click.argument("path", type=PATH, metavar="BUNDLE")
@click.option("--manifest", type=PATH, metavar="M", help="Every row's license must be there.")
@network_option
def verify(path: Path, manifest: Path | None, network_path: Path) -> None:
    """Verify every signature in BUNDLE, offline; with a manifest, that no row lacks its consent."""
    licenses = load_licenses(path, load_network(network_path).network)
    say(f"{several(len(licenses.held), 'license')}, every signature is right")
    if licenses.unverified:
        warn(f"only a chain can verify {several(licenses.unverified, 'license')}: not used")
    if manifest:
        table, absent, rows = licenses.table(), 0, 0
        for batch in open_source(manifest, Columns()).batches(ROWS):
            absent += int((table.find(batch.rows) == ABSENT).sum())
            rows += len(batch)
        if absent:
            raise BadManifest(f"{absent:,} of {rows:,} rows name no license and item of the bundle")
        say(f"all {several(rows, 'row')} name a license and an item of it")


@bundle.command(epilog=example("sayso bundle info licenses"))
@click.argument("path", type=PATH, metavar="BUNDLE")
@network_option
@json_option
def info(path: Path, network_path: Path, *, as_json: bool) -> None:
    """Say what the consents in BUNDLE allow: to whom, for what, until when."""
    licenses = load_licenses(path, load_network(network_path).network)
    items, permissions = counted(licenses.held)
    if as_json:
        say_json(_json(licenses, items, permissions))
        return
    held = several(len(licenses.held), "license")
    say(f"{held}, {several(items, 'item')}, {permissions:,} permissions")
    for text, count in sorted(Counter(map(_terms, licenses.held.values())).items()):
        say(f"  {several(count, 'license')} {text}")
    if licenses.held:
        first = min(one.consent.expires_at for one in licenses.held.values())
        say(f"the first ends on {moment(first)}")


def _terms(held: License) -> str:
    consent = held.consent
    grantee = "anyone" if consent.grantee == ANYONE else address_text(consent.grantee)
    parties = f", {len(consent.parties)} parties" if len(consent.parties) > 1 else ""
    return f"to {grantee} for {', '.join(consent.purposes)}{parties}"


def _json(licenses: LicenseBundle, items: int, permissions: int) -> dict[str, object]:
    return {
        "licenses": len(licenses.held),
        "items": items,
        "permissions": permissions,
        "unverified": licenses.unverified,
        "digest": licenses.digest.hex(),
        "terms": dict(sorted(Counter(map(_terms, licenses.held.values())).items())),
    }
