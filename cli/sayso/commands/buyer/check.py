"""`sayso check`: the gate before training."""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import Any, Final

import click

from sayso.commands.buyer.dialect import dialect_options
from sayso.commands.buyer.policy import policy_option
from sayso.commands.buyer.progress import progress
from sayso.commands.buyer.streams import STDIN_FORMATS, to_stdout
from sayso.commands.grouping import taken
from sayso.commands.options import (
    Once,
    heed_option,
    json_option,
    network_option,
    path_option,
    text_option,
)
from sayso.commands.text import example, moment, printable, say, say_json, several, warn_of_purposes
from sayso.commands.types import duration, expiry_option, grantee_option, max_age_option
from sayso.explain.sentences import who
from sayso.gate.formats.opening import paths_of
from sayso.gate.gate import Gate
from sayso.gate.marks import index_of
from sayso.gate.records.annotations import annotate, annotate_error
from sayso.gate.records.record import Record
from sayso.gate.running import GateFiles
from sayso.gate.staging import is_elsewhere, staged
from sayso.outputs import clear
from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import Reason

SOME_NOT_CLEAR: Final = 3
READ_ROWS: Final = 1 << 20
STALE_HINT: Final = (
    "stale: a node is still confirming these rows with its peers and the chain, or the endpoint of "
    "--rpc lags behind. Try again in a few seconds, or let the command repeat the check: --wait 60s"
)
OLD_HINT: Final = (
    "stale: a snapshot cannot answer for these rows, because it is older than their consents, or does "
    "not name them or one of their people. Fetch a newer snapshot: sayso snapshot pull"
)
SHORT_HINT: Final = "stale: or a license, or its recheck, ends before the run does (--run-until)"
HEED_HINT: Final = "stale: or a node does not heed every address of --heed, or too few of its peers do"


@click.command(
    name="check",
    cls=Once,
    epilog=example(
        "sayso check data.parquet --grantee 0x52908400098527886E0F7030069857D2E4169EE7 \\",
        "  --purpose train-ai --out kept.parquet --rejected why.jsonl --receipt receipt.json",
        "sayso check shards/ --grantee anyone --purpose train-ai --out kept/ --report report.html",
    ),
)
@click.argument("manifests", nargs=-1, required=True, metavar="MANIFEST...")
@grantee_option("--grantee", "ADDRESS|anyone", "Who wants to use the data.", required=True)
@click.option("--purpose", required=True, help="The purpose, for example train-ai.")
@path_option(
    "--out", "KEPT", "Write the clear rows to this file, or - for standard output.", name="kept"
)
@path_option("--rejected", "WHY", "Write the other rows to this file, with reasons.")
@path_option("--receipt", "R", "Write the receipt or record of the run to this file.")
@path_option("--report", "HTML", "Write a report for people to this file.")
@path_option("--junit", "XML", "Write the result as JUnit XML for a pipeline.")
@max_age_option
@expiry_option(
    "--run-until",
    "WHEN",
    "Keep only rows that may be relied on until the run ends: a span from now, or a date.",
    default=None,
)
@heed_option
@text_option("--run-id", "TEXT", "A name for the run.  [default: random]")
@click.option(
    "--wait",
    "wait_s",
    type=duration,
    default="0s",
    help="Repeat the check for up to this time while rows are stale.",
)
@text_option(
    "--node",
    "URL",
    "A node to ask; a row is clear only if all nodes agree.  [default: the first of the network file]",
    name="nodes",
    multiple=True,
    envvar="SAYSO_NODE",
    show_envvar=True,
)
@path_option(
    "--offline",
    "SNAPSHOT",
    "Check offline with this snapshot (sayso snapshot pull); several are combined.",
    multiple=True,
)
@path_option("--bundle", "DIR", "The license bundle (sayso bundle pull).")
@path_option(
    "--since",
    "RECORD",
    "Judge only what is new since this record of an offline check, which has an index.",
)
@click.option(
    "--index",
    "with_index",
    is_flag=True,
    help="Write RECORD.index beside the record, which --since reads.",
)
@path_option(
    "--resume",
    "PROGRESS",
    "Keep the progress in this file, and go on from it after the check was killed.",
)
@text_option("--rpc", "URL", "Also read the chain, for revocations that every node omits.")
@click.option(
    "--format",
    "stdin_format",
    type=click.Choice(STDIN_FORMATS),
    default="jsonl",
    show_default=True,
    help="The format of standard input.",
)
@text_option("--license-column", "NAME", "The column of license hashes.  [default: by its name]")
@text_option("--item-column", "NAME", "The column of item hashes.  [default: by its name]")
@text_option(
    "--verify-bytes",
    "NAME",
    "Verify that each item is the hash of the file, or the bytes, in this column.",
    name="bytes_column",
)
@policy_option
@dialect_options
@network_option
@click.option("--dry-run", is_flag=True, help="Read the manifest, and ask and write nothing.")
@click.option("--quiet", "-q", is_flag=True, help="Print errors only.")
@json_option
def command(
    *,
    manifests: tuple[str, ...],
    network_path: Path,
    as_json: bool,
    dry_run: bool,
    quiet: bool,
    since: Path | None,
    resume: Path | None,
    **options: Any,
) -> None:
    """Check whether every row of MANIFEST may be used for a purpose.

    MANIFEST is JSON Lines, CSV, Parquet or Arrow, a folder of such files, or several such files; also a
    URL, which is copied first, or - for standard input. Each row names a license and an item by their
    hashes. The command keeps only the rows that every source calls granted, in the same format and
    order. It removes earlier output files first, so that no old file passes for a result.

    Exit status: 0 all rows are clear; 3 some rows are not clear; any other status is an error, and
    nothing is written.
    """
    files = GateFiles(**taken(options, GateFiles))
    here = [one for one in manifests if not is_elsewhere(one)]
    inputs = [*(paths_of(here) if here else []), network_path, *options["offline"]]
    inputs += [since, index_of(since)] if since else []
    options["run_until"] = options["run_until"] or 0
    with to_stdout(files) as (files, to_output):
        try:
            if dry_run:
                ending = f".{options['stdin_format']}"
                _read_only(Gate(network=network_path, **options), manifests, ending)
                return
            clear(files.paths, inputs=[*inputs, options["bundle"]] if options["bundle"] else inputs)
            warn_of_purposes([options["purpose"]])
            with Gate(network=network_path, **options) as gate, progress(quiet=quiet) as (begun, done):
                record = gate.check(manifests, files, done, begun, since, resume)
        except SaysoError as error:
            annotate_error(Path(manifests[0]), error, os.environ)
            raise
        if not quiet:
            _notes(record.notes)
            with to_output():
                _report(record, as_json=as_json)
    annotate(record, os.environ)
    if record.clear < record.rows:
        raise click.exceptions.Exit(SOME_NOT_CLEAR)


