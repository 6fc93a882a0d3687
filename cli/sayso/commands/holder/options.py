"""Options of who signs statements, and where the signed messages go."""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import click
from click.core import ParameterSource

from sayso.commands.grouping import Command, gathering, taken
from sayso.commands.node import NODE_OPTIONS, AskedNode, asked_node
from sayso.commands.options import address_option, path_option, yes_option
from sayso.commands.signing import WALLET_OPTIONS, Signing, print_option
from sayso_protocol.network_file import NetworkFile

STANDARD_INPUT: Final = "-"


@dataclass(frozen=True)
class Stating:
    """Stating holds who signs statements, and what happens to the signed messages.

    Attributes:
        account: The account of the signer, or the contract wallet that endorses.
        endorse: Leave the messages without signature, and print the calls that endorse them.
        save: A folder for messages that are not sent.
        keep: A folder for messages that are sent.
        asked: The node that they are sent to.
    """

    key_path: Path | None
    password_file: Path | None
    signer_url: str | None
    account: bytes | None
    endorse: bool
    save: Path | None
    keep: Path | None
    only_print: bool
    yes: bool
    asked: AskedNode

    def __post_init__(self) -> None:
        """Raise a usage error for options that select no signer, or contradict each other."""
        if self.save and self.keep:
            raise click.UsageError("--save does not send and --keep sends; give only one of them")
        if self.endorse and (self.is_key_named or self.signer_url or not self.account):
            raise click.UsageError("--endorse needs --account ADDRESS, and no key and no signer")
        asks = not self.yes and not self.only_print
        if asks and Path(STANDARD_INPUT) in click.get_current_context().params.values():
            raise click.UsageError("a list on standard input needs --yes: the answer is read there, too")
        if not self.is_foreign:
            self.signing()

    @property
    def trusted(self) -> NetworkFile:
        """Return the network file; raises InvalidNetworkFile."""
        return self.asked.trusted

    @property
    def is_key_named(self) -> bool:
        """Return whether the key was named on the command line, and not by SAYSO_KEY."""
        source = click.get_current_context().get_parameter_source("key_path")
        return self.key_path is not None and source is ParameterSource.COMMANDLINE

    @property
    def is_foreign(self) -> bool:
        """Return whether nothing here signs: a contract wallet endorses, or another wallet signs."""
        is_other = self.account is not None and not self.signer_url and not self.is_key_named
        return self.endorse or (self.only_print and is_other)

    def signing(self) -> Signing:
        """Return the key or the external signer; raises a usage error without one."""
        return Signing(self.key_path, self.password_file, self.signer_url, self.account)

    def address(self) -> bytes:
        """Return the address of the signer, 20 bytes, without asking for a password."""
        if self.is_foreign and self.account is not None:
            return self.account
        return self.signing().address()


_STATING: Final = (
    *WALLET_OPTIONS,
    address_option(
        "--account", "ADDRESS", "The account of the signer; with --endorse or --print, any wallet."
    ),
    click.option(
        "--endorse",
        is_flag=True,
        help="For a contract wallet: save the messages without signature, and print the calls by which "
        "the wallet endorses them.",
    ),
    path_option("--save", "DIR", "Sign and save to this folder, without sending (sayso submit)."),
    path_option(
        "--keep",
        "DIR",
        "The folder for the messages that are sent; a folder of an earlier run is continued."
        "  [default: a new one]",
    ),
    print_option,
    yes_option,
    *NODE_OPTIONS,
)


def stating_options(command: Command) -> Command:
    """Add the options of signer and messages to a command, which receives them as `stating`."""

    def gathered(options: dict[str, Any]) -> Stating:
        return Stating(**taken(options, Stating), asked=asked_node(options))

    return gathering(command, "stating", gathered, _STATING)
