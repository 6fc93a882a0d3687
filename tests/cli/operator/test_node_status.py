"""`sayso node status` and `verify-store`: what is wrong, in words and in the exit status."""

import json
from pathlib import Path

import pytest

from cli.conftest import World
from node.config.test_folder import make
from node.store.test_damage import SPOILS, spoil
from sayso.commands.operator import node_status
from sayso_node.store.admission import revocations
from sayso_node.store.interface import Writing
from sayso_node.store.opening import location_in, store_at
from support.filled_store import change_store
from support.protocol_strategies import ADA


def test_a_node_that_is_ready(world: World) -> None:
    said = world.run("node", "status", "--node", world.node.url).stdout
    assert "ready  yes\n" in said
    assert ", trusted\n" in said


def test_why_a_node_is_not_ready(world: World) -> None:
    world.node.reasons = [("clock-wrong", "this clock is 600 s ahead"), ("part-down", "the payer")]
    failed = world.fails("not-ready", "node", "status", "--node", world.node.url)
    assert (
        "ready  NO\n  clock-wrong: this clock is 600 s ahead\n  part-down: the payer\n" in failed.stdout
    )
    assert "600 s ahead; the payer" in failed.stderr
    failed = world.fails("not-ready", "node", "status", "--json", "--node", world.node.url)
    assert [one["code"] for one in json.loads(failed.stdout)["reasons"]] == ["clock-wrong", "part-down"]


def test_without_a_network_file(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    (world.folder / "network.toml").unlink()
    monkeypatch.setattr(node_status, "HERE", world.node.url)
    for named in ((), ("--node", world.node.url)):
        said = world.run("node", "status", *named).stdout
        assert "without a network file" in said
        assert "ready  yes" in said


def revoke(db: Writing) -> None:
    revocations.add_chain_bits(db, ADA, {1: 1}, 1.0)


def test_a_store_is_verified(world: World, tmp_path: Path) -> None:
    make(tmp_path / "node")
    location = location_in(tmp_path / "node")
    world.fails("store-missing", "node", "verify-store", tmp_path / "node")
    assert not Path(location).exists()
    change_store(location, revoke)
    world.run("node", "verify-store", tmp_path / "node")
    spoil(Path(location), SPOILS["masks cleared"])
    failed = world.fails("store-damaged", "node", "verify-store", tmp_path / "node")
    assert f"bits: revocations of 0x{ADA.hex()}" in failed.stdout
    assert "hint: " in failed.stderr
    store = store_at(location)
    store.start()
    assert store.damage.text  # its node will be silent
    store.stop()
