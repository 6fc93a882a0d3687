"""`sayso demo`."""

import asyncio
import json
from pathlib import Path

import click
from rich.console import Console

from sayso.demo.plays import PLAYS, tour
from sayso.demo.runner import Outcome, run_demo
from sayso.demo.stage import Options, Prices
from sayso.demo.story import Story
from sayso.demo.waiting import STEP_TIMEOUT_S
from sayso.files import find_files
from sayso.sample import sample_files
from sayso_node.folder.settings import CHANNELS

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
@click.option(
    "--scenario",
    type=click.Choice(list(PLAYS)),
    help="Show a marketplace end to end instead of the tour.",
)
@click.option(
    "--phones",
    type=click.IntRange(2, 5_000),
    default=1_000,
    show_default=True,
    help="How many phones record in the scenario silencio.",
)
@click.option(
    "--gas-price",
    type=click.FloatRange(0),
    default=Prices.gas_gwei,
    show_default=True,
    metavar="GWEI",
    help="The price of gas at which a scenario counts money.",
)
@click.option(
    "--coin-price",
    type=click.FloatRange(0),
    default=Prices.coin_dollars,
    show_default=True,
    metavar="DOLLARS",
    help="The price of a coin at which a scenario counts money.",
)
@click.option("--json", "as_json", is_flag=True, help="Print one line of JSON at the end.")
@click.option("--disable", type=click.Choice(CHANNELS), multiple=True, hidden=True)
@click.option("--patience", "patience_s", type=float, default=STEP_TIMEOUT_S, hidden=True)
@click.pass_context
def demo(
    context: click.Context,
    data: Path | None,
    chain: str | None,
    scenario: str | None,
    phones: int,
    gas_price: float,
    coin_price: float,
    as_json: bool,  # noqa: FBT001 - a flag of the command line
    disable: tuple[str, ...],
    patience_s: float,
) -> None:
    """Run the whole system on real files, and show that a revocation stops a training set.

    The demo starts a chain and three nodes on this machine, licenses a folder of files, checks them as a
    buyer does, revokes in three ways, and shows that each revocation takes effect. It removes everything
    that it started. The exit status is 0 only if every step succeeded.

    A scenario shows a marketplace end to end instead: kled sells files on, silencio collects sensor
    sessions, neon records calls of two. It ends with what it cost.

    Example: sayso demo --data ~/Pictures

    Example: sayso demo --scenario neon
    """
    folder = data or sample_files()
    find_files([folder])  # fail before anything starts
    story = Story(Console(highlight=False, soft_wrap=True))
    prices = Prices(gas_price, coin_price)
    options = Options(folder, chain, disable, patience_s, phones, prices)
    play = PLAYS[scenario] if scenario else tour(folder)
    try:
        story.opening(play.about)
        outcome = asyncio.run(run_demo(play, options, story))
    except (KeyboardInterrupt, asyncio.CancelledError):
        click.echo("interrupted; all processes of the demo have ended", err=True)
        context.exit(INTERRUPTED)
    story.closing(outcome.results)
    if outcome.figures:
        story.figures(outcome.figures.lines())
    if as_json:
        click.echo(json.dumps(summary(outcome)))
    context.exit(0 if outcome.ok else 1)


def summary(outcome: Outcome) -> dict[str, object]:
    """Return the outcome as the JSON object of `--json`."""
    steps = [
        {"name": one.step.name, "ok": one.ok, "seconds": round(one.seconds, 3)}
        for one in outcome.results
    ]
    figures = {"figures": outcome.figures.json()} if outcome.figures else {}
    return {"steps": steps, "ok": outcome.ok, **figures}
