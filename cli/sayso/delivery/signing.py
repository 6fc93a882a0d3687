"""Signs deliveries as Standard Webhooks do (standardwebhooks.com), so that known libraries verify them.

The secret is `whsec_` and Base64. The signature is HMAC-SHA-256 over `id.timestamp.body`: id and
timestamp are signed, so that neither an altered nor an old delivery passes for a new one.
"""

import base64
import binascii
import hashlib
import hmac
import os
import secrets
import stat
from pathlib import Path
from typing import Final

from sayso.delivery.errors import BadSecret
from sayso.files import opening
from sayso.outputs import output_errors

WHSEC: Final = "whsec_"
NEW_BYTES: Final = 32
SECRET_BYTES: Final = (24, 64)  # least and most
FILE_BYTES: Final = 4_096
ID, TIMESTAMP, SIGNATURE = "webhook-id", "webhook-timestamp", "webhook-signature"


def signature(secret: bytes, name: str, timestamp: int, body: bytes) -> str:
    """Return the value of the header `webhook-signature`."""
    signed = b".".join((name.encode(), str(timestamp).encode(), body))
    code = hmac.new(secret, signed, hashlib.sha256).digest()
    return "v1," + base64.b64encode(code).decode()


def headers(secret: bytes, name: str, timestamp: int, body: bytes) -> dict[str, str]:
    """Return the headers of a delivery; `timestamp` in seconds since the epoch."""
    return {
        "Content-Type": "application/json",
        ID: name,
        TIMESTAMP: str(timestamp),
        SIGNATURE: signature(secret, name, timestamp, body),
    }


def secret_at(path: Path) -> bytes:
    """Return the secret of a file, which is made if it does not exist.

    Raises:
        BadSecret: The file is not a secret, or others than its owner can read it.
        OutputFailed: It could not be made.
    """
    if not path.exists():
        text = WHSEC + base64.b64encode(secrets.token_bytes(NEW_BYTES)).decode()
        with output_errors(path):
            descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
            with os.fdopen(descriptor, "w") as file:
                file.write(text + "\n")
                file.flush()
                os.fsync(file.fileno())
    return _read(path)


def _read(path: Path) -> bytes:
    with opening(path, BadSecret) as file:
        mode = os.fstat(file.fileno()).st_mode
        data = file.read(FILE_BYTES)
    if stat.S_IMODE(mode) & 0o077:
        raise BadSecret(f"others can read {str(path)!r}; change its mode to 600")
    try:
        text = data.decode("ascii").strip()
        secret = base64.b64decode(text.removeprefix(WHSEC), validate=True)
    except (UnicodeDecodeError, binascii.Error):
        secret = b""
    least, most = SECRET_BYTES
    if not least <= len(secret) <= most:
        raise BadSecret(f"{str(path)!r} has no secret: whsec_ and {least} to {most} bytes in Base64")
    return secret
