"""`sayso key`: create and show wallet keys."""

from pathlib import Path

import click

from sayso.commands.lazy import Group
from sayso.commands.options import (
    PASSWORD_BYTES,
    PATH,
    json_option,
    password_option,
    path_option,
    read_password,
)
from sayso.commands.text import example, say, say_json
from sayso.contributor.derived_keys import NUMBERS, Branch, derived_account
from sayso.contributor.keystore import (
    account_from_hex,
    key_address,
    load_key,
    new_account,
    refuse_existing_key,
    save_key,
)
from sayso.contributor.saved_messages import read_bounded
from sayso.files import reading
from sayso_protocol.primitives import address_text


@click.group(cls=Group)
def key() -> None:
    """Create and show wallet keys."""


@key.command(epilog=example("sayso key new me.json"))
@click.argument("path", type=PATH, metavar="FILE")
@password_option
@path_option(
    "--import",
    "FILE",
    "Read the private key from a file of 64 hexadecimal digits (- for standard input).",
    name="private_key",
)
def new(path: Path, password_file: Path | None, private_key: Path | None) -> None:
    """Write a new key to FILE, encrypted with a password.

    FILE is a keystore (version 3) that other wallets can open. The command never overwrites a file. If
    you lose FILE or its password, you can no longer sign. Prepare for this: copy FILE to a second place
    and keep the password in another, name a guardian in your consents, or save a signed `sayso revoke
    everything --save stop.sayso`, which remains valid without the key.
    """
    refuse_existing_key(path)
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


@key.command(epilog=example("sayso key derive me.json call-7.json --number 7"))
@click.argument("path", type=PATH, metavar="FILE", envvar="SAYSO_KEY")
@click.argument("derived", type=PATH, metavar="NEW")
@click.option("--number", type=click.IntRange(0, NUMBERS - 1), required=True, help="Which of its keys.")
@click.option("--guardian", is_flag=True, help="Derive the key for the guardian's part instead.")
@password_option
def derive(
    path: Path,
    derived: Path,
    number: int,
    password_file: Path | None,
    *,
    guardian: bool,
) -> None:
    """Derive one of the keys of FILE, and write it to NEW under the same password.

    Sign each call with a key of its own, so that nobody sees which calls are of one person. The same
    FILE and number always give the same key (BIP-32), so FILE is all that you need to keep.
    """
    refuse_existing_key(derived)
    password = read_password(password_file)
    seed = bytes(load_key(path, password).key)
    branch = Branch.GUARDIAN if guardian else Branch.CONTRIBUTOR
    account = derived_account(seed, number, branch)
    save_key(derived, account, password)
    say(account.address)


def _read_hex(path: Path) -> str:
    with reading(path):
        return read_bounded(path, PASSWORD_BYTES).decode()
