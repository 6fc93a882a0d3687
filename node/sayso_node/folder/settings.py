"""The settings of a node in `node.toml`: what each means, and their checks.

`addresses.py` checks whether the addresses in them can be used.
"""

import ipaddress
import os
import tomllib
from collections.abc import Sequence
from dataclasses import dataclass, field, fields, replace
from math import inf
from pathlib import Path
from typing import Any

import msgspec

from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.files import read_small
from sayso_node.sources import Proxies
from sayso_node.store.opening import is_postgres
from sayso_protocol.encoding.toml_text import toml_lines
from sayso_protocol.errors import SaysoError
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import NOBODY, address_from_text
from sayso_protocol.redaction import reason_of

CONFIG_FILE = "node.toml"
MOST_DISCOVERED = 64
_INTERVALS = ("sync_interval_s", "chain_interval_s", "snapshot_interval_s")
RELOADED = ("max_fee_gwei", "budget_eth_per_day", "low_balance_eth")  # that a running node reads again
_AMOUNTS = (*RELOADED, "anchor_wait_s", "relay_wait_s")
CHANNELS = ("gossip", "sync", "chain", "receipts", "snapshots")


@dataclass(frozen=True)
class Settings:
    """The settings in node.toml.

    Attributes:
        name: Name of the node, shown to people and in logs.
        network: Path of the network file.
        http: `host:port` of the HTTP API.
        public_url: URL at which users reach the HTTP API, if it is not `http`: behind a proxy, by name.
        listen: Multiaddresses on which the node listens for peers.
        announce: Multiaddresses under which peers reach the node, if they differ (NAT, DNS name).
        trusted_proxies: IPs or networks of reverse proxies before the node. They say for whom they ask.
        rpc: URL of the chain endpoint: http, https, ws or wss.
        more_rpcs: URLs of further chain endpoints: backups for the first, and a check on its answers.
        peers: Multiaddresses to dial besides the network file's operators.
        discovered_peers: How many further peers to find and connect to; 0 turns discovery off.
        anchor_key: Path of the private key that pays for anchors and relays, in hexadecimal or as an
            encrypted keystore; empty for neither.
        anchor_password: Path of the password of an encrypted keystore.
        sync_interval_s: Seconds between two sync rounds.
        chain_interval_s: Seconds between two readings of the chain.
        anchor_wait_s: Longest time in seconds that a license hash waits for its batch to fill.
        snapshot_interval_s: Seconds between two snapshots or deltas.
        relay_wait_s: Longest time in seconds that an acknowledged revocation waits for a full relay.
        max_fee_gwei: Highest price of one gas in gwei; above it, anchors and relays wait.
        budget_eth_per_day: Most that anchors and relays may cost in a day, in ether; then they wait.
        low_balance_eth: Balance in ether below which the alarm `account-low` is raised.
        heed: Addresses whose disputes count at this node, at most 16 (rule 7.18); without the setting,
            those of the network file.
        store: Location of the store if it is a PostgreSQL database, `postgresql://...`; without it, the
            store is a file in the folder.
        disabled: Channels that are switched off, for tests of the others: `gossip`, `sync`, `chain`,
            `receipts`, `snapshots`.
    """

    name: str
    network: str
    http: str
    listen: tuple[str, ...]
    rpc: str = field(repr=False)  # may hold a key
    public_url: str = ""
    announce: tuple[str, ...] = ()
    trusted_proxies: tuple[str, ...] = ()
    peers: tuple[str, ...] = ()
    more_rpcs: tuple[str, ...] = field(default=(), repr=False)
    discovered_peers: int = 8
    anchor_key: str = ""
    anchor_password: str = ""
    sync_interval_s: float = 10.0
    chain_interval_s: float = 2.0
    anchor_wait_s: float = 60.0
    snapshot_interval_s: float = 300.0
    relay_wait_s: float = 60.0
    max_fee_gwei: float = 200.0
    budget_eth_per_day: float = 0.5
    low_balance_eth: float = 0.1
    heed: tuple[str, ...] | None = None
    store: str = field(default="", repr=False)  # may hold a password
    disabled: tuple[str, ...] = ()

    def __post_init__(self) -> None:
        """Check the settings; raises InvalidNodeConfig."""
        host, _, port = self.http.rpartition(":")
        if not _is_host(host) or not port.isdecimal() or int(port) > 65_535:
            raise InvalidNodeConfig(f"http must be HOST:PORT or [IPv6]:PORT, not {self.http!r}")
        if unknown := set(self.disabled) - set(CHANNELS):
            raise InvalidNodeConfig(f"disabled: there is no channel {', '.join(sorted(unknown))}")
        if self.store and not is_postgres(self.store):
            raise InvalidNodeConfig("store must be postgresql://...; without it, a file is used")
        Proxies(self.trusted_proxies)
        read_heeded(self.heed or ())
        self._check_numbers()

    def _check_numbers(self) -> None:
        for name in _INTERVALS:
            if not 0 < getattr(self, name) < inf:
                raise InvalidNodeConfig(f"{name} must be positive and finite, not {getattr(self, name)}")
        for name in _AMOUNTS:
            if not 0 <= getattr(self, name) < inf:
                text = f"{name} must be finite and not negative, not {getattr(self, name)}"
                raise InvalidNodeConfig(text)
        if not 0 <= self.discovered_peers <= MOST_DISCOVERED:
            raise InvalidNodeConfig(
                f"discovered_peers must be 0 to {MOST_DISCOVERED}, not {self.discovered_peers}"
            )

    @property
    def http_address(self) -> tuple[str, int]:
        """Host and port of the HTTP API."""
        host, _, port = self.http.rpartition(":")
        return host.strip("[]"), int(port)


