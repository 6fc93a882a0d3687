"""node.toml: what was written is what is read; what is not understood is refused, never guessed."""

import stat
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.config.harness import ORDINARY, randomness
from sayso_node.errors import InvalidNodeConfig
from sayso_node.folder.addresses import check_addresses
from sayso_node.folder.config import IDENTITY_FILE, init_node, load_operator
from sayso_node.folder.identity import load_identity
from sayso_node.folder.settings import CHANNELS, CONFIG_FILE, Settings, load_settings
from sayso_node.gossip.peers.addresses import peer_id_of
from sayso_protocol.primitives import address_text
from support.protocol_strategies import addresses
from support.tries import tries

texts = st.text(st.characters(codec="utf-8"), max_size=30)
lists = st.lists(texts, max_size=4).map(tuple)
intervals = st.floats(min_value=1e-9, max_value=1e12)
any_settings = st.builds(
    Settings,
    name=texts,
    network=texts,
    http=st.sampled_from(["127.0.0.1:8600", "[::1]:0", "localhost:65535"]),
    listen=lists,
    rpc=texts,
    announce=st.sampled_from(
        [(), ("/dns4/node.example/tcp/4600",), ("/ip6/::1/tcp/1",), ("/dns/node.example/tcp/443/wss",)]
    ),
    trusted_proxies=st.sampled_from([(), ("127.0.0.1", "::1")]),
    peers=lists,
    anchor_key=texts,
    sync_interval_s=intervals,
    chain_interval_s=intervals,
    anchor_wait_s=st.just(0.0) | intervals,
    heed=st.none() | st.lists(addresses.map(address_text), max_size=16, unique=True).map(tuple),
    disabled=st.sets(st.sampled_from(CHANNELS)).map(sorted).map(tuple),
)


@settings(deadline=None, max_examples=tries(60))
@given(any_settings)
def test_what_was_written_is_what_is_read(
    tmp_path_factory: pytest.TempPathFactory, chosen: Settings
) -> None:
    folder = tmp_path_factory.mktemp("node")
    operator = init_node(folder, chosen, randomness)
    assert load_settings(folder) == chosen
    assert load_operator(folder) == operator


@pytest.mark.parametrize(
    "name", ["😀 Ours", 'a "quoted" name', "back\\slash", "line\nend", "\x7f\x00\x1f"]
)
def test_a_name_may_be_anything(tmp_path: Path, name: str) -> None:
    init_node(tmp_path, replace(ORDINARY, name=name), randomness)
    assert load_settings(tmp_path).name == name


def test_a_nodes_entry_for_the_network_file(tmp_path: Path) -> None:
    operator = init_node(tmp_path / "new" / "folder", ORDINARY, randomness)
    assert (operator.name, operator.url) == ("Ours", "http://127.0.0.1:8600")
    assert operator.peer == f"/ip4/127.0.0.1/tcp/4600/p2p/{peer_id_of(operator.key)}"
    assert init_node(tmp_path / "silent", replace(ORDINARY, listen=()), randomness).peer == ""


def test_a_node_is_made_once(tmp_path: Path) -> None:
    init_node(tmp_path, ORDINARY, randomness)
    before = {path.name: path.read_bytes() for path in tmp_path.iterdir()}
    with pytest.raises(InvalidNodeConfig, match="exists"):
        init_node(tmp_path, replace(ORDINARY, name="Another"), bytes)
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == before
    assert set(before) == {CONFIG_FILE, IDENTITY_FILE}


def test_an_identity_outlives_its_settings(tmp_path: Path) -> None:
    """Whoever lost node.toml does not get another key by making it again."""
    operator = init_node(tmp_path, ORDINARY, randomness)
    (tmp_path / CONFIG_FILE).unlink()
    with pytest.raises(InvalidNodeConfig, match="never replaced"):
        init_node(tmp_path, ORDINARY, bytes)
    assert [path.name for path in tmp_path.iterdir()] == [IDENTITY_FILE]
    assert bytes(load_identity(tmp_path / IDENTITY_FILE).verify_key) == operator.key


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    blocked = tmp_path / "file"
    blocked.write_text("not a folder")
    for folder, chosen in (
        (blocked, ORDINARY),
        (blocked / "below", ORDINARY),
        (tmp_path / "half", replace(ORDINARY, name="half a character: \ud800")),
    ):
        with pytest.raises(InvalidNodeConfig):
            init_node(folder, chosen, randomness)
    assert not list((tmp_path / "half").glob("*"))


