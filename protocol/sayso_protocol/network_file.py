"""The network file: what a user trusts, in one readable TOML text.

Chain id, registry, its deploy block, the finality that anchors need, and the operators with their
receipt keys. Whoever can change this file decides whom you believe: keep it like a password file.

    network = parse_network_file(text)
    network.operator_of(receipt.node_key).name
"""

import re
import tomllib
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sayso_protocol.encoding.toml_text import toml_lines
from sayso_protocol.errors import InvalidNetworkFile, SaysoError, UnknownSigner
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text

_KEY = re.compile(r"[0-9a-f]{64}")  # bytes.fromhex alone would skip white space


@dataclass(frozen=True)
class Operator:
    """Somebody who runs a node.

    Attributes:
        name: For people.
        key: The node's Ed25519 key, 32 bytes: it signs receipts and is the libp2p identity.
        peer: Its multiaddress with /p2p/, or empty.
        url: Base URL of its HTTP API, or empty.
    """

    name: str
    key: bytes
    peer: str = ""
    url: str = ""


@dataclass(frozen=True)
class NetworkFile:
    """The root of trust.

    Attributes:
        network: Chain id and registry address.
        deploy_block: The block that holds the registry's creation.
        finality: How many blocks must follow a block before its anchors count.
        operators: Known nodes.
    """

    network: Network
    deploy_block: int
    finality: int = 0
    operators: tuple[Operator, ...] = ()

    def operator_of(self, key: bytes) -> Operator:
        """The operator with this key; raises UnknownSigner."""
        for operator in self.operators:
            if operator.key == key:
                return operator
        raise UnknownSigner(f"no operator in the network file has the key {key.hex()}")

    def to_toml(self) -> str:
        """The file's text."""
        place = {
            "chain_id": self.network.chain_id,
            "registry": address_text(self.network.registry),
            "deploy_block": self.deploy_block,
            "finality": self.finality,
        }
        text = "# A Sayso network: the root of trust of whoever uses this file.\n" + toml_lines(place)
        for one in self.operators:
            values = {"name": one.name, "key": one.key.hex(), "peer": one.peer, "url": one.url}
            text += "\n[[operators]]\n" + toml_lines({k: value for k, value in values.items() if value})
        return text


def parse_network_file(text: str) -> NetworkFile:
    """Read the file's text; raises InvalidNetworkFile."""
    try:
        table = tomllib.loads(text)
        network = Network(_number(table, "chain_id"), address_from_text(_text(table, "registry")))
        return NetworkFile(
            network,
            _number(table, "deploy_block"),
            _number(table, "finality"),
            _operators(table.get("operators", ())),
        )
    except InvalidNetworkFile:
        raise
    except (ValueError, SaysoError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidNetworkFile(f"cannot read the network file: {error}") from error


def _operators(entries: Iterable[Mapping[str, Any]]) -> tuple[Operator, ...]:
    """Who asks for the word of two operators must not get that of one twice."""
    operators = tuple(_operator(entry) for entry in entries)
    if len({operator.key for operator in operators}) < len(operators):
        raise InvalidNetworkFile("two operators have the same key")
    return operators


def _operator(entry: Mapping[str, Any]) -> Operator:
    key = _text(entry, "key")
    if not _KEY.fullmatch(key):
        raise InvalidNetworkFile("an operator's key is 64 lower-case hexadecimal digits")
    peer, url = (_text(entry, name) if name in entry else "" for name in ("peer", "url"))
    return Operator(_text(entry, "name"), bytes.fromhex(key), peer, url)


def _number(table: Mapping[str, Any], name: str) -> int:
    value = table.get(name)
    if type(value) is not int or value < 0:
        raise InvalidNetworkFile(f"{name} must be a whole number")
    return value


def _text(table: Mapping[str, Any], name: str) -> str:
    value = table.get(name)
    if not isinstance(value, str) or not value:
        raise InvalidNetworkFile(f"{name} must be a text")
    return value
