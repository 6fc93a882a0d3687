"""Options that several commands share, and the values that they resolve to."""

import os
from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from sayso.commands.asking import ask_password
from sayso.commands.grouping import Command
from sayso.files import opening
from sayso.networks import DEFAULT_FILE, NETWORK_VARIABLE
from sayso_protocol.primitives import address_from_text, hash_from_text

if TYPE_CHECKING:
    from eth_account.signers.local import LocalAccount

PATH: Final = click.Path(path_type=Path)


def option_of(kind: Any) -> Callable[..., Callable[[Command], Command]]:
    """Return a function that makes options with values of one type.

    It takes the flag, what stands for the value in the help, and the help; `name` is that of the
    parameter, if it is not the flag's.
    """

    def option(flag: str, metavar: str, text: str, *, name: str = "", **more: Any) -> Any:
        names = (flag, name) if name else (flag,)
        return click.option(*names, type=kind, metavar=metavar, help=text, **more)

    return option


text_option: Final = option_of(str)
path_option: Final = option_of(PATH)
address_option: Final = option_of(address_from_text)
hash_option: Final = option_of(hash_from_text)


class Once(click.Command):
    """Once is a command in which an option that takes one value cannot be given twice.

    Click silently takes the last value, and a check would leave out what the first one asked for.
    """

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Parse the arguments; raises UsageError for a repeated option."""
        _, _, order = self.make_parser(ctx).parse_args(list(args))
        seen = set[str]()
        for one in order:
            single = isinstance(one, click.Option) and not (one.multiple or one.is_flag or one.count)
            if single and one.name in seen:
                raise click.UsageError(f"{one.opts[0]} is given twice; it takes one value", ctx)
            seen.add(str(one.name))
        return super().parse_args(ctx, args)


PASSWORD_BYTES: Final = 65_536
PASSWORD_VARIABLE: Final = "SAYSO_PASSWORD"  # noqa: S105 - a name, not a password


def _heeded(_context: object, _option: object, given: tuple[str, ...]) -> tuple[bytes, ...] | None:
    """Read the values of --heed: None without any, nobody for `none`; raises InvalidAddress."""
    if "none" in given and len(given) > 1:
        raise click.BadParameter("`none` stands alone")
    if not given:
        return None
    return () if given == ("none",) else tuple(sorted({*map(address_from_text, given)}))


heed_option = click.option(
    "--heed",
    multiple=True,
    callback=_heeded,
    metavar="ADDRESS|none",
    help="Whose disputes count; several are possible.  [default: those that each node heeds]",
)
network_option = click.option(
    "--network",
    "network_path",
    type=PATH,
    envvar=NETWORK_VARIABLE,
    default=DEFAULT_FILE,
    show_default=True,
    show_envvar=True,
    metavar="FILE",
    help="The network file, which lists the operators you trust.",
)
node_option = click.option(
    "--node",
    "node_url",
    envvar="SAYSO_NODE",
    show_envvar=True,
    metavar="URL",
    help="The node to ask.  [default: the first of the network file]",
)
optional_key_option, key_option = (
    click.option(
        "--key",
        "key_path",
        type=PATH,
        envvar="SAYSO_KEY",
        show_envvar=True,
        required=is_required,
        metavar="FILE",
        help="Your encrypted key file (sayso key new).",
    )
    for is_required in (False, True)
)
password_option = click.option(
    "--password-file",
    type=PATH,
    metavar="FILE",
    help="Read the key's password from this file.  [default: SAYSO_PASSWORD, else a prompt]",
)
rpc_option = click.option(
    "--rpc", "rpc_url", required=True, metavar="URL", help="JSON-RPC endpoint of the chain."
)
yes_option = click.option("--yes", "-y", is_flag=True, help="Do not ask for confirmation.")
json_option = click.option("--json", "as_json", is_flag=True, help="Print JSON for scripts.")


def read_password(password_file: Path | None, *, new: bool = False) -> str:
    """Return the password of a file, the environment or a prompt; raises FileUnreadable, NoTerminal."""
    if password_file is not None:
        with opening(password_file, forward=True) as file:
            text = file.read(PASSWORD_BYTES).decode().removesuffix("\n").removesuffix("\r")
        if new and not text:
            raise click.UsageError("the password file is empty")
        return text
    if password := os.environ.get(PASSWORD_VARIABLE):
        return password
    prompt = "Password for the new key" if new else "Password of the key"
    return ask_password(prompt, twice=new)


def open_key(path: Path, password_file: Path | None) -> "LocalAccount":
    """Return the account of a key file; raises BadKeyFile and WrongPassword."""
    from sayso.contributor.keystore import key_address, load_key  # noqa: PLC0415 - eth-account takes a second

    key_address(path)  # report a missing file before the password prompt
    return load_key(path, read_password(password_file))
