"""What a node's folder holds besides its own files: copies, so that the folder can be moved as one."""

import os
import tomllib
from contextlib import suppress
from pathlib import Path
from typing import Final

from sayso.errors import FileUnreadable
from sayso.files import opening
from sayso.networks import DEFAULT_FILE, load_network
from sayso_node.folder.files import read_small
from sayso_protocol.errors import SaysoError, WrongNetwork
from sayso_protocol.network_file import NetworkFile, parse_network_file

NETWORK_FILE: Final = "network.toml"
ANCHOR_FILE: Final = "anchor.key"
_FILE_BYTES: Final = 1_048_576


def read_file(path: Path) -> bytes:
    """Return a small file; raises FileUnreadable."""
    with opening(path) as file:
        data = file.read(_FILE_BYTES + 1)
    if len(data) > _FILE_BYTES:
        raise FileUnreadable(f"{str(path)!r} is longer than {_FILE_BYTES} bytes")
    return data


def keep_file(path: Path, data: bytes) -> None:
    """Write a file that only its owner can read, complete or not at all; raises OSError."""
    partial = path.with_name(path.name + ".part")
    descriptor = os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        file.write(data)
        file.flush()
        os.fsync(file.fileno())
    partial.rename(path)


def is_there(network_path: Path) -> bool:
    """Return whether the network file exists; a named one must. Raises InvalidNetworkFile."""
    if network_path == DEFAULT_FILE:
        return network_path.exists()
    return bool(load_network(network_path))


def adopt(folder: Path, network_path: Path) -> bool:
    """Copy a network file into a node's folder; returns whether it was another than the one there.

    Nothing happens if the default file does not exist, or if node.toml names a file elsewhere. Raises
    InvalidNetworkFile if a named file does not exist, and WrongNetwork if the folder's network file is
    for another network.
    """
    own = folder / NETWORK_FILE
    if not is_there(network_path) or not _is_own(folder) or network_path.resolve() == own.resolve():
        return False
    found = load_network(network_path)
    kept = _kept(own)
    if kept == found:
        return False
    if kept and kept.network != found.network:
        raise WrongNetwork(
            f"{network_path} is for {found.network}, and the node in {folder} for {kept.network}"
        )
    keep_file(own, found.to_toml().encode())
    return True


def _kept(path: Path) -> NetworkFile | None:
    with suppress(OSError, ValueError, SaysoError):
        return parse_network_file(read_small(path).text)
    return None


def _is_own(folder: Path) -> bool:
    with suppress(OSError, ValueError, RecursionError):
        settings = tomllib.loads(read_small(folder / "node.toml").text)
        return settings.get("network") == NETWORK_FILE
    return False
