"""A node's folder: `node.toml`, its identity, its store.

    init_node(folder, settings, os.urandom)
    config = load_config(folder)

Paths in node.toml are relative to the folder. The network file says whom to trust and whom to dial; it
may be completed after the node was made, because other operators need this node's key first.
"""

import tomllib
from dataclasses import asdict, dataclass, fields
from math import inf
from pathlib import Path
from typing import Any

import msgspec
from eth_account import Account
from eth_account.signers.local import LocalAccount
from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.addresses import DIALLING, check_ip, check_where, peer_id_of
from sayso_node.identity import create_identity, load_identity
from sayso_node.interfaces import Randomness
from sayso_protocol.encoding.toml_text import toml_lines
from sayso_protocol.errors import SaysoError
from sayso_protocol.network_file import NetworkFile, Operator, parse_network_file

CONFIG_FILE = "node.toml"
IDENTITY_FILE = "identity.key"
PEER_FILE = "peers.json"
SNAPSHOT_FOLDER = "snapshots"
MOST_DISCOVERED = 64
CHANNELS = ("gossip", "sync", "chain", "receipts", "snapshots")


@dataclass(frozen=True)
class Settings:
    """What node.toml says.

    Attributes:
        name: For people and logs.
        network: Path of the network file.
        http: `host:port` of the HTTP API.
        listen: Multiaddresses for peers.
        announce: Where peers reach them from outside, if that is elsewhere (behind NAT, or by name).
        proxies: IPs of reverse proxies before our /ws addresses; X-Forwarded-For is believed of them.
        rpc: URL of the chain endpoint: http, https, ws or wss.
        more_rpcs: URLs of further endpoints: they are used when the first fails, and watch it.
        peers: Multiaddresses to dial besides the network file's operators.
        discovered_peers: How many peers to find and connect to besides those; 0: none.
        anchor_key: Path of a file with the private key that pays for anchors and relays; empty: neither.
        sync_interval_s: Between rounds of sync, seconds.
        chain_interval_s: Between readings of the chain, seconds.
        anchor_wait_s: How long a license hash waits for company in a batch, seconds.
        snapshot_interval_s: Between snapshots or their deltas, seconds.
        relay_wait_s: How long an acknowledged revocation waits for company in a relay, seconds.
        max_fee_gwei: What one gas may cost at most, gwei; above it, anchors and relays wait.
        budget_eth_per_day: What anchors and relays may cost in a day, ether; above it, they wait.
        low_balance_eth: With less than this, ether, the operator is told that the account runs low.
        disabled: Channels switched off, to see what still holds without them: `gossip`, `sync`,
            `chain`, `receipts`, `snapshots`.
    """

    name: str
    network: str
    http: str
    listen: tuple[str, ...]
    rpc: str
    announce: tuple[str, ...] = ()
    proxies: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    more_rpcs: tuple[str, ...] = ()
    discovered_peers: int = 8
    anchor_key: str = ""
    sync_interval_s: float = 10.0
    chain_interval_s: float = 2.0
    anchor_wait_s: float = 60.0
    snapshot_interval_s: float = 300.0
    relay_wait_s: float = 60.0
    max_fee_gwei: float = 200.0
    budget_eth_per_day: float = 0.5
    low_balance_eth: float = 0.1
    disabled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Refuse what a node could not run with; raises InvalidNodeConfig."""
        host, _, port = self.http.rpartition(":")
        if not host or not port.isdecimal() or int(port) > 65_535:
            raise InvalidNodeConfig(f"http must be HOST:PORT, not {self.http!r}")
        if unknown := set(self.disabled) - set(CHANNELS):
            raise InvalidNodeConfig(f"there is no channel {', '.join(sorted(unknown))}")
        for address in self.announce:
            check_where(address, DIALLING)
        for ip in self.proxies:
            check_ip(ip)
        intervals = (self.sync_interval_s, self.chain_interval_s, self.snapshot_interval_s)
        if not all(0 < one < inf for one in intervals) or not 0 <= self.anchor_wait_s < inf:
            raise InvalidNodeConfig("an interval must be positive, and end")
        if not 0 <= self.discovered_peers <= MOST_DISCOVERED:
            raise InvalidNodeConfig(f"discovered_peers must be 0 to {MOST_DISCOVERED}")
        money = (self.max_fee_gwei, self.budget_eth_per_day, self.low_balance_eth)
        if not all(0 <= one < inf for one in (*money, self.relay_wait_s)):
            raise InvalidNodeConfig("prices, budgets and waits must not be negative, and end")

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of the HTTP API."""
        host, _, port = self.http.rpartition(":")
        return host.strip("[]"), int(port)


