"""`sayso network` and `sayso node status | init`: whom to trust, and how they are."""

import json
import tomllib

import pytest

from cli.conftest import World
from sayso.networks import load_network, save_network
from sayso_protocol.network_file import NetworkFile, Operator


def forget_operators(world: World) -> None:
    save_network(world.folder / "network.toml", NetworkFile(world.node.network, 1, 3))


def test_show(world: World) -> None:
    text = world.run("network", "show").stdout
    assert "31337" in text
    assert bytes(world.node.key.verify_key).hex() in text
    shown = json.loads(world.run("network", "show", "--json").stdout)
    assert shown["operators"][0]["url"] == world.node.url
    assert shown["deploy_block"] == 1


def test_add_a_node_by_its_url(world: World) -> None:
    forget_operators(world)
    world.write("m.jsonl", json.dumps({"license": "0x" + "00" * 32, "item": "0x" + "00" * 32}).encode())
    query = ("--grantee", "anyone", "--purpose", "train-ai", "--node", world.node.url)
    world.fails("unknown-signer", "check", "m.jsonl", *query)
    result = world.run("network", "add", "--from-node", world.node.url, "--name", "Us", typed="y\n")
    key = bytes(world.node.key.verify_key)
    assert key.hex() in result.stdout
    trusted = load_network(world.folder / "network.toml")
    address = "/ip4/127.0.0.1/tcp/4600/p2p/12D3Koo"
    assert trusted.operators == (Operator("Us", key, address, world.node.url),)
    assert trusted.finality == 3
    world.run("check", "m.jsonl", *query, status=3)


def test_adding_needs_a_yes(world: World) -> None:
    forget_operators(world)
    before = (world.folder / "network.toml").read_bytes()
    world.run("network", "add", "--from-node", world.node.url, typed="n\n", status=1)
    assert (world.folder / "network.toml").read_bytes() == before


def test_the_same_key_replaces_its_entry(world: World) -> None:
    world.run("network", "add", "--from-node", world.node.url, "--name", "New name", "--yes")
    (operator,) = load_network(world.folder / "network.toml").operators
    assert operator.name == "New name"


def test_a_node_of_another_network_is_not_added(world: World) -> None:
    path = world.folder / "network.toml"
    path.write_text(path.read_text().replace("chain_id = 31337", "chain_id = 5"))
    before = path.read_bytes()
    world.fails("wrong-network", "network", "add", "--from-node", world.node.url, "--yes")
    assert path.read_bytes() == before


def test_the_file_may_be_named_by_the_environment(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "network.toml").rename(world.folder / "elsewhere.toml")
    world.fails("invalid-network-file", "network", "show")
    monkeypatch.setenv("SAYSO_NETWORK", "elsewhere.toml")
    world.run("network", "show")


def test_status(world: World) -> None:
    text = world.run("node", "status").stdout
    assert "Fake, version 0, trusted" in text
    assert "1 of 1 connected" in text
    answer = json.loads(world.run("node", "status", "--json").stdout)
    assert answer["trusted"] is True
    assert answer["block"]["number"] == 7
    assert answer["peers"][0]["peer_id"] == "12D3Kpp"


def test_status_of_a_stranger(world: World) -> None:
    forget_operators(world)
    assert "not trusted" in world.run("node", "status", "--node", world.node.url).stdout
    world.run("node", "status", status=2)  # no node is named, and the network file has none


@pytest.mark.parametrize(
    ("route", "change"),
    [
        ("node", {"node_key": "00"}),
        ("node", {"time": "now"}),
        ("node", {"block": 7}),
        ("node", {"counters": {"a": -1}}),
        ("node", {"counters": []}),
        ("node", {"network": {"chain_id": 31337, "registry": "0x"}}),
        ("node", {"network": {"chain_id": 1 << 64, "registry": "0x" + "00" * 20}}),
        ("node", {"listen": [1]}),
        ("peers", {"peers": {}}),
        ("peers", {"peers": [{"peer_id": "a", "address": "", "connected": 1}]}),
    ],
)
def test_a_node_that_talks_nonsense(world: World, route: str, change: dict[str, object]) -> None:
    world.node.twist = lambda where, answer: answer | change if where == route else answer
    world.fails("bad-answer", "node", "status")


def test_a_node_that_has_read_no_block(world: World) -> None:
    world.node.twist = lambda where, answer: answer | {"block": None} if where == "node" else answer
    assert "none read yet" in world.run("node", "status").stdout
    assert json.loads(world.run("node", "status", "--json").stdout)["block"] is None


def test_init_makes_a_folder_that_can_be_added(world: World) -> None:
    options = ("--name", "Ours", "--rpc", "http://127.0.0.1:8545", "--http", "127.0.0.1:8701")
    result = world.run("node", "init", "deep/node", *options, "--listen", "/ip4/127.0.0.1/tcp/4701")
    settings = tomllib.loads((world.folder / "deep" / "node" / "node.toml").read_text())
    assert settings["network"] == "network.toml"  # a copy in the folder
    world.run("network", "add", "--from-node", "deep/node")
    added = load_network(world.folder / "network.toml").operators[-1]
    assert added.key.hex() in result.stdout
    assert added.url == "http://127.0.0.1:8701"
    assert added.peer.startswith("/ip4/127.0.0.1/tcp/4701/p2p/12D3KooW")
    world.fails("invalid-node-config", "node", "init", "deep/node", *options)


def test_a_folder_that_holds_no_node(world: World) -> None:
    world.fails("invalid-node-config", "network", "add", "--from-node", ".")
    world.fails("invalid-node-config", "node", "run", ".")
    world.write("file")
    world.fails("invalid-node-config", "node", "init", "file", "--name", "x", "--rpc", "x")
    world.fails(
        "invalid-node-config", "node", "init", "n", "--name", "x", "--rpc", "x", "--http", "nonsense"
    )


KLED = "0x52908400098527886E0F7030069857D2E4169EE7"


def test_an_organisation_is_named(world: World) -> None:
    world.run("network", "name", KLED, "Kled", "--domain", "kled.ai")
    (named,) = load_network(world.folder / "network.toml").names
    assert (named.name, named.domain) == ("Kled", "kled.ai")
    assert "Kled" in world.run("network", "show").stdout
    assert json.loads(world.run("network", "show", "--json").stdout)["names"][0]["address"] == KLED
    world.run("network", "name", KLED, "Kled AI", "--domain", "kled.ai")
    assert [one.name for one in load_network(world.folder / "network.toml").names] == ["Kled AI"]


@pytest.mark.parametrize(
    "name", ["Kl\N{CYRILLIC SMALL LETTER IE}d", "KIed", "Kled, listed by South", "kled.ai"]
)
def test_a_name_that_misleads_is_not_listed(world: World, name: str) -> None:
    world.run("network", "name", KLED, "Kled", "--domain", "kled.ai")
    before = (world.folder / "network.toml").read_bytes()
    text = world.fails("bad-name", "network", "name", "0x" + "11" * 20, name, "--domain", "kled.example")
    assert "people would not be shown" in text.stderr
    assert (world.folder / "network.toml").read_bytes() == before


def test_a_network_file_that_never_ends_is_refused(world: World) -> None:
    world.fails("invalid-network-file", "network", "show", "--network", "/dev/zero")
