"""A node's folder as a whole: the network file, the anchor key, whom to dial."""

from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

from node.config.harness import ORDINARY, randomness
from sayso_node.config import IDENTITY_FILE, init_node, load_config
from sayso_node.errors import InvalidNodeConfig
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_node.node import Node
from sayso_protocol.errors import InvalidNetworkFile
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from support.node_rig import ManualClock
from support.protocol_strategies import NETWORK

OTHER = sha256(b"another operator")
OTHER_PEER = f"/ip4/127.0.0.1/tcp/4700/p2p/{peer_id_of(OTHER)}"
KEY = "0x" + "11" * 32


def make(folder: Path, **changes: object) -> Operator:
    """A node's folder with a network file that lists it and another."""
    chosen = replace(ORDINARY, network="network.toml", **changes)  # type: ignore[arg-type]
    me = init_node(folder, chosen, randomness)
    network = NetworkFile(NETWORK, 4, 2, (me, Operator("Other", OTHER, OTHER_PEER)))
    (folder / "network.toml").write_text(network.to_toml())
    return me


def test_everything_a_node_is_started_with(tmp_path: Path) -> None:
    extra = "/dns/node.example/tcp/4600/p2p/" + peer_id_of(sha256(b"a friend"))
    me = make(tmp_path, peers=(OTHER_PEER, extra), anchor_key="anchor.key", disabled=("gossip",))
    (tmp_path / "anchor.key").write_text(KEY + "\n")
    config = load_config(tmp_path)
    assert config.node_key == me.key
    assert config.network_file.network == NETWORK
    assert config.peers == (OTHER_PEER, extra)  # not itself, and nobody twice
    assert config.anchor_account == Account.from_key(KEY)
    assert (config.runs("gossip"), config.runs("sync")) == (False, True)
    assert Node(config, ManualClock())


def test_a_node_without_anchor_key_does_not_anchor(tmp_path: Path) -> None:
    make(tmp_path)
    assert load_config(tmp_path).anchor_account is None


NO_KEYS = (b"", b"words", b"0x", KEY[:-2].encode(), KEY.encode() + b"00", b"\xff\xfe")
OUT_OF_RANGE = (b"0x" + b"00" * 32, b"0x" + b"ff" * 32)


@pytest.mark.parametrize("content", NO_KEYS + OUT_OF_RANGE)
def test_a_broken_anchor_key_is_refused_and_not_shown(tmp_path: Path, content: bytes) -> None:
    make(tmp_path, anchor_key="anchor.key")
    (tmp_path / "anchor.key").write_bytes(content)
    with pytest.raises(InvalidNodeConfig) as caught:
        load_config(tmp_path)
    secret = content.decode(errors="replace").removeprefix("0x")
    assert len(secret) < 40 or secret[:40] not in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    make(tmp_path, anchor_key="anchor.key")
    with pytest.raises(InvalidNodeConfig, match="anchor"):
        load_config(tmp_path)
    (tmp_path / "anchor.key").write_text(KEY)
    (tmp_path / "network.toml").rename(tmp_path / "elsewhere.toml")
    with pytest.raises(InvalidNodeConfig, match=r"network\.toml"):
        load_config(tmp_path)
    (tmp_path / "elsewhere.toml").rename(tmp_path / "network.toml")
    (tmp_path / IDENTITY_FILE).unlink()
    with pytest.raises(InvalidNodeConfig, match="identity"):
        load_config(tmp_path)
    assert not (tmp_path / IDENTITY_FILE).exists()  # none is made in passing


@pytest.mark.parametrize(
    "content", [b"", b"no TOML", b"chain_id = -1", b'registry = "\xff"', b"[" * 9_999]
)
def test_a_broken_network_file(tmp_path: Path, content: bytes) -> None:
    make(tmp_path)
    (tmp_path / "network.toml").write_bytes(content)
    with pytest.raises((InvalidNodeConfig, InvalidNetworkFile)):
        load_config(tmp_path)


@pytest.mark.parametrize("peer", ["", "127.0.0.1:4600", "/ip4/127.0.0.1/tcp/4600", "/p2p/QmYwAPJzv5"])
def test_a_peer_nobody_could_dial_is_refused_at_the_start(tmp_path: Path, peer: str) -> None:
    make(tmp_path, peers=(peer,))
    with pytest.raises(InvalidNodeConfig):
        Node(load_config(tmp_path), ManualClock())