def _is_host(host: str) -> bool:
    """Return whether a host can stand in a URL: an address of IPv6 in brackets, or a text without."""
    if not set("[]:") & set(host):
        return bool(host)
    try:
        ipaddress.IPv6Address(host[1:-1])
    except ValueError:
        return False
    return host[0] + host[-1] == "[]"


def read_heeded(texts: Sequence[str]) -> frozenset[bytes]:
    """Read the setting `heed`; raises InvalidNodeConfig."""
    try:
        found = frozenset(address_from_text(one) for one in texts)
    except SaysoError as error:
        raise InvalidNodeConfig(f"heed: {error}") from error
    if len(found) < len(texts) or len(found) > LIMITS.heeded or NOBODY in found:
        raise InvalidNodeConfig(f"heed is at most {LIMITS.heeded} addresses, each once and not zero")
    return found


def load_settings(folder: Path) -> Settings:
    """Read node.toml; raises InvalidNodeConfig."""
    path = folder / CONFIG_FILE
    try:
        return _settings(tomllib.loads(read_small(path).text))
    except (OSError, ValueError, OverflowError, RecursionError) as error:
        raise InvalidNodeConfig(f"cannot read {path}: {reason_of(error)}") from error


def put_store(folder: Path, location: str) -> None:
    """Change the setting `store` in node.toml; all else stays.

    Raises InvalidNodeConfig, and then nothing is changed.
    """
    path, before = folder / CONFIG_FILE, load_settings(folder)
    part = folder / (CONFIG_FILE + ".part")
    try:
        lines = read_small(path).text.splitlines(keepends=True)
        new = toml_lines({"store": location})
        kept = [new if line.partition("=")[0].strip() == "store" else line for line in lines]
        text = "".join(kept if new in kept else [new, *kept])
        if _settings(tomllib.loads(text)) != replace(before, store=location):
            raise InvalidNodeConfig(f"cannot change `store` in {path}: write it in one line")
        part.unlink(missing_ok=True)
        owner = path.stat()
        descriptor = os.open(part, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)  # it may hold a password
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            if not os.geteuid():
                os.fchown(descriptor, owner.st_uid, owner.st_gid)
            file.write(text)
            file.flush()
            os.fsync(descriptor)
        part.replace(path)
    except (OSError, ValueError) as error:
        raise InvalidNodeConfig(f"cannot change {path}: {reason_of(error)}") from error


def _settings(table: dict[str, Any]) -> Settings:
    """Read settings from a TOML table; an unknown name is an error."""
    if unknown := table.keys() - {one.name for one in fields(Settings)}:
        raise InvalidNodeConfig(f"node.toml has unknown settings: {', '.join(sorted(unknown))}")
    try:
        return msgspec.convert(table, Settings)
    except msgspec.ValidationError as error:
        raise InvalidNodeConfig(f"node.toml: {error}") from error
