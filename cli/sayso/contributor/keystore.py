"""Wallet keys in encrypted files: Web3 Secret Storage, version 3, which other wallets can read.

Only its owner can read a key file, and nothing overwrites it.
"""

import json
import os
from contextlib import suppress
from pathlib import Path
from typing import Any

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso.errors import BadKeyFile, KeyExists, WrongPassword
from sayso.files import opening
from sayso.outputs import output_errors
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import InvalidAddress, Malformed
from sayso_protocol.primitives import address_from_text

KEY_FILE_BYTES = 65_536
SCRYPT_BYTES = 1 << 30  # of memory, 128 * n * r: four times what this release writes
SCRYPT_TIMES = 16
PBKDF2_ROUNDS = 1 << 24
DERIVED_BYTES = 64
SCRYPT_WORK = 1 << 18  # rounds; each attempt at a password costs about a second and 256 MiB


def new_account() -> LocalAccount:
    """Create a new key from the system's randomness."""
    account: LocalAccount = Account.create()
    return account


def account_from_hex(text: str) -> LocalAccount:
    """Parse a private key in hexadecimal; raises BadKeyFile, which never quotes the key."""
    try:
        account: LocalAccount = Account.from_key(text.strip())
    except Exception:  # noqa: BLE001 - eth-account raises many types and quotes the key in some
        raise BadKeyFile("this is not a private key of 64 hexadecimal digits") from None
    return account


def save_key(path: Path, account: LocalAccount, password: str, *, work: int = SCRYPT_WORK) -> None:
    """Write a new key file with mode 0600; raises KeyExists and OutputFailed."""
    refuse_existing_key(path)
    text = json.dumps(Account.encrypt(account.key, password, kdf="scrypt", iterations=work))
    with output_errors(path):
        try:
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
        except FileExistsError as error:
            raise _existing(path) from error
        try:
            with os.fdopen(descriptor, "w") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
        except BaseException:
            with suppress(OSError):
                path.unlink()
            raise


def refuse_existing_key(path: Path) -> None:
    """Raise KeyExists if there is a file of this name."""
    if os.path.lexists(path):
        raise _existing(path)


def _existing(path: Path) -> KeyExists:
    return KeyExists(f"{str(path)!r} exists; a key file is never overwritten")


def load_key(path: Path, password: str) -> LocalAccount:
    """Open a key file; raises BadKeyFile and WrongPassword."""
    keystore = _read(path)
    try:
        account: LocalAccount = Account.from_key(Account.decrypt(keystore, password))
    except Exception as error:  # a bad file makes eth-account raise many types
        if str(error) == "MAC mismatch":
            raise WrongPassword(f"the password does not open {str(path)!r}") from None
        raise BadKeyFile(f"{str(path)!r} is not a keystore that this release can open") from error
    if "address" in keystore and key_address(path) != address_from_text(account.address):
        raise BadKeyFile(f"the address in {str(path)!r} does not belong to its key")
    return account


def key_address(path: Path) -> bytes:
    """Return the address that a key file names, 20 bytes, without its password; raises BadKeyFile."""
    address = str(_read(path).get("address", ""))
    try:
        return address_from_text("0x" + address.removeprefix("0x").lower())
    except InvalidAddress as error:
        raise BadKeyFile(f"{str(path)!r} does not contain its address") from error


def _read(path: Path) -> dict[str, Any]:
    try:
        with opening(path, BadKeyFile, forward=True) as file:
            keystore = parse_json(file.read(KEY_FILE_BYTES + 1), most=KEY_FILE_BYTES)
    except Malformed as error:
        raise BadKeyFile(f"{str(path)!r} is not a key file: it is not JSON") from error
    if not isinstance(keystore, dict) or keystore.get("version") != 3:
        raise BadKeyFile(f"{str(path)!r} is not an encrypted keystore of version 3")
    if not _is_affordable(keystore):
        raise BadKeyFile(f"{str(path)!r} asks for more memory or time than a password needs")
    return keystore


def _is_affordable(keystore: dict[str, Any]) -> bool:
    """Return whether the parameters of the password's hash are numbers within our limits."""
    try:
        crypto = _lower(_lower(keystore)["crypto"])
        numbers = _lower(crypto["kdfparams"])
        if not 0 < int(numbers["dklen"]) <= DERIVED_BYTES:
            return False
        if crypto["kdf"] == "scrypt":
            work = 128 * int(numbers["n"]) * int(numbers["r"])
            return 0 < work <= SCRYPT_BYTES and 0 < int(numbers["p"]) <= SCRYPT_TIMES
        return 0 < int(numbers["c"]) <= PBKDF2_ROUNDS
    except (KeyError, TypeError, ValueError, AttributeError, OverflowError):
        return False


def _lower(fields: dict[str, Any]) -> dict[str, Any]:
    """Return the fields under the names that eth-account reads: in lower case, the last one counts."""
    return {name.lower(): value for name, value in fields.items()}
