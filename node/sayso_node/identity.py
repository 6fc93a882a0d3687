"""The node's one Ed25519 key: libp2p identity, receipts, acknowledgements, sponsorship."""

import os
from pathlib import Path

from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig
from sayso_node.interfaces import Randomness

SEED_BYTES = 32


def create_identity(path: Path, randomness: Randomness) -> SigningKey:
    """Write a new seed, readable by its owner alone; raises InvalidNodeConfig if there is one."""
    seed = randomness(SEED_BYTES)
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    except FileExistsError as error:
        raise InvalidNodeConfig(f"{path} exists; a node's identity is never replaced") from error
    except OSError as error:
        raise InvalidNodeConfig(f"cannot write the node's identity to {path}: {error}") from error
    with os.fdopen(descriptor, "w") as file:
        file.write(seed.hex() + "\n")
        file.flush()
        os.fsync(file.fileno())
    return SigningKey(seed)


def load_identity(path: Path) -> SigningKey:
    """Read the seed; raises InvalidNodeConfig."""
    try:
        return SigningKey(bytes.fromhex(path.read_text().strip()))
    except (OSError, ValueError, TypeError) as error:
        raise InvalidNodeConfig(f"cannot read the node's identity in {path}: {error}") from error
