"""`sayso manifest`: hashes data, finds its licenses in a bundle, and writes what `sayso check` reads."""

import time
from pathlib import Path

import click

from sayso.commands.options import PATH, json_option, network_option, path_option, text_option
from sayso.commands.text import example, say, say_json, several
from sayso.commands.types import grantee_option
from sayso.gate.formats.endings import JSON_LINES, Form, refuse_other
from sayso.gate.licenses import load_licenses
from sayso.gate.listing import list_files, list_values
from sayso.networks import load_network
from sayso.outputs import clear
from sayso_protocol.verdicts.query import Query

SOME_WITHOUT = 3


@click.command(
    name="manifest",
    epilog=example(
        "sayso manifest media/ --bundle licenses --grantee anyone --purpose train-ai --out m.jsonl",
        "sayso manifest a.parquet --column audio --bundle licenses --grantee anyone \\",
        "  --purpose train-ai --out m.parquet",
    ),
)
@click.argument("data", type=PATH, nargs=-1, required=True, metavar="DATA...")
@path_option("--bundle", "DIR", "The license bundle.", required=True)
@path_option("--out", "M", "The manifest to write.", required=True)
@text_option("--column", "NAME", "DATA is a Parquet file: hash the values of this column.")
@grantee_option(
    "--grantee", "ADDRESS|anyone", "For whom a license is preferred, where several fit.", required=True
)
@click.option("--purpose", required=True, help="For which purpose, for example train-ai.")
@network_option
@json_option
def command(
    *,
    data: tuple[Path, ...],
    bundle: Path,
    out: Path,
    column: str | None,
    grantee: bytes,
    purpose: str,
    network_path: Path,
    as_json: bool,
) -> None:
    """Hash DATA, find the license of each file or value, and write a manifest.

    Files become JSON Lines with their names; those without a license are left out. A Parquet file gets
    the columns license and item; a value without a license has none. No node is asked, and the
    manifest says nothing about revocations: check it.

    Exit status: 0 everything has a license; 3 something has none.
    """
    if column and len(data) > 1:
        raise click.UsageError("--column reads one file")
    refuse_other(out, Form("parquet", "") if column else JSON_LINES)
    clear([out], inputs=[*data, bundle, network_path])
    network = load_network(network_path).network
    find = load_licenses(bundle, network).finder(Query(grantee, purpose), time.time())
    found = list_values(data[0], column, find, out) if column else list_files(data, find, out)
    if as_json:
        say_json({"licensed": found.rows, "without": found.without})
    else:
        say(f"{several(found.rows, 'row')} with a license in {out}, {found.without:,} without")
    if found.without:
        raise click.exceptions.Exit(SOME_WITHOUT)
