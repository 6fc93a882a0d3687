"""Creates and reads a node's folder: `node.toml`, its key and its store.

    init_node(folder, settings, os.urandom)
    config = load_config(folder)

Paths in node.toml are relative to the folder. The network file lists the operators to trust and to dial.
It may be completed after the node was created, because other operators need this node's key first.
"""

import os
from dataclasses import asdict, dataclass
from pathlib import Path

from eth_account.signers.local import LocalAccount
from nacl.signing import SigningKey

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.addresses import check_addresses
from sayso_node.folder.files import read_small
from sayso_node.folder.identity import create_identity, load_identity
from sayso_node.folder.keys import load_account
from sayso_node.folder.settings import CONFIG_FILE, Settings, load_settings, read_heeded
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.interfaces import Randomness
from sayso_node.store.opening import location_in
from sayso_protocol.encoding.toml_text import toml_lines
from sayso_protocol.network_file import NetworkFile, Operator, parse_network_file
from sayso_protocol.redaction import reason_of

IDENTITY_FILE = "identity.key"
PEER_FILE = "peers.json"
SNAPSHOT_FOLDER = "snapshots"


@dataclass(frozen=True)
class NodeConfig:
    """Everything that a node needs to start."""

    folder: Path
    settings: Settings
    identity: SigningKey
    network_file: NetworkFile
    anchor_account: LocalAccount | None

    @property
    def node_key(self) -> bytes:
        """The node key: its Ed25519 public key, 32 bytes."""
        return bytes(self.identity.verify_key)

    @property
    def peers(self) -> tuple[str, ...]:
        """Multiaddresses to dial: the network file's other operators, and the `peers` in node.toml."""
        operators = self.network_file.operators
        listed = [one.peer for one in operators if one.peer and one.key != self.node_key]
        return tuple(dict.fromkeys([*listed, *self.settings.peers]))

    @property
    def other_urls(self) -> tuple[str, ...]:
        """HTTP addresses of the network file's other operators; batches are fetched from them."""
        operators = self.network_file.operators
        return tuple(one.url for one in operators if one.url and one.key != self.node_key)

    @property
    def store_location(self) -> str:
        """Location of the store."""
        return location_in(self.folder, self.settings.store)

    @property
    def heeded(self) -> frozenset[bytes]:
        """The addresses whose disputes count at this node (rule 7.18)."""
        if self.settings.heed is None:
            return frozenset(one.address for one in self.network_file.heed)
        return read_heeded(self.settings.heed)

    @property
    def pays(self) -> bool:
        """Return whether the node has an account that pays for transactions."""
        return self.anchor_account is not None

    def runs(self, channel: str) -> bool:
        """Return whether a channel is switched on."""
        return channel not in self.settings.disabled


def init_node(folder: Path, settings: Settings, randomness: Randomness) -> Operator:
    """Create a node's folder, for its owner, and return its network entry; raises InvalidNodeConfig."""
    partial = folder / (CONFIG_FILE + ".part")
    try:
        folder.mkdir(0o700, parents=True, exist_ok=True)
        if (folder / CONFIG_FILE).exists():
            raise InvalidNodeConfig(f"{folder / CONFIG_FILE} exists already")
        values = {name: value for name, value in asdict(settings).items() if value is not None}
        text = toml_lines(values).encode()
        identity = create_identity(folder / IDENTITY_FILE, randomness)
        partial.unlink(missing_ok=True)
        with os.fdopen(os.open(partial, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "wb") as file:
            file.write(text)
        partial.rename(folder / CONFIG_FILE)
    except (OSError, UnicodeEncodeError) as error:
        raise InvalidNodeConfig(f"cannot create a node in {folder}: {reason_of(error)}") from error
    return operator_of(settings, bytes(identity.verify_key))


def operator_of(settings: Settings, node_key: bytes) -> Operator:
    """Return the node's entry for a network file."""
    reached = (*settings.announce, *settings.listen)
    peer = f"{reached[0]}/p2p/{peer_id_of(node_key)}" if reached else ""
    return Operator(settings.name, node_key, peer, settings.public_url or f"http://{settings.http}")


def load_config(folder: Path) -> NodeConfig:
    """Read everything that a node needs to start; raises InvalidNodeConfig or InvalidNetworkFile."""
    settings = load_settings(folder)
    check_addresses(settings)
    path = folder / settings.network
    try:
        network_file = parse_network_file(read_small(path).text)
    except (OSError, UnicodeDecodeError) as error:
        raise InvalidNodeConfig(
            f"network: cannot read the network file {path}: {reason_of(error)}"
        ) from error
    account = None
    if settings.anchor_key:
        password = folder / settings.anchor_password if settings.anchor_password else None
        account = load_account(folder / settings.anchor_key, password)
    identity = load_identity(folder / IDENTITY_FILE)
    return NodeConfig(folder, settings, identity, network_file, account)


def load_operator(folder: Path) -> Operator:
    """Read a node's entry for the network file from its folder; raises InvalidNodeConfig."""
    identity = load_identity(folder / IDENTITY_FILE)
    return operator_of(load_settings(folder), bytes(identity.verify_key))
