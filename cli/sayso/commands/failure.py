"""Errors as a command shows them: `error [code]: sentence`, and a hint for some codes."""

import errno
from collections.abc import Iterator
from contextlib import contextmanager
from typing import IO, Any, Final

import click

from sayso.commands.text import printable
from sayso.errors import OutputFailed
from sayso_protocol.errors import SaysoError
from sayso_protocol.redaction import reason_of

_FULL: Final = {errno.ENOSPC, errno.EDQUOT, errno.EFBIG, errno.EIO, errno.EROFS}
TILDE_HINT: Final = (
    "the shell replaces ~ only at the beginning of a word without quotes: write $HOME instead"
)
HINTS: Final = {
    "invalid-network-file": "name the network file with --network FILE or SAYSO_NETWORK; "
    "the operators of the network publish it",
    "node-unreachable": "check the address, and whether the node is running (sayso node status)",
    "not-held": "check the hash, and ask another node with --node URL",
    "bad-key-file": "a key file is what sayso key new writes; name it with --key FILE or SAYSO_KEY",
    "wrong-network": "use the network file of the network that this node serves",
    "unknown-signer": "if you trust this node, add its key: sayso network add --from-node URL",
    "receipt-not-fresh": "check this machine's clock, or accept older answers with --max-age",
    "other-nonce": "ask the node directly: something before it gives earlier answers again",
    "snapshot-expired": "update the file with sayso snapshot pull, and check this machine's clock",
    "missing-delta": "fetch the file again: sayso snapshot pull",
    "snapshot-tampered": "fetch the file again: sayso snapshot pull",
    "wrong-chain": "--rpc must be an endpoint of the chain that --chain-id or the network file names",
    "chain-unsuitable": "choose another chain; with --force the registry is deployed all the same",
    "not-deployed": "deploy the registry: sayso contract deploy",
    "from-the-future": "check this machine's clock",
    "unsupported": "only the chain can judge the signature of a contract wallet: ask a node that has an "
    "endpoint, or name one with --rpc URL",
    "other-statements": "name another folder with --keep or --save, or repeat the first command exactly",
    "not-of-run": "move it out of the folder of the run; if it is the data, name its columns and its "
    "dialect as in the check (--license-column, --bad-rows and the like)",
    "output-is-input": "name a file or folder outside the inputs",
    "other-format": "kept rows have the format and compression of the manifest; give the file an ending "
    "that says so, or none",
    "folder-in-use": "a folder belongs to one node: end the other process, or make a new folder",
    "store-in-use": "end the other process, or give this node a database of its own",
    "store-missing": "put store.sqlite back from a backup (sayso node restore); without one, make a new "
    "folder with a new identity (sayso node init)",
    "store-too-new": "install the release that wrote it, or a newer one; never move the store away",
    "store-too-old": "back it up (sayso node backup), then start the node once, which migrates it",
    "store-damaged": "see what is damaged with sayso node verify-store; a running node repairs what it "
    "can, and what it cannot needs a backup (sayso node restore)",
    "store-moved": "finish the move: repeat the same sayso node move-store; if it was finished, let "
    "`store` in node.toml name where the store is now",
    "not-revoked": "a license is erased after all of it is revoked: ask its contributor for that",
    "not-dated": "wait until a batch or the registry has the revocation in a final block that the node "
    "has read",
    "wrong-store": "put the store of this identity and this network back into the folder",
}


class Failure(click.ClickException):
    """Failure is a SaysoError that click shows as one line and turns into exit status 1."""

    def __init__(self, error: SaysoError) -> None:
        super().__init__(printable(str(error)))
        self.code = error.code

    def show(self, file: IO[Any] | None = None) -> None:
        """Print the error in one line, and the hint of its code in another."""
        click.echo(f"error [{self.code}]: {self.message}", file=file, err=file is None)
        hint = TILDE_HINT if "'~" in self.message else HINTS.get(self.code)
        if hint:
            click.echo(f"hint: {hint}", file=file, err=file is None)


@contextmanager
def as_failures() -> Iterator[None]:
    """Turn a SaysoError, and a full disk below standard output, into a Failure."""
    try:
        yield
    except SaysoError as error:
        raise Failure(error) from error
    except OSError as error:
        if error.errno not in _FULL:
            raise
        where = repr(str(error.filename)) if error.filename else "the output"
        raise Failure(OutputFailed(f"cannot write {where}: {reason_of(error)}")) from error