@dataclass(frozen=True)
class NodeConfig:
    """Everything a node is started with."""

    folder: Path
    settings: Settings
    identity: SigningKey
    network_file: NetworkFile
    anchor_account: LocalAccount | None

    @property
    def node_key(self) -> bytes:
        """Its public Ed25519 key, 32 bytes."""
        return bytes(self.identity.verify_key)

    @property
    def peers(self) -> tuple[str, ...]:
        """Whom to dial: the network file's operators but ourselves, and our own list."""
        operators = self.network_file.operators
        listed = [one.peer for one in operators if one.peer and one.key != self.node_key]
        return tuple(dict.fromkeys([*listed, *self.settings.peers]))

    def runs(self, channel: str) -> bool:
        """Whether a channel is switched on."""
        return channel not in self.settings.disabled


def init_node(folder: Path, settings: Settings, randomness: Randomness) -> Operator:
    """Make a node's folder; returns its entry for the network file. Raises InvalidNodeConfig."""
    partial = folder / (CONFIG_FILE + ".part")
    try:
        folder.mkdir(parents=True, exist_ok=True)
        if (folder / CONFIG_FILE).exists():
            raise InvalidNodeConfig(f"{folder / CONFIG_FILE} exists already")
        text = toml_lines(asdict(settings)).encode()
        identity = create_identity(folder / IDENTITY_FILE, randomness)
        partial.write_bytes(text)
        partial.rename(folder / CONFIG_FILE)
    except (OSError, UnicodeEncodeError) as error:
        raise InvalidNodeConfig(f"cannot make a node in {folder}: {error}") from error
    return operator_of(settings, bytes(identity.verify_key))


def operator_of(settings: Settings, node_key: bytes) -> Operator:
    """The node's entry for a network file."""
    reached = (*settings.announce, *settings.listen)
    peer = f"{reached[0]}/p2p/{peer_id_of(node_key)}" if reached else ""
    return Operator(settings.name, node_key, peer, f"http://{settings.http}")


def load_settings(folder: Path) -> Settings:
    """Read node.toml; raises InvalidNodeConfig."""
    path = folder / CONFIG_FILE
    try:
        return _settings(tomllib.loads(path.read_text(encoding="utf-8")))
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidNodeConfig(f"cannot read {path}: {error}") from error


def load_config(folder: Path) -> NodeConfig:
    """Read all that a node is started with; raises InvalidNodeConfig or InvalidNetworkFile."""
    settings = load_settings(folder)
    path = folder / settings.network
    try:
        network_file = parse_network_file(path.read_text(encoding="utf-8"))
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidNodeConfig(f"cannot read the network file {path}: {error}") from error
    account = _load_account(folder / settings.anchor_key) if settings.anchor_key else None
    identity = load_identity(folder / IDENTITY_FILE)
    return NodeConfig(folder, settings, identity, network_file, account)


def load_operator(folder: Path) -> Operator:
    """A node's entry for a network file, from its folder; raises InvalidNodeConfig."""
    identity = load_identity(folder / IDENTITY_FILE)
    return operator_of(load_settings(folder), bytes(identity.verify_key))


def _load_account(path: Path) -> LocalAccount:
    try:
        account: LocalAccount = Account.from_key(path.read_text().strip())
    except (OSError, ValueError, SaysoError) as error:
        raise InvalidNodeConfig(f"cannot read the anchor key in {path}") from error
    return account


def _settings(table: dict[str, Any]) -> Settings:
    """Settings from a TOML table; a misspelt name is an error, not a default."""
    if unknown := table.keys() - {field.name for field in fields(Settings)}:
        raise InvalidNodeConfig(f"node.toml has unknown settings: {', '.join(sorted(unknown))}")
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise InvalidNodeConfig(f"node.toml: {error}") from error
