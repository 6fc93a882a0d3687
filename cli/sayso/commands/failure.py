"""What a person sees when something is wrong: `error [code]: sentence`, and perhaps a hint."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import click

from sayso.commands.text import printable
from sayso_protocol.errors import SaysoError

HINTS: Final = {
    "invalid-network-file": "name the network file with --network FILE or SAYSO_NETWORK; "
    "whoever runs the network gives it out",
    "node-unreachable": "is the address right, and is the node running? (sayso node status)",
    "wrong-network": "use the network file of the network that this node serves",
    "unknown-signer": "if you trust that node: sayso network add --from-node URL",
    "receipt-not-fresh": "is this machine's clock right?",
    "snapshot-expired": "sayso snapshot pull brings it up to date; is this machine's clock right?",
    "missing-delta": "sayso snapshot pull makes the file anew",
    "snapshot-tampered": "sayso snapshot pull makes the file anew",
    "wrong-chain": "--rpc must be an endpoint of the chain that --chain-id or the network file names",
    "not-deployed": "put it there: sayso contract deploy",
    "from-the-future": "is this machine's clock right?",
    "unsupported": "for the time being, wallets must be a plain key (EOA)",
    "output-is-input": "name a file or folder elsewhere: an output replaces what has its name",
    "bad-manifest": 'a row is a JSON object in one line, with "license" and "item"',
}


class Failure(click.ClickException):
    """A SaysoError on its way to a person."""

    exit_code = 1

    def __init__(self, error: SaysoError) -> None:
        super().__init__(printable(str(error)))
        self.code = error.code

    def show(self, file: IO[Any] | None = None) -> None:
        """One line, and the hint on another."""
        click.echo(f"error [{self.code}]: {self.message}", file=file, err=file is None)
        if self.code in HINTS:
            click.echo(f"hint: {HINTS[self.code]}", file=file, err=file is None)


@contextmanager
def as_failures() -> Iterator[None]:
    """Turn a SaysoError into the exit status 1 and its line."""
    try:
        yield
    except SaysoError as error:
        raise Failure(error) from error
