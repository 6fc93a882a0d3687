"""The `sayso` command: its subcommands in the order of the help."""

import os
import signal
import sys
from importlib.metadata import version
from pathlib import Path
from types import FrameType
from typing import NoReturn

import click

from sayso.commands.lazy import Entry, LazyGroup
from sayso_contracts.start.accounts import postpone_bls

_AT = "sayso.commands"
_STDERR = 2
_CONTRIBUTOR, _BUYER, _HOLDER, _OPERATOR = (
    f"{_AT}.{room}" for room in ("contributor", "buyer", "holder", "operator")
)

SECTIONS = {
    "Contributor": {
        "key": Entry(f"{_CONTRIBUTOR}.key:key", "Create and show wallet keys."),
        "grant": Entry(f"{_CONTRIBUTOR}.grant:command", "License files for named purposes."),
        "status": Entry(f"{_BUYER}.status:command", "Show one license, or check one item before a use."),
        "licenses": Entry(f"{_CONTRIBUTOR}.licenses:command", "List the licenses of a wallet."),
        "revoke": Entry(f"{_CONTRIBUTOR}.revoke:command", "Revoke permissions, free and finally."),
        "trace": Entry(f"{_CONTRIBUTOR}.trace:command", "Show where a license went."),
        "submit": Entry(
            f"{_CONTRIBUTOR}.submit:command", "Submit messages that were signed and saved earlier."
        ),
        "show": Entry(f"{_AT}.show:command", "Explain a message or a signed file in plain sentences."),
        "export": Entry(
            f"{_CONTRIBUTOR}.export:command", "Convert a consent to CAWG, aipref, ODRL or Croissant."
        ),
    },
    "Buyer": {
        "check": Entry(
            f"{_BUYER}.check:command", "Check a data set before training, and get a receipt."
        ),
        "manifest": Entry(f"{_BUYER}.manifest:command", "Hash data, and find its licenses in a bundle."),
        "watch": Entry(f"{_BUYER}.watch:command", "Deliver events to a program or a web server."),
        "bundle": Entry(f"{_BUYER}.bundle:bundle", "Manage the signed consents of a data set."),
        "snapshot": Entry(
            f"{_BUYER}.snapshot:snapshot", "Fetch a list of everything revoked, for offline checks."
        ),
        "receipt": Entry(f"{_BUYER}.receipt:receipt", "Verify a receipt offline."),
        "prove": Entry(f"{_BUYER}.prove:prove", "Get a chain proof about one permission."),
        "verify-proof": Entry(f"{_BUYER}.prove:verify", "Verify a chain proof offline."),
        "network": Entry(
            f"{_OPERATOR}.network:network", "Show the network file, or add an operator you trust."
        ),
    },
    "Holder": {
        "sublicense": Entry(f"{_HOLDER}.sublicense:command", "Pass licenses on to a customer."),
        "use": Entry(f"{_HOLDER}.use:command", "State that licenses were used in a run."),
        "removal": Entry(f"{_HOLDER}.removal:command", "Confirm that what is revoked was removed."),
        "dispute": Entry(
            f"{_HOLDER}.dispute:command", "Say that files show you, or that licenses are not genuine."
        ),
        "impact": Entry(
            f"{_HOLDER}.impact:command", "Show which data sets, runs and customers revocations touch."
        ),
        "withdraw": Entry(f"{_HOLDER}.withdraw:command", "Take back your own statements, finally."),
    },
    "Marketplace": {
        "marketplace": Entry(
            f"{_AT}.marketplace:marketplace",
            "License from people, sell on, and pass on what they take back.",
            "marketplace",
        ),
    },
    "Operator": {
        "node": Entry(f"{_OPERATOR}.node:node", "Run a node, or show its status."),
        "contract": Entry(
            f"{_OPERATOR}.contract:contract", "Deploy the registry contract, or verify it."
        ),
    },
    "Try it": {
        "demo": Entry("sayso.demo.command:demo", "Run the whole system on this machine.", "demo"),
        "devchain": Entry(f"{_OPERATOR}.devchain:command", "Run a temporary Ethereum chain for tests."),
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

    License your voice, face and data for named purposes with one signature, revoke the license with
    another, and prove that a data set was checked before training.
    """


def _leave(number: int, _frame: FrameType | None) -> NoReturn:
    """Exit by an exception, so that incomplete files are removed on SIGTERM and SIGHUP as on Ctrl-C."""
    sys.exit(128 + number)


def _reserve_streams() -> None:
    """Let no file that is opened later have the number of a standard stream that was closed.

    What a library prints would be written into that file. A closed standard input is an empty one.
    """
    while (descriptor := os.open(os.devnull, os.O_RDWR)) <= _STDERR:
        pass
    os.close(descriptor)
    if sys.stdin is None:
        sys.stdin = Path(os.devnull).open(encoding="utf-8")  # noqa: SIM115 - until the process ends


def main() -> None:
    """Run the console script `sayso`."""
    _reserve_streams()
    signal.signal(signal.SIGTERM, _leave)
    if signal.getsignal(signal.SIGHUP) is signal.SIG_DFL:  # nohup ignores it
        signal.signal(signal.SIGHUP, _leave)
    postpone_bls()
    cli()
