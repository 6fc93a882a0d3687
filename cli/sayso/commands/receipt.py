"""`sayso receipt`: verify what a node signed, offline."""

from pathlib import Path

import click

from sayso.commands.options import PATH, network_option
from sayso.commands.text import example, moment, say
from sayso.networks import load_network
from sayso.verifying import read_receipt, verify_receipt
from sayso_protocol.primitives import address_text


@click.group()
def receipt() -> None:
    """Verify a receipt, offline."""


@receipt.command(
    epilog=example("sayso receipt verify receipt.json --manifest data.jsonl --rejected why.jsonl")
)
@click.argument("path", type=PATH, metavar="RECEIPT")
@click.option("--manifest", type=PATH, metavar="M", help="The manifest that was checked.")
@click.option("--rejected", type=PATH, metavar="WHY", help="The rejected rows of that check.")
@network_option
def verify(path: Path, manifest: Path | None, rejected: Path | None, network_path: Path) -> None:
    """Verify who signed RECEIPT, and that the files at hand are the ones it speaks of.

    Needs the network file and nothing else: no node, no chain. A receipt proves that a check was made
    and what was answered; it does not prove what a model was trained on.
    """
    if rejected and not manifest:
        raise click.UsageError("--rejected needs the --manifest that was checked")
    signed, trusted = read_receipt(path), load_network(network_path)
    operator = verify_receipt(signed, trusted, manifest, rejected)
    what = signed.statement
    say(f"signed by {operator.name} ({what.node_key.hex()}) on {moment(what.time)}")
    say(f"asked by {address_text(what.grantee)} for {what.purpose}, run {what.run_id}")
    say(", ".join(f"{count:,} {reason}" for reason, count in what.counts))
    say(f"chain {what.network.chain_id} read up to block {what.block.number}")
    if manifest:
        say("it is for exactly the rows of the manifest")
    if rejected:
        say("it states exactly these rejected rows, and granted for every other row")
