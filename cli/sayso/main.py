"""The `sayso` command: its parts and their order in the help."""

import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import NoReturn

import click

from sayso.commands.lazy import Entry, LazyGroup

_AT = "sayso.commands"

SECTIONS = {
    "Contributor": {
        "key": Entry(f"{_AT}.key:key", "Make and show wallet keys."),
        "grant": Entry(f"{_AT}.grant:command", "License files for named purposes."),
        "status": Entry(f"{_AT}.status:command", "Look at one license, or at one item before a use."),
        "licenses": Entry(f"{_AT}.licenses:command", "Show what a wallet has licensed."),
        "revoke": Entry(f"{_AT}.revoke:command", "Take permission back, free and for ever."),
        "submit": Entry(f"{_AT}.submit:command", "Hand in what was signed and saved earlier."),
        "show": Entry(f"{_AT}.show:command", "Explain a message or a signed answer in plain sentences."),
        "export": Entry(f"{_AT}.export:command", "Say it in words of CAWG, aipref, ODRL, Croissant."),
    },
    "Buyer": {
        "check": Entry(f"{_AT}.check:command", "Check a data set before training; get a receipt."),
        "bundle": Entry(f"{_AT}.bundle:bundle", "The signed consents beside a data set."),
        "snapshot": Entry(f"{_AT}.snapshot:snapshot", "Fetch what is revoked, for checks offline."),
        "receipt": Entry(f"{_AT}.receipt:receipt", "Verify a receipt, offline."),
        "prove": Entry(f"{_AT}.prove:prove", "Get proof from the chain about one permission."),
        "verify-proof": Entry(f"{_AT}.prove:verify", "Check such a proof, offline."),
        "network": Entry(f"{_AT}.network:network", "Show and extend the network file: whom you trust."),
    },
    "Operator": {
        "node": Entry(f"{_AT}.node:node", "Run a node, or ask one how it is."),
        "contract": Entry(f"{_AT}.contract:contract", "Put the registry on a chain, or verify it."),
    },
    "Try it": {
        "demo": Entry("sayso.demo.command:demo", "See everything work on this machine.", "demo"),
        "devchain": Entry(f"{_AT}.devchain:command", "Run a throw-away Ethereum chain."),
    },
}


@click.group(
    cls=LazyGroup,
    sections=SECTIONS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 100},
    epilog="`sayso COMMAND --help` explains a command, with an example.",
)
@click.version_option(version("sayso"), prog_name="sayso")
def cli() -> None:
    """Nothing is used without your say-so.

    License your voice, face and data for named purposes by one signature, take it back by another, and
    prove that a data set was checked before it trained anything.
    """


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Unwind, so that half-written files are removed on SIGTERM as on Ctrl-C."""
    sys.exit(128 + number)


def main() -> None:
    """The console script."""
    signal.signal(signal.SIGTERM, _leave)
    cli()
