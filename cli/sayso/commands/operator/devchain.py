"""`sayso devchain`: a temporary Ethereum chain for tests."""

import asyncio

import click

from sayso.commands.text import example, say
from sayso.devchain import DevChain, run_devchain
from sayso_protocol.primitives import hex_text


@click.command(name="devchain", epilog=example("sayso devchain --port 8545"))
@click.option(
    "--port",
    type=click.IntRange(0, 65_535),
    default=8545,
    show_default=True,
    help="The TCP port; 0 chooses a free port.",
)
@click.option(
    "--block-time",
    type=click.FloatRange(0, min_open=True),
    default=1.0,
    show_default=True,
    metavar="SECONDS",
    help="The time between empty blocks.",
)
def command(port: int, block_time: float) -> None:
    """Run a temporary Ethereum chain on this machine. Its keys are public and its coins worthless."""
    asyncio.run(run_devchain(port, block_time, _announce))


def _announce(chain: DevChain) -> None:
    say(f"chain {chain.chain_id} at {chain.url}; it ends with this command")
    say("funded accounts and their private keys, which are published, so the coins have no value:")
    for account in chain.accounts:
        say(f"  {account.address}  {hex_text(bytes(account.key))}")
