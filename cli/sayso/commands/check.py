"""`sayso check`: the gate before training."""

import asyncio
import secrets
from pathlib import Path
from typing import Final

import click
from rich.console import Console

from sayso.answers import CheckAnswer
from sayso.checking import CheckFiles, ask, load_manifest, write_results
from sayso.client import NodeClient
from sayso.commands.options import (
    PATH,
    json_option,
    network_option,
    node_option,
    node_url_or_default,
)
from sayso.commands.text import example, moment, say, say_json, several, warn_of_purposes
from sayso.commands.types import address_or_anyone, duration
from sayso.networks import load_network
from sayso.outputs import clear
from sayso.parsing import Question
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipt_text import receipt_to_json
from sayso_protocol.verdict import Query, Reason

SOME_NOT_CLEAR: Final = 3
STALE_HINT: Final = (
    "stale: the node is still confirming these rows with its peers and the chain. "
    "Try again in some seconds, or let this command do it: --wait 60s"
)


@click.command(
    name="check",
    epilog=example(
        "sayso check data.jsonl --grantee 0x52908400098527886E0F7030069857D2E4169EE7 \\",
        "  --purpose train-ai --out kept.jsonl --rejected why.jsonl --receipt receipt.json",
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
@click.option("--purpose", required=True, help="What for, for example train-ai.")
@click.option("--out", type=PATH, metavar="KEPT", help="Write the clear rows here, byte for byte.")
@click.option("--rejected", type=PATH, metavar="WHY", help="Write the other rows here, with reasons.")
@click.option("--receipt", type=PATH, metavar="R", help="Write the node's signed receipt here.")
@click.option(
    "--max-age",
    type=duration,
    default="60s",
    show_default=True,
    help="How old the node's view of the chain and of its peers may be.",
)
@click.option("--run-id", metavar="TEXT", help="Your name for the run.  [default: random]")
@click.option(
    "--wait",
    type=duration,
    default="0s",
    help="Repeat the check for so long while rows are stale.",
)
@node_option
@network_option
@json_option
def command(
    manifest: Path,
    grantee: bytes,
    purpose: str,
    out: Path | None,
    rejected: Path | None,
    receipt: Path | None,
    max_age: int,
    run_id: str | None,
    wait: int,
    node_url: str | None,
    network_path: Path,
    *,
    as_json: bool,
) -> None:
    """Check every row of MANIFEST: may this data be used for this purpose?

    MANIFEST is JSON Lines; each row has a "license" and an "item" hash. Only rows that a trusted node
    calls granted, in a signed receipt for exactly these rows, are kept. What stood under the names of
    the output files is removed at once, so that nothing old passes for a result.

    Exit status: 0 all rows are clear; 3 some are not; anything else is an error, and nothing is written.
    """
    files = CheckFiles(out, rejected, receipt)
    clear(files.paths, inputs=[manifest, network_path])
    trusted = load_network(network_path)
    url = node_url_or_default(node_url, trusted)
    warn_of_purposes([purpose])
    with Console(stderr=True).status("Checking"):
        loaded = load_manifest(manifest)
        question = Question(
            Query(grantee, purpose), loaded.rows, max_age, run_id or secrets.token_hex(16)
        )
        answer = asyncio.run(_ask(url, trusted, question, wait))
        write_results(loaded, answer, files)
    _report(answer, as_json=as_json)
    if any(reason is not Reason.GRANTED for reason in answer.reasons):
        raise click.exceptions.Exit(SOME_NOT_CLEAR)


async def _ask(url: str, trusted: NetworkFile, question: Question, wait: int) -> CheckAnswer:
    async with NodeClient(url, trusted) as node:
        return await ask(node, question, wait_s=wait)


def _report(answer: CheckAnswer, *, as_json: bool) -> None:
    receipt = answer.receipt.statement
    counts = dict(receipt.counts)
    clear_rows = counts.pop(Reason.GRANTED.value, 0)
    rows = len(answer.reasons)
    if as_json:
        body: dict[str, object] = {"rows": rows, "clear": clear_rows, "not_clear": rows - clear_rows}
        body |= {"reasons": counts, "operator": answer.operator.name}
        say_json(body | {"receipt": receipt_to_json(answer.receipt)})
    else:
        say(f"{several(rows, 'row')}: {clear_rows:,} clear, {rows - clear_rows:,} not clear")
        for reason, count in counts.items():
            say(f"  {reason:<20} {count:,}")
        when, block = moment(receipt.time), receipt.block.number
        say(f"signed by {answer.operator.name} on {when}, chain read up to block {block}")
    if Reason.STALE.value in counts:
        click.echo(STALE_HINT, err=True)
