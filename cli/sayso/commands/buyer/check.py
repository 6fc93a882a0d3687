"""`sayso check`: the gate before training."""

import os
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

import click
from rich.console import Console
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeRemainingColumn
from rich.text import Text

from sayso.commands.options import PATH, json_option, network_option
from sayso.commands.text import example, moment, printable, say, say_json, several, warn_of_purposes
from sayso.commands.types import address_or_anyone, duration, expiry
from sayso.gate.gate import Gate
from sayso.gate.records.annotations import annotate, annotate_error
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso.outputs import clear
from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import Reason

SOME_NOT_CLEAR: Final = 3
STALE_HINT: Final = (
    "stale: a node is still confirming these rows with its peers and the chain, or the endpoint of "
    "--rpc lags behind. Try again in a few seconds, or let the command repeat the check: --wait 60s"
)
OLD_HINT: Final = (
    "stale: a snapshot cannot answer for these rows, because it is older than their consents, or does "
    "not name them or one of their people. Fetch a newer snapshot: sayso snapshot pull"
)
SHORT_HINT: Final = (
    "stale: or the license ends, or its people want a new check, before the run ends (--run-until)"
)
_OUTPUTS: Final = {"out": "kept", "rejected": "rejected", "receipt": "receipt", "report": "report"}


@click.command(
    name="check",
    epilog=example(
        "sayso check data.parquet --grantee 0x52908400098527886E0F7030069857D2E4169EE7 \\",
        "  --purpose train-ai --out kept.parquet --rejected why.jsonl --receipt receipt.json",
        "sayso check shards/ --grantee anyone --purpose train-ai --out kept/ --report report.html",
    ),
)
@click.argument("manifest", type=PATH)
@click.option(
    "--grantee",
    type=address_or_anyone,
    required=True,
    metavar="ADDRESS|anyone",
    help="Who wants to use the data.",
)
@click.option("--purpose", required=True, help="The purpose, for example train-ai.")
@click.option("--out", type=PATH, metavar="KEPT", help="Write the clear rows to this file, unchanged.")
@click.option(
    "--rejected", type=PATH, metavar="WHY", help="Write the other rows to this file, with reasons."
)
@click.option(
    "--receipt", type=PATH, metavar="R", help="Write the receipt or record of the run to this file."
)
@click.option("--report", type=PATH, metavar="HTML", help="Write a report for people to this file.")
@click.option("--junit", type=PATH, metavar="XML", help="Write the result as JUnit XML for a pipeline.")
@click.option(
    "--max-age",
    "max_age_s",
    type=duration,
    default="60s",
    show_default=True,
    help="The oldest view of chain and peers to accept.",
)
@click.option(
    "--run-until",
    type=expiry,
    default=None,
    metavar="WHEN",
    help="Keep only rows that may be relied on until the run ends: a span from now, or a date.",
)
@click.option("--run-id", metavar="TEXT", help="A name for the run.  [default: random]")
@click.option(
    "--wait",
    "wait_s",
    type=duration,
    default="0s",
    help="Repeat the check for up to this time while rows are stale.",
)
@click.option(
    "--node",
    "nodes",
    multiple=True,
    envvar="SAYSO_NODE",
    show_envvar=True,
    metavar="URL",
    help="A node to ask; a row is clear only if all nodes agree.  [default: the first of the network"
    " file]",
)
@click.option(
    "--offline",
    multiple=True,
    type=PATH,
    metavar="SNAPSHOT",
    help="Check offline with this snapshot (sayso snapshot pull); several are combined.",
)
@click.option("--bundle", type=PATH, metavar="DIR", help="The license bundle (sayso bundle pull).")
@click.option(
    "--rpc",
    metavar="URL",
    help="Also read the chain, for revocations that every node omits.",
)
@click.option(
    "--license-column", metavar="NAME", help="The column of license hashes.  [default: by its name]"
)
@click.option("--item-column", metavar="NAME", help="The column of item hashes.  [default: by its name]")
@network_option
@json_option
def command(*, manifest: Path, network_path: Path, as_json: bool, **options: Any) -> None:
    """Check whether every row of MANIFEST may be used for a purpose.

    MANIFEST is JSON Lines, CSV, Parquet or a folder of such files. Each row names a license and an item
    by their hashes. The command keeps only the rows that every source calls granted, in the same format
    and order. It removes earlier output files first, so that no old file passes for a result.

    Exit status: 0 all rows are clear; 3 some rows are not clear; any other status is an error, and
    nothing is written.
    """
    names = {**_OUTPUTS, "junit": "junit"}
    files = GateFiles(**{theirs: options.pop(ours) for ours, theirs in names.items()})
    inputs = [manifest, network_path, *options["offline"]]
    try:
        clear(files.paths, inputs=[*inputs, options["bundle"]] if options["bundle"] else inputs)
        warn_of_purposes([options["purpose"]])
        options["run_until"] = options["run_until"] or 0
        with Gate(network=network_path, **options) as gate, _progress() as (begun, done):
            record = gate.check(manifest, files, done, begun)
    except SaysoError as error:
        annotate_error(manifest, error, os.environ)
        raise
    _report(record, as_json=as_json)
    annotate(record, os.environ)
    if record.clear < record.rows:
        raise click.exceptions.Exit(SOME_NOT_CLEAR)


