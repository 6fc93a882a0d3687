"""A node's folder as a whole: the network file, the anchor key, whom to dial."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest
from eth_account import Account

from node.config.harness import ORDINARY, randomness
from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.addresses import announced, check_addresses, unreached
from sayso_node.folder.config import IDENTITY_FILE, init_node, load_config
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


def private(path: Path, content: bytes, mode: int = 0o600) -> None:
    path.write_bytes(content)
    path.chmod(mode)


def test_everything_a_node_is_started_with(tmp_path: Path) -> None:
    extra = "/dns/node.example/tcp/4600/p2p/" + peer_id_of(sha256(b"a friend"))
    me = make(tmp_path, peers=(OTHER_PEER, extra), anchor_key="anchor.key", disabled=("gossip",))
    private(tmp_path / "anchor.key", KEY.encode() + b"\n")
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
    private(tmp_path / "anchor.key", content)
    with pytest.raises(InvalidNodeConfig) as caught:
        load_config(tmp_path)
    secret = content.decode(errors="replace").removeprefix("0x")
    assert len(secret) < 40 or secret[:40] not in str(caught.value)


def test_missing_files_are_named(tmp_path: Path) -> None:
    make(tmp_path, anchor_key="anchor.key")
    with pytest.raises(InvalidNodeConfig, match="anchor"):
        load_config(tmp_path)
    private(tmp_path / "anchor.key", KEY.encode())
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
    with pytest.raises(InvalidNodeConfig, match=r"^peers: "):
        Node(load_config(tmp_path), ManualClock())


WRONG = [
    ({"rpc": "rpc.example:8545"}, "rpc: .*is not the URL"),
    ({"rpc": "ftp://rpc.example"}, "rpc: 'ftp://rpc.example'"),
    ({"rpc": ""}, "rpc: "),
    ({"rpc": "http://"}, "rpc: "),
    ({"rpc": "http://rpc.example:99999"}, "rpc: "),
    ({"more_rpcs": ("https://one.example", "two.example")}, "more_rpcs: "),
    ({"http": "127.0.0.1:0"}, "http: '127.0.0.1:0'"),
    ({"public_url": "node.example"}, "public_url: "),
    ({"public_url": "wss://node.example"}, "public_url: 'wss://node.example'"),
    ({"listen": ("/dns/node.example/tcp/4600",)}, "listen: '/dns/node.example/tcp/4600'"),
    ({"listen": ("0.0.0.0:4600",)}, "listen: '0.0.0.0:4600'"),
    ({"peers": ("/ip4/10.0.0.1/tcp/4600/p2p/nobody",)}, "peers: 'nobody'"),
]


@pytest.mark.parametrize(("changes", "text"), WRONG)
def test_an_error_names_setting_and_value(tmp_path: Path, changes: dict[str, object], text: str) -> None:
    make(tmp_path, **changes)
    with pytest.raises(InvalidNodeConfig, match=text):
        load_config(tmp_path)


@pytest.mark.parametrize("host", ["ip4/0.0.0.0", "ip6/::", "dns/node.example"])
def test_what_nobody_can_dial_is_not_announced(host: str) -> None:
    port = 0 if host.startswith("dns") else 4600
    with pytest.raises(InvalidNodeConfig, match=r"^announce: "):
        check_addresses(replace(ORDINARY, announce=(f"/{host}/tcp/{port}",)))


def test_a_key_in_an_error_is_not_shown(tmp_path: Path) -> None:
    make(tmp_path, rpc="ftp://rpc.example/v3/0123456789abcdef")
    with pytest.raises(InvalidNodeConfig) as caught:
        load_config(tmp_path)
    assert "0123456789abcdef" not in str(caught.value)


@pytest.mark.parametrize("mode", [0o644, 0o640, 0o604, 0o660, 0o601])
@pytest.mark.parametrize("name", ["anchor.key", IDENTITY_FILE, "password"])
def test_a_key_that_others_can_read_is_refused(tmp_path: Path, name: str, mode: int) -> None:
    make(tmp_path, anchor_key="anchor.key", anchor_password="password")
    private(tmp_path / "anchor.key", keystore("secret"))
    private(tmp_path / "password", b"secret\n")
    assert load_config(tmp_path).anchor_account
    (tmp_path / name).chmod(mode)
    with pytest.raises(InvalidNodeConfig, match=f"mode {mode:04o}.*chmod 600"):
        load_config(tmp_path)


def keystore(password: str) -> bytes:
    return json.dumps(
        Account.encrypt(bytes.fromhex(KEY[2:]), password, kdf="scrypt", iterations=2)
    ).encode()


def test_an_encrypted_keystore_pays(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    make(tmp_path, anchor_key="anchor.key")
    private(tmp_path / "anchor.key", keystore("secret"))
    with pytest.raises(InvalidNodeConfig, match="anchor_password"):
        load_config(tmp_path)
    monkeypatch.setenv("SAYSO_ANCHOR_PASSWORD", "wrong")
    with pytest.raises(InvalidNodeConfig, match="does not open"):
        load_config(tmp_path)
    monkeypatch.setenv("SAYSO_ANCHOR_PASSWORD", "secret")
    assert load_config(tmp_path).anchor_account == Account.from_key(KEY)


@pytest.mark.parametrize("content", [b"{", b'{"version": 3}', b'{"a": ' * 200, b"{" + b" " * 70_000])
def test_a_broken_keystore_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, content: bytes
) -> None:
    make(tmp_path, anchor_key="anchor.key")
    private(tmp_path / "anchor.key", content)
    monkeypatch.setenv("SAYSO_ANCHOR_PASSWORD", "secret")
    with pytest.raises(InvalidNodeConfig, match="anchor"):
        load_config(tmp_path)


def test_what_others_can_dial_is_found_or_warned_of() -> None:
    assert announced(["/ip4/0.0.0.0/tcp/4600"], lambda _: "203.0.113.7") == ["/ip4/203.0.113.7/tcp/4600"]
    assert announced(["/ip6/::/tcp/1/ws"], lambda is_ip6: "2001:db8::7" if is_ip6 else None) == [
        "/ip6/2001:db8::7/tcp/1/ws"
    ]
    assert announced(["/ip4/0.0.0.0/tcp/4600"], lambda _: None) == []
    assert announced(["/ip4/127.0.0.1/tcp/4600"], lambda _: "203.0.113.7") == []
    assert [one.setting for one in unreached(ORDINARY)] == ["announce", "public_url"]
    outside = {"announce": ("/dns/node.example/tcp/4600",), "public_url": "https://node.example"}
    assert [*unreached(replace(ORDINARY, **outside))] == []  # type: ignore[arg-type]


@pytest.mark.parametrize("what", ["pipe", "device", "huge", "folder"])
@pytest.mark.parametrize("name", ["node.toml", "network.toml", IDENTITY_FILE, "anchor.key"])
def test_what_is_no_small_file_is_refused_and_not_waited_for(
    tmp_path: Path, name: str, what: str
) -> None:
    """A running node reads its settings again: it would stand still, or take all memory."""
    make(tmp_path, anchor_key="anchor.key")
    private(tmp_path / "anchor.key", KEY.encode())
    path = tmp_path / name
    path.unlink()
    match what:
        case "pipe":
            os.mkfifo(path, 0o600)
        case "device":
            path.symlink_to("/dev/zero")
        case "folder":
            path.mkdir(0o700)
        case "huge":
            path.touch(0o600)
            os.truncate(path, 1 << 40)  # it takes no room on the disk
    with pytest.raises(InvalidNodeConfig, match=name):
        load_config(tmp_path)


def test_a_mark_of_bytes_order_and_other_ends_of_lines_change_nothing(tmp_path: Path) -> None:
    make(tmp_path)
    before = load_config(tmp_path)
    for name in ("node.toml", "network.toml", IDENTITY_FILE):
        text = (tmp_path / name).read_bytes()
        (tmp_path / name).write_bytes(b"\xef\xbb\xbf" + text.replace(b"\n", b"\r\n"))
    after = load_config(tmp_path)
    assert (after.settings, after.node_key, after.network_file) == (
        before.settings,
        before.node_key,
        before.network_file,
    )
