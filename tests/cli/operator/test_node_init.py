"""`sayso node init`: an entry that others can dial, and a folder that can be moved."""

import os
import shutil
import stat
from pathlib import Path

import pytest

from cli.conftest import World
from sayso.networks import load_network, save_network
from sayso_node.folder import addresses
from sayso_node.folder.config import load_config, load_operator
from sayso_protocol.network import Network

OURS = ("--name", "Ours", "--rpc", "http://127.0.0.1:8545")
KEY = b"0x" + b"11" * 32


def test_the_entry_can_be_dialled(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda _: "198.41.0.4")
    made = world.run("node", "init", "node", *OURS)
    assert "peer  /ip4/198.41.0.4/tcp/4600/p2p/" in made.stdout
    assert "--announce" not in made.stderr
    assert "warning: users on other machines cannot reach the HTTP API" in made.stderr
    assert load_operator(Path("node")).peer.startswith("/ip4/198.41.0.4/tcp/4600/p2p/")


def test_what_is_named_is_what_others_get(world: World) -> None:
    named = ("--announce", "/dns/node.example/tcp/443/wss", "--public-url", "https://node.example")
    made = world.run("node", "init", "node", *OURS, *named)
    assert "peer  /dns/node.example/tcp/443/wss/p2p/" in made.stdout
    assert "url   https://node.example\n" in made.stdout
    assert "warning" not in made.stderr
    world.run("network", "add", "--from-node", "node")
    added = load_network(Path("network.toml")).operators[-1]
    assert (added.url, added.peer[:18]) == ("https://node.example", "/dns/node.example/")


def test_it_warns_of_what_nobody_else_can_dial(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(addresses, "own_address", lambda _: None)
    for folder, listen in (("a", "/ip4/127.0.0.1/tcp/4600"), ("b", "/ip4/0.0.0.0/tcp/4600")):
        made = world.run("node", "init", folder, *OURS, "--listen", listen)
        assert f"warning: peers on other machines cannot dial {listen}" in made.stderr


@pytest.mark.parametrize(
    ("option", "value", "setting"),
    [
        ("--announce", "/ip4/0.0.0.0/tcp/4600", "announce"),
        ("--announce", "node.example", "announce"),
        ("--public-url", "node.example", "public_url"),
        ("--rpc", "rpc.example", "rpc"),
        ("--peer", "/ip4/10.0.0.1/tcp/1", "peers"),
        ("--http", "127.0.0.1:0", "http"),
        ("--listen", "0.0.0.0:4600", "listen"),
    ],
)
def test_what_is_wrong_is_named_and_makes_nothing(
    world: World, option: str, value: str, setting: str
) -> None:
    failed = world.fails("invalid-node-config", "node", "init", "node", *OURS, option, value)
    assert f"error [invalid-node-config]: {setting}: " in failed.stderr
    assert not Path("node").exists()


def test_a_moved_folder_has_everything(world: World, tmp_path: Path) -> None:
    world.write("payer.key", KEY).chmod(0o644)
    world.run("node", "init", "node", *OURS, "--anchor-key", "payer.key")
    assert stat.S_IMODE(Path("node/anchor.key").stat().st_mode) == 0o600
    moved = tmp_path / "far" / "away"
    shutil.move("node", moved)
    for gone in ("payer.key", "network.toml"):
        Path(gone).unlink()
    config = load_config(moved)
    assert config.anchor_account
    assert config.network_file == world.node.trusted


def test_a_key_that_is_not_there_makes_nothing(world: World) -> None:
    world.fails("file-unreadable", "node", "init", "node", *OURS, "--anchor-key", "payer.key")
    assert not Path("node").exists()


def test_a_network_file_of_another_network_is_not_taken(world: World) -> None:
    world.run("node", "init", "node", *OURS)
    trusted = load_network(Path("network.toml"))
    other = Network(trusted.network.chain_id + 1, trusted.network.registry)
    save_network(Path("other.toml"), type(trusted)(other, 1, 0))
    world.fails("wrong-network", "node", "run", "node", "--network", "other.toml")
    assert load_network(Path("node/network.toml")) == trusted


def test_what_it_makes_is_for_its_owner_alone(world: World) -> None:
    """Whatever the umask is, and so the doctor has nothing to say about it."""
    before = os.umask(0)
    try:
        world.run("node", "init", "node", *OURS)
    finally:
        os.umask(before)
    modes = {
        one.name: stat.S_IMODE(one.stat().st_mode) for one in (Path("node"), *Path("node").iterdir())
    }
    assert modes == {"node": 0o700, "node.toml": 0o600, "identity.key": 0o600, "network.toml": 0o600}
    assert "OK    permissions" in world.run("node", "doctor", "node", status=1).stdout
