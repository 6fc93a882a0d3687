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
    help="A folder of your own files. [default: a sample that is shipped with Sayso]",
)
@click.option("--chain", metavar="URL", help="Use this chain (anvil, say) instead of our own.")
@click.option("--json", "as_json", is_flag=True, help="End with one line of JSON.")
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
    """Show the whole mission on real files: a revocation stops a training set.

    Starts a chain and three nodes on this machine, licenses a folder of files, checks them as a buyer
    would, revokes in three ways, and shows that each revocation holds. Leaves nothing behind. Exit
    status 0 only if every step held.

    Example: sayso demo --data ~/Pictures
    """
    folder = data or sample_files()
    find_files([folder])  # nothing is started for a folder without files
    story = Story(Console(highlight=False, soft_wrap=True))
    try:
        story.opening(str(folder))
        results = asyncio.run(run_demo(Options(folder, chain, disable, patience_s), story))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; everything that was started has been ended", err=True)
        context.exit(INTERRUPTED)
    story.closing(results)
    if as_json:
        click.echo(json.dumps(summary(results)))
    context.exit(0 if all(result.ok for result in results) else 1)


def summary(results: list[Result]) -> dict[str, object]:
    """The results as `--json` gives them."""
    steps = [{"name": one.step.name, "ok": one.ok, "seconds": round(one.seconds, 3)} for one in results]
    return {"steps": steps, "ok": all(result.ok for result in results)}
