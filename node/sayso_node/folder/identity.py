"""Creates and reads the node's Ed25519 key, its libp2p identity, which signs all its statements."""

import os
from pathlib import Path

from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.keys import read_private
from sayso_node.interfaces import Randomness
from sayso_protocol.redaction import reason_of

SEED_BYTES = 32


def create_identity(path: Path, randomness: Randomness) -> SigningKey:
    """Write a new seed that only its owner can read; raises InvalidNodeConfig if the file exists."""
    seed = randomness(SEED_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InvalidNodeConfig(f"{path} exists; a node's identity is never replaced") from error
    except OSError as error:
        raise InvalidNodeConfig(
            f"cannot write the node's identity to {path}: {reason_of(error)}"
        ) from error
    with os.fdopen(descriptor, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return SigningKey(seed)


def load_identity(path: Path) -> SigningKey:
    """Read the key from its seed file, which only its owner can read; raises InvalidNodeConfig."""
    text = read_private(path, "the node's identity")
    try:
        return SigningKey(bytes.fromhex(text.strip()))
    except (ValueError, TypeError) as error:
        raise InvalidNodeConfig(f"cannot read the node's identity in {path}: {error}") from error