class _Rate(TextColumn):
    """A progress column that shows the units done per second."""

    def __init__(self) -> None:
        super().__init__("")

    def render(self, task: Any) -> Text:
        speed = task.finished_speed or task.speed
        return Text(f"{speed:,.0f} {task.fields['unit']}/s" if speed else "")


@contextmanager
def _progress() -> Iterator[tuple[Callable[[int, str], object], Callable[[int], object]]]:
    """Show a progress bar on a terminal; yields the functions that set its total and advance it."""
    columns = (
        SpinnerColumn(),
        TextColumn("Checking {task.percentage:>3.0f} %"),
        _Rate(),
        TimeRemainingColumn(),
    )
    console = Console(stderr=True)
    with Progress(*columns, console=console, transient=True, disable=not console.is_terminal) as bar:
        task = bar.add_task("check", total=None, unit="")

        def begun(total: int, unit: str) -> None:
            bar.update(task, total=total or None, unit=unit)

        yield begun, lambda done: bar.advance(task, done)


def _report(record: Record, *, as_json: bool) -> None:
    counts = dict(sorted(record.counts.items()))
    counts.pop(Reason.GRANTED.value, 0)
    signers = ", ".join(record.evidence.signers)
    if as_json:
        single = record.single_receipt()
        body: dict[str, object] = {"rows": record.rows, "clear": record.clear}
        body |= {"not_clear": record.rows - record.clear, "reasons": counts, "operator": signers}
        body |= {"until": record.until, "differing": record.differing, "overruled": record.overruled}
        say_json(body | {"receipt": receipt_to_json(single) if single else record.to_json()})
    else:
        not_clear = record.rows - record.clear
        say(f"{several(record.rows, 'row')}: {record.clear:,} clear, {not_clear:,} not clear")
        for reason, count in counts.items():
            say(f"  {reason:<20} {count:,}")
        if record.until:
            say(f"the clear rows may be relied on until {moment(record.until)}")
        for line in _grounds(record):
            say(line)
    if Reason.STALE.value in counts:
        click.echo(OLD_HINT if record.is_offline else STALE_HINT, err=True)
        if record.question.run_until:
            click.echo(SHORT_HINT, err=True)


def _grounds(record: Record) -> Iterator[str]:
    """Describe the sources of the answer, and how they disagreed."""
    several_asked = len(record.evidence.sources) > 1
    for one in record.evidence.sources:
        if one["kind"] == "node":
            when, block = moment(one["time"]), one["block"]
            yield f"signed by {one['operator']} on {when}, chain read up to block {block}"
            if several_asked:
                counts = ", ".join(f"{rows:,} {name}" for name, rows in sorted(one["counts"].items()))
                yield f"  answers of {printable(one['operator'])}: {counts}"
        elif one["kind"] == "snapshot":
            yield f"snapshot signed by {one['operator']} on {moment(one['time'])}, block {one['block']}"
        elif one["kind"] == "bundle":
            yield f"bundle: {several(one['licenses'], 'license')}"
        else:
            yield f"chain read directly up to {_head(one)}"
    if record.differing:
        yield f"the nodes disagree about {several(record.differing, 'row')}; the strictest answer counts"
    if record.overruled:
        yield f"granted by every node but revoked on chain: {several(record.overruled, 'row')}"


def _head(chain: dict[str, Any]) -> str:
    if "block" not in chain:
        return "no block, because no row was left to look up"
    return f"block {chain['block']} of {moment(chain['time'])}"
