"""Reads key files: only their owner may be able to, and an encrypted keystore needs its password.

No error quotes a key or a password.
"""

import os
import stat
from pathlib import Path
from typing import Final

from eth_account import Account
from eth_account.signers.local import LocalAccount

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.files import read_small
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import SaysoError
from sayso_protocol.redaction import reason_of

KEY_FILE_BYTES: Final = 65_536
PASSWORD_VARIABLE: Final = "SAYSO_ANCHOR_PASSWORD"  # noqa: S105 - its name
_OTHERS: Final = stat.S_IRWXG | stat.S_IRWXO


def read_private(path: Path, what: str) -> str:
    """Return a small text file that only its owner can read or write; raises InvalidNodeConfig."""
    try:
        found = read_small(path, KEY_FILE_BYTES)
        text = found.text
    except OSError as error:
        raise InvalidNodeConfig(f"cannot read {what} in {path}: {reason_of(error)}") from None
    except UnicodeDecodeError:
        raise InvalidNodeConfig(f"cannot read {what} in {path}: it is not text") from None
    if found.mode & _OTHERS:
        who = f"by others (mode {found.mode:04o})"
        raise InvalidNodeConfig(f"{what} in {path} can be read or written {who}: chmod 600 {path}")
    return text


def load_account(path: Path, password_path: Path | None) -> LocalAccount:
    """Return the account of a key in hexadecimal, or of an encrypted keystore.

    The password is in a file of its own or in the variable SAYSO_ANCHOR_PASSWORD. Raises
    InvalidNodeConfig.
    """
    text = read_private(path, "the anchor key").strip()
    key = _opened(path, text, password_path) if text.startswith("{") else text
    try:
        account: LocalAccount = Account.from_key(key)
    except Exception:  # noqa: BLE001 - eth-account raises many types and quotes the key in some
        raise InvalidNodeConfig(f"cannot read the anchor key in {path}") from None
    return account


def _opened(path: Path, text: str, password_path: Path | None) -> bytes:
    password = os.environ.get(PASSWORD_VARIABLE, "")
    if password_path is not None:
        password = read_private(password_path, "the password of the anchor key").rstrip("\r\n")
    if not password:
        raise InvalidNodeConfig(
            f"the anchor key in {path} is encrypted: name its password file as anchor_password, or set"
            f" {PASSWORD_VARIABLE}"
        )
    try:
        return bytes(Account.decrypt(parse_json(text.encode()), password))
    except SaysoError as error:
        raise InvalidNodeConfig(f"the anchor key in {path} is no keystore: {error}") from None
    except Exception:  # noqa: BLE001 - eth-account raises many types
        raise InvalidNodeConfig(f"the password does not open the anchor key in {path}") from None
