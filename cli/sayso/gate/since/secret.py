"""The key under which this user's indexes are authentic, so that nobody else's index saves a judgement.

It lies in a file that only its owner can read, below `XDG_STATE_HOME`, by default `~/.local/state`.
"""

import hmac
import os
import secrets
from contextlib import suppress
from pathlib import Path
from typing import IO, Final

from sayso.files import reading
from sayso.outputs import output_errors
from sayso_protocol.primitives import HASH_BYTES

KEY_BYTES: Final = 32
_OTHERS: Final = 0o077
_PIECE_BYTES: Final = 1 << 16


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


def read_own(file: IO[bytes], size: int, key: bytes, before: bytes = b"") -> tuple[bytes, bytes] | None:
    """Read content that this user wrote, and the MAC behind it; None for anything else.

    It is hashed piece by piece first, so content of somebody else takes no memory, whatever its size.

    Args:
        file: Open at the content.
        size: Bytes of the content.
        key: This user's key.
        before: What the MAC also covers, before the content.
    """
    begin, mac, left = file.tell(), hmac.new(key, before, "sha256"), size
    while left and (piece := file.read(min(left, _PIECE_BYTES))):
        mac.update(piece)
        left -= len(piece)
    signed = file.read(HASH_BYTES)
    if left or not hmac.compare_digest(mac.digest(), signed):
        return None
    file.seek(begin)
    content = file.read(size)
    # It may have changed between the two readings.
    if not hmac.compare_digest(hmac.digest(key, before + content, "sha256"), signed):
        return None
    file.seek(begin + size + HASH_BYTES)
    return content, signed
