"""The network file on disk: `--network`, else SAYSO_NETWORK, else ./network.toml.

The network file is the root of trust; sayso_protocol.network_file defines its contents.
"""

from dataclasses import replace
from pathlib import Path

from sayso.files import opening
from sayso.outputs import write_file
from sayso_protocol.errors import InvalidNetworkFile
from sayso_protocol.network_file import FILE_CHARS, Named, NetworkFile, Operator, parse_network_file

DEFAULT_FILE = Path("network.toml")
NETWORK_VARIABLE = "SAYSO_NETWORK"


def load_network(path: Path = DEFAULT_FILE) -> NetworkFile:
    """Read a network file; raises InvalidNetworkFile."""
    with opening(path, InvalidNetworkFile, forward=True) as file:
        text = file.read(4 * FILE_CHARS + 4).decode("utf-8-sig")
    try:
        return parse_network_file(text)
    except InvalidNetworkFile as error:
        raise InvalidNetworkFile(f"{str(path)!r}: {error}") from error


def save_network(path: Path, network_file: NetworkFile) -> None:
    """Write or atomically replace a network file; raises OutputFailed."""
    write_file(path, network_file.to_toml().encode())


def with_operator(network_file: NetworkFile, operator: Operator) -> NetworkFile:
    """Add an operator, which replaces an operator with the same key."""
    others = [one for one in network_file.operators if one.key != operator.key]
    return replace(network_file, operators=(*others, operator))


def with_name(network_file: NetworkFile, named: Named) -> NetworkFile:
    """Add a name, which replaces the name of the same address."""
    others = [one for one in network_file.names if one.address != named.address]
    return replace(network_file, names=(*others, named))


def first_url(network_file: NetworkFile) -> str | None:
    """Return the HTTP API of the first operator that has one, or None."""
    return next((one.url for one in network_file.operators if one.url), None)
