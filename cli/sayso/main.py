"""The `sayso` command: its parts and their order in the help."""

import signal
import sys
from importlib.metadata import version
from types import FrameType
from typing import NoReturn

import click

from sayso.commands.lazy import Entry, LazyGroup

_AT = "sayso.commands"
_CONTRIBUTOR, _BUYER, _OPERATOR = (f"{_AT}.{room}" for room in ("contributor", "buyer", "operator"))

SECTIONS = {
    "Contributor": {
        "key": Entry(f"{_CONTRIBUTOR}.key:key", "Make and show wallet keys."),
        "grant": Entry(f"{_CONTRIBUTOR}.grant:command", "License files for named purposes."),
        "status": Entry(f"{_BUYER}.status:command", "Look at one license, or at one item before a use."),
        "licenses": Entry(f"{_CONTRIBUTOR}.licenses:command", "Show what a wallet has licensed."),
        "revoke": Entry(f"{_CONTRIBUTOR}.revoke:command", "Take permission back, free and for ever."),
        "submit": Entry(f"{_CONTRIBUTOR}.submit:command", "Hand in what was signed and saved earlier."),
        "show": Entry(f"{_AT}.show:command", "Explain a message or a signed answer in plain sentences."),
        "export": Entry(
            f"{_CONTRIBUTOR}.export:command", "Say it in words of CAWG, aipref, ODRL, Croissant."
        ),
    },
    "Buyer": {
        "check": Entry(f"{_BUYER}.check:command", "Check a data set before training; get a receipt."),
        "bundle": Entry(f"{_BUYER}.bundle:bundle", "The signed consents beside a data set."),
        "snapshot": Entry(f"{_BUYER}.snapshot:snapshot", "Fetch what is revoked, for checks offline."),
        "receipt": Entry(f"{_BUYER}.receipt:receipt", "Verify a receipt, offline."),
        "prove": Entry(f"{_BUYER}.prove:prove", "Get proof from the chain about one permission."),
        "verify-proof": Entry(f"{_BUYER}.prove:verify", "Check such a proof, offline."),
        "network": Entry(
            f"{_OPERATOR}.network:network", "Show and extend the network file: whom you trust."
        ),
    },
    "Operator": {
        "node": Entry(f"{_OPERATOR}.node:node", "Run a node, or ask one how it is."),
        "contract": Entry(
            f"{_OPERATOR}.contract:contract", "Put the registry on a chain, or verify it."
        ),
    },
    "Try it": {
        "demo": Entry("sayso.demo.command:demo", "See everything work on this machine.", "demo"),
        "devchain": Entry(f"{_OPERATOR}.devchain:command", "Run a throw-away Ethereum chain."),
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
