"""The network file: a TOML text that states what its user trusts (rule 1.4).

It names the chain id, the registry, its deploy block, the finality of anchors, the operators with their
node keys, and the addresses whose disputes count (rule 7.18). A person who can change the file can
change whom its user trusts, so it needs the protection of a password file.

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
from sayso_protocol.limits import LIMITS
from sayso_protocol.network import Network
from sayso_protocol.permissions.scopes import check_domain
from sayso_protocol.primitives import NOBODY, address_from_text, address_text

FILE_CHARS = 65_536  # some hundred operators

_KEY = re.compile(r"[0-9a-f]{64}")  # bytes.fromhex alone would skip white space


@dataclass(frozen=True)
class Operator:
    """Operator is an entry of the network file: a person or company that runs a node.

    Attributes:
        name: The operator's name.
        key: The node key, Ed25519, 32 bytes; it verifies receipts and is the libp2p identity.
        peer: The multiaddress with /p2p/, or empty.
        url: The base URL of the HTTP API, or empty.
    """

    name: str
    key: bytes
    peer: str = ""
    url: str = ""


@dataclass(frozen=True)
class Named:
    """Named is an address with a name that people read.

    Attributes:
        address: The address, 20 bytes, not zero.
        name: The name of the organisation.
        domain: Its lower-case domain, or empty.
        role: What it is, such as `union`, or empty.
    """

    address: bytes
    name: str
    domain: str = ""
    role: str = ""


@dataclass(frozen=True)
class NetworkFile:
    """NetworkFile holds the values of a network file (rule 1.4).

    Attributes:
        network: Chain id and registry address.
        deploy_block: The block that holds the registry's creation.
        finality: The number of blocks that must follow a block before its anchors count.
        operators: The operators that the user trusts.
        heed: The addresses whose disputes count by default, at most 16 (rule 7.18).
        names: Names of other addresses.
    """

    network: Network
    deploy_block: int
    finality: int = 0
    operators: tuple[Operator, ...] = ()
    heed: tuple[Named, ...] = ()
    names: tuple[Named, ...] = ()

    def operator_of(self, key: bytes) -> Operator:
        """Return the operator with this node key, 32 bytes; raises UnknownSigner."""
        for operator in self.operators:
            if operator.key == key:
                return operator
        raise UnknownSigner(f"no operator in the network file has the key {key.hex()}")

    def to_toml(self) -> str:
        """Return the text of the file."""
        values = {
            "chain_id": self.network.chain_id,
            "registry": address_text(self.network.registry),
            "deploy_block": self.deploy_block,
            "finality": self.finality,
        }
        text = "# A Sayso network: the operators in this file are trusted.\n" + toml_lines(values)
        for one in self.operators:
            entry = {"name": one.name, "key": one.key.hex(), "peer": one.peer, "url": one.url}
            text += _entry("operators", entry)
        for part, named in (("heed", self.heed), ("names", self.names)):
            for who in named:
                entry = {"address": address_text(who.address), "name": who.name}
                text += _entry(part, entry | {"domain": who.domain, "role": who.role})
        return text


def _entry(part: str, values: Mapping[str, str]) -> str:
    return f"\n[[{part}]]\n" + toml_lines({name: value for name, value in values.items() if value})


def parse_network_file(text: str) -> NetworkFile:
    """Read the text of a network file (rule 1.4); raises InvalidNetworkFile."""
    if len(text) > FILE_CHARS:
        raise InvalidNetworkFile(f"a network file has at most {FILE_CHARS:,} characters")
    try:
        table = tomllib.loads(text)
        network = Network(_number(table, "chain_id"), address_from_text(_text(table, "registry")))
        return NetworkFile(
            network,
            _number(table, "deploy_block"),
            _number(table, "finality"),
            _operators(table.get("operators", ())),
            _named(table, "heed", LIMITS.heeded),
            _named(table, "names"),
        )
    except InvalidNetworkFile:
        raise
    except (ValueError, SaysoError, TypeError, AttributeError, RecursionError) as error:
        raise InvalidNetworkFile(f"this is not a network file: {error}") from error


def _operators(entries: Iterable[Mapping[str, Any]]) -> tuple[Operator, ...]:
    """Rule 1.4.4: a question to two operators must not reach one operator twice."""
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


def _named(table: Mapping[str, Any], part: str, most: int | None = None) -> tuple[Named, ...]:
    """Rules 1.4.6 to 1.4.8."""
    named = tuple(_named_one(entry) for entry in table.get(part, ()))
    if most is not None and len(named) > most:
        raise InvalidNetworkFile(f"`{part}` has at most {most} entries")
    if len({one.address for one in named}) < len(named):
        raise InvalidNetworkFile(f"`{part}` has the same address twice")
    return named


def _named_one(entry: Mapping[str, Any]) -> Named:
    address = address_from_text(_text(entry, "address"))
    if address == NOBODY:
        raise InvalidNetworkFile("an address with a name is not zero")
    domain, role = (_text(entry, name) if name in entry else "" for name in ("domain", "role"))
    if domain:
        check_domain(domain)
    return Named(address, _text(entry, "name"), domain, role)


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
