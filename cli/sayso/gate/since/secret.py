"""The key under which this user's indexes are authentic, so that nobody else's index saves a judgement.

It lies in a file that only its owner can read, below `XDG_STATE_HOME`, by default `~/.local/state`.
"""

import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import Final

from sayso.gate.formats.base import reading
from sayso.outputs import output_errors

KEY_BYTES: Final = 32
_OTHERS: Final = 0o077


def key_file() -> Path:
    """Return the place of the key."""
    state = os.environ.get("XDG_STATE_HOME") or Path.home() / ".local" / "state"
    return Path(state) / "sayso" / "index.key"


def existing_key() -> bytes | None:
    """Return the key, or None if there is none that only this user can read; raises FileUnreadable."""
    path = key_file()
    with reading(path), suppress(FileNotFoundError), path.open("rb") as file:
        found = os.fstat(file.fileno())
        key = file.read(KEY_BYTES + 1)
        if found.st_uid == os.geteuid() and not found.st_mode & _OTHERS and len(key) == KEY_BYTES:
            return key
    return None


def own_key() -> bytes:
    """Return the key, made if there is none; raises OutputFailed, FileUnreadable."""
    if (key := existing_key()) is not None:
        return key
    path = key_file()
    with output_errors(path):
        path.parent.mkdir(parents=True, exist_ok=True, mode=0o700)
        part = path.with_name(f".{path.name}.{secrets.token_hex(4)}.part")
        try:
            descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "wb") as file:
                file.write(secrets.token_bytes(KEY_BYTES))
            part.replace(path)
        finally:
            part.unlink(missing_ok=True)
    with reading(path):
        return path.read_bytes()
