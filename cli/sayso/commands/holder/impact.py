"""`sayso impact`: which data sets, runs and customers revocations touch."""

import asyncio
import sys
import time
from pathlib import Path

import click

from sayso.commands.buyer.dialect import columns_options
from sayso.commands.node import AskedNode, node_options
from sayso.commands.options import PATH, Once, address_option, json_option, path_option
from sayso.commands.text import example, say, say_json
from sayso.commands.types import date
from sayso.gate.formats.base import Columns
from sayso.impact.finding import circumstances, ledger, read_exempt, revoked_in, revoked_since
from sayso.impact.rendering import as_csv, as_text, json_of
from sayso.impact.runs import find_runs

SOMETHING_OPEN = 3


@click.command(
    name="impact",
    cls=Once,
    epilog=example(
        "sayso impact --since 2026-11-01 --records runs",
        "sayso impact revocation.sayso --records runs --csv > requests.csv",
    ),
)
@click.argument("revocations", nargs=-1, type=PATH)
@path_option("--records", "DIR", "What sayso check wrote, in a folder a run.", required=True)
@click.option("--since", type=date, metavar="DATE", help="All revocations that the node heard of since.")
@address_option(
    "--holder",
    "ADDRESS",
    "An address of yours, besides those that asked in the records; several are possible.",
    name="holders",
    multiple=True,
)
@path_option("--exempt", "FILE", "Licenses that you keep by law: on each line a hash and the reason.")
@click.option("--csv", "as_table", is_flag=True, help="Print CSV for spreadsheets.")
@json_option
@columns_options
@node_options
def command(
    *,
    revocations: tuple[Path, ...],
    records: Path,
    since: int | None,
    holders: tuple[bytes, ...],
    exempt: Path | None,
    as_table: bool,
    columns: Columns,
    asked: AskedNode,
    as_json: bool,
) -> None:
    """Show which of your data sets, runs and customers revocations touch, and what you owe by when.

    REVOCATIONS are files of signed revocations. A line is a request of one person about one license:
    deleted, exempt, opted-out or not-found; open, in-progress, fulfilled or denied. A removal that you
    signed (sayso removal) and that the chain dates makes it deleted; that says nothing of a model.

    Exit status: 0 if nothing is left to do, 3 if something is.
    """
    if bool(revocations) == (since is not None):
        raise click.UsageError("name either files of REVOCATIONS or --since DATE")
    trusted, url = asked.trusted, asked.url
    runs = list(find_runs(records, columns))
    at = circumstances(runs, holders, read_exempt(exempt) if exempt else {})
    if since is None:
        revoked = revoked_in(revocations, trusted, time.time())
    else:
        ours = {run.grantee for run in runs} | {*holders}
        revoked = asyncio.run(revoked_since(url, since, ours))
    entries = asyncio.run(ledger(url, trusted, runs, revoked, at, all_signers=since is None))
    if as_json:
        say_json(json_of(entries))
    elif as_table:
        click.echo(as_csv(entries), nl=False)
    else:
        say(*as_text(entries))
    if any(one.is_open for one in entries):
        sys.exit(SOMETHING_OPEN)
