"""The signer of a command, a key file or an external signer, and the output of `--print`."""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from sayso.commands.grouping import Command, gathering, taken
from sayso.commands.options import (
    address_option,
    open_key,
    optional_key_option,
    password_option,
    text_option,
)
from sayso.commands.text import say_json
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text

if TYPE_CHECKING:
    from sayso.contributor.licensing import Account

print_option = click.option(
    "--print",
    "only_print",
    is_flag=True,
    help="Print the data to sign, as input of eth_signTypedData_v4; sign and send nothing.",
)
WALLET_OPTIONS = (
    optional_key_option,
    password_option,
    text_option(
        "--signer",
        "URL",
        "Use an external signer: JSON-RPC with eth_signTypedData_v4.",
        name="signer_url",
    ),
)
_ACCOUNT = address_option(
    "--account", "ADDRESS", "The account of the signer; required if it has several."
)
_RPC = text_option(
    "--rpc",
    "URL",
    "JSON-RPC endpoint of the chain, to ask contract wallets about their signatures.",
    name="rpc_url",
)


@dataclass(frozen=True)
class Signing:
    """Signing holds the options that select a signer."""

    key_path: Path | None
    password_file: Path | None
    signer_url: str | None
    account: bytes | None
    rpc_url: str | None = None

    def __post_init__(self) -> None:
        """Raise a usage error for options that select no signer."""
        if not self.key_path and not self.signer_url:
            raise click.UsageError("name a signer with --key FILE or --signer URL")
        if self.account and not self.signer_url:
            raise click.UsageError("--account selects an account of a --signer")

    def address(self) -> bytes:
        """Return the address of the signer, 20 bytes, without asking for a password."""
        from sayso.contributor.keystore import key_address  # noqa: PLC0415 - eth-account takes a second

        if self.signer_url:
            return address_from_text(self.open().address)
        assert self.key_path  # noqa: S101 - one of the two was given
        return key_address(self.key_path)

    def open(self) -> "Account":
        """Return the account that signs; raises BadKeyFile, WrongPassword and SignerFailed."""
        from sayso.contributor.signers import external_signer  # noqa: PLC0415 - so does aiohttp

        if self.signer_url:
            return external_signer(self.signer_url, self.account, self.rpc_url)
        assert self.key_path  # noqa: S101 - one of the two was given
        return open_key(self.key_path, self.password_file)


def signing_options(command: Command) -> Command:
    """Add the signer options to a command, which receives them as `signing`."""

    def gathered(options: dict[str, Any]) -> Signing:
        return Signing(**taken(options, Signing))

    return gathering(command, "signing", gathered, (*WALLET_OPTIONS, _ACCOUNT, _RPC))


def print_messages(messages: Iterable[Message], network: Network) -> None:
    """Print the typed data and the digest of each message, as one JSON list."""
    say_json(
        [
            {"digest": "0x" + digest(one, network).hex(), "typed_data": typed_data(one, network)}
            for one in messages
        ]
    )