def _notes(notes: Iterable[str]) -> None:
    for note in notes:
        click.echo(f"note: {printable(note)}", err=True)


def _read_only(gate: Gate, manifests: Sequence[str], ending: str) -> None:
    """Read every row of a manifest, and say what a check would judge."""
    with staged(manifests, ending) as found:
        source = gate.open(found.paths)
        rows = sum(len(batch) for batch in source.batches(READ_ROWS))
        _notes(source.notes)
    query = gate.question.query
    asked = f"for {query.purpose} by {who(query.grantee)}"
    say(f"{several(rows, 'row')} of {source.name} would be judged {asked}")


def _report(record: Record, *, as_json: bool) -> None:
    counts = dict(sorted(record.counts.items()))
    counts.pop(Reason.GRANTED.value, 0)
    signers = ", ".join(record.evidence.signers)
    query, grantee = record.question.query, who(record.question.query.grantee)
    if as_json:
        single = record.single_receipt()
        body: dict[str, object] = {"rows": record.rows, "clear": record.clear}
        body |= {"purpose": query.purpose, "grantee": grantee}
        body |= {"not_clear": record.rows - record.clear, "reasons": counts, "operator": signers}
        body |= {"until": record.until, "differing": record.differing, "overruled": record.overruled}
        say_json(body | {"receipt": receipt_to_json(single) if single else record.to_json()})
    else:
        not_clear = record.rows - record.clear
        say(f"{several(record.rows, 'row')}: {record.clear:,} clear, {not_clear:,} not clear")
        say(f"  asked for {query.purpose} by {grantee}")
        for reason, count in counts.items():
            say(f"  {reason:<20} {count:,}")
        if record.until:
            say(f"the clear rows may be relied on until {moment(record.until)}")
        say(*_grounds(record))
    if Reason.STALE.value in counts:
        asked, first = record.question, OLD_HINT if record.is_offline else STALE_HINT
        hints = first, SHORT_HINT * bool(asked.run_until), HEED_HINT * bool(asked.query.heed)
        click.echo("\n".join(filter(None, hints)), err=True)


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