@pytest.mark.parametrize(
    "changes",
    [
        {"http": "8600"},
        {"http": ":8600"},
        {"http": "127.0.0.1:"},
        {"http": "127.0.0.1:65536"},
        {"http": "127.0.0.1:-1"},
        {"http": "127.0.0.1:http"},
        {"http": ""},
        {"http": "::1:8600"},
        {"http": "[::1:8600"},
        {"http": "[127.0.0.1]:8600"},
        {"disabled": ("gosip",)},
        {"sync_interval_s": 0.0},
        {"chain_interval_s": -1.0},
        {"anchor_wait_s": -0.1},
        {"sync_interval_s": float("nan")},
        {"chain_interval_s": float("inf")},
        {"anchor_wait_s": float("nan")},
    ],
)
def test_settings_no_node_could_run_with(changes: dict[str, Any]) -> None:
    with pytest.raises(InvalidNodeConfig):
        replace(ORDINARY, **changes)


GOOD = """\
name = "Ours"
network = "network.toml"
http = "127.0.0.1:8600"
listen = []
rpc = "http://127.0.0.1:8545"
"""
BAD_TEXTS = {
    "a misspelt setting": GOOD + 'anchr_key = "x"\n',
    "a setting in capitals": GOOD + "PEERS = []\n",
    "a table": GOOD + "[peers]\n",
    "one missing": GOOD.replace('name = "Ours"\n', ""),
    "nothing": "",
    "no TOML": "name: Ours\n",
    "a name that is a number": GOOD.replace('"Ours"', "7"),
    "a list that is a text": GOOD.replace("[]", '"/ip4/127.0.0.1/tcp/1"'),
    "a list of numbers": GOOD.replace("[]", "[1]"),
    "an interval that is a text": GOOD + 'sync_interval_s = "10"\n',
    "an interval that is yes": GOOD + "sync_interval_s = true\n",
    "an interval that is no number": GOOD + "sync_interval_s = nan\n",
    "an interval without end": GOOD + "chain_interval_s = inf\n",
    "an interval too long to count": GOOD + f"anchor_wait_s = {'9' * 400}\n",
    "an interval of too many digits": GOOD + f"anchor_wait_s = {'9' * 5_000}\n",
    "nested deeply": GOOD + f"peers = {'[' * 5_000}\n",
    "an unknown channel": GOOD + 'disabled = ["receipt"]\n',
    "a port too large": GOOD.replace("8600", "86000"),
}


@pytest.mark.parametrize("name", BAD_TEXTS)
def test_what_is_not_understood_is_refused(tmp_path: Path, name: str) -> None:
    (tmp_path / CONFIG_FILE).write_text(BAD_TEXTS[name])
    with pytest.raises(InvalidNodeConfig):
        load_settings(tmp_path)


def test_a_mark_before_the_text_is_passed_over(tmp_path: Path) -> None:
    """As some editors write it; the error would show what nobody sees."""
    (tmp_path / CONFIG_FILE).write_text(GOOD, encoding="utf-8-sig")
    assert load_settings(tmp_path).name == "Ours"
    assert replace(ORDINARY, http="[::1]:8600").http_address == ("::1", 8_600)


def test_the_good_text_is_good(tmp_path: Path) -> None:
    (tmp_path / CONFIG_FILE).write_text(GOOD + "sync_interval_s = 5\n")
    read = load_settings(tmp_path)
    assert (read.name, read.sync_interval_s, read.peers) == ("Ours", 5.0, ())


def test_files_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(InvalidNodeConfig):
        load_settings(tmp_path)
    (tmp_path / CONFIG_FILE).write_bytes(b'name = "\xff\xfe"\n')
    with pytest.raises(InvalidNodeConfig):
        load_settings(tmp_path)
    (tmp_path / CONFIG_FILE).unlink()
    (tmp_path / CONFIG_FILE).mkdir()
    with pytest.raises(InvalidNodeConfig):
        load_settings(tmp_path)


def test_the_identity_is_for_its_owner_alone(tmp_path: Path) -> None:
    init_node(tmp_path, ORDINARY, randomness)
    assert stat.S_IMODE((tmp_path / IDENTITY_FILE).stat().st_mode) == 0o600


def test_what_is_announced_is_what_others_are_given(tmp_path: Path) -> None:
    """Behind NAT, and wherever one listens on all addresses."""
    outside = "/dns4/node.example/tcp/4600"
    operator = init_node(tmp_path, replace(ORDINARY, announce=(outside,)), randomness)
    assert operator.peer.startswith(outside + "/p2p/")
    with pytest.raises(InvalidNodeConfig):
        check_addresses(replace(ORDINARY, announce=("node.example:4600",)))
