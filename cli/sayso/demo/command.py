"""`sayso demo`."""

import asyncio
import json
from pathlib import Path

import click
from rich.console import Console

from sayso.demo.runner import run_demo
from sayso.demo.stage import Options
from sayso.demo.story import Result, Story
from sayso.demo.waiting import STEP_TIMEOUT_S
from sayso.files import find_files
from sayso.sample import sample_files
from sayso_node.config import CHANNELS

INTERRUPTED = 130  # as shells report a program ended by Ctrl-C


@click.command()
@click.option(
    "--data",
    type=click.Path(exists=True, file_okay=False, path_type=Path),
    help="A folder of your own files.  [default: the sample files of Sayso]",
)
@click.option(
    "--chain",
    metavar="URL",
    help="Use this chain endpoint, such as anvil, instead of the embedded chain.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON at the end.")
@click.option("--disable", type=click.Choice(CHANNELS), multiple=True, hidden=True)
@click.option("--patience", "patience_s", type=float, default=STEP_TIMEOUT_S, hidden=True)
@click.pass_context
def demo(
    context: click.Context,
    data: Path | None,
    chain: str | None,
    as_json: bool,  # noqa: FBT001 - a flag of the command line
    disable: tuple[str, ...],
    patience_s: float,
) -> None:
    """Run the whole system on real files, and show that a revocation stops a training set.

    The demo starts a chain and three nodes on this machine, licenses a folder of files, checks them as a
    buyer does, revokes in three ways, and shows that each revocation takes effect. It removes everything
    that it started. The exit status is 0 only if every step succeeded.

    Example: sayso demo --data ~/Pictures
    """
    folder = data or sample_files()
    find_files([folder])  # fail before anything starts
    story = Story(Console(highlight=False, soft_wrap=True))
    try:
        story.opening(str(folder))
        results = asyncio.run(run_demo(Options(folder, chain, disable, patience_s), story))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; all processes of the demo have ended", err=True)
        context.exit(INTERRUPTED)
    story.closing(results)
    if as_json:
        click.echo(json.dumps(summary(results)))
    context.exit(0 if all(result.ok for result in results) else 1)


def summary(results: list[Result]) -> dict[str, object]:
    """Return the results as the JSON object of `--json`."""
    steps = [{"name": one.step.name, "ok": one.ok, "seconds": round(one.seconds, 3)} for one in results]
    return {"steps": steps, "ok": all(result.ok for result in results)}
