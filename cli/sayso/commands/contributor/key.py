"""`sayso key`: create and show wallet keys."""

import sys
from pathlib import Path

import click

from sayso.commands.options import PATH, json_option, password_option, read_password
from sayso.commands.text import example, say, say_json
from sayso.contributor.keystore import account_from_hex, key_address, new_account, save_key
from sayso.errors import FileUnreadable, KeyExists
from sayso_protocol.primitives import address_text


@click.group()
def key() -> None:
    """Create and show wallet keys."""


@key.command(epilog=example("sayso key new me.json"))
@click.argument("path", type=PATH, metavar="FILE")
@password_option
@click.option(
    "--import",
    "private_key",
    type=PATH,
    metavar="FILE",
    help="Read the private key from a file of 64 hexadecimal digits (- for standard input).",
)
def new(path: Path, password_file: Path | None, private_key: Path | None) -> None:
    """Write a new key to FILE, encrypted with a password.

    FILE is a keystore (version 3) that other wallets can open. The command never overwrites a file. If
    you lose FILE or its password, you can no longer sign. Prepare for this: copy FILE to a second place
    and keep the password in another, name a guardian in your consents, or save a signed `sayso revoke
    everything --save stop.sayso`, which remains valid without the key.
    """
    if path.exists():
        raise KeyExists(f"{str(path)!r} exists; a key file is never overwritten")
    account = account_from_hex(_read_hex(private_key)) if private_key else new_account()
    save_key(path, account, read_password(password_file, new=True))
    say(account.address)


@key.command(epilog=example("sayso key show me.json"))
@click.argument("path", type=PATH, metavar="FILE", envvar="SAYSO_KEY")
@json_option
def show(path: Path, *, as_json: bool) -> None:
    """Show the address of a key file, without its password."""
    address = address_text(key_address(path))
    if as_json:
        say_json({"address": address, "file": str(path)})
    else:
        say(address)


def _read_hex(path: Path) -> str:
    try:
        return sys.stdin.read() if str(path) == "-" else path.read_text()
    except (OSError, UnicodeDecodeError) as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error}") from error
