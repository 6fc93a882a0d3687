"""`sayso node status` and `verify-store`: what is wrong, in words and in the exit status."""

import json
from pathlib import Path

import pytest

from cli.conftest import World
from node.config.test_folder import make
from node.store.test_damage import SPOILS, spoil
from sayso.commands.operator import node_status
from sayso.demo.ports import free_ports
from sayso.networks import save_network
from sayso_node.folder.config import IDENTITY_FILE
from sayso_node.store.admission import revocations
from sayso_node.store.interface import Writing
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Mark, Stage
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


def test_the_node_of_a_folder_that_does_not_run(world: World, tmp_path: Path) -> None:
    """What keeps it from starting is said: its store was moved away, is another's, or nothing does."""
    folder = tmp_path / "node"
    make(folder, http=f"127.0.0.1:{free_ports(1)[0]}")
    told = world.fails("not-ready", "node", "status", folder)
    assert f"start it with: sayso node run {folder}" in told.stderr
    mark = Mark(Stage.MOVED, "00", "postgresql://db.example/sayso")
    change_store(location_in(folder), lambda db: marks.put(db, mark))
    told = world.fails("not-ready", "node", "status", folder)
    assert "it was moved to postgresql://db.example/sayso" in told.stderr
    assert "  -> let `store` in node.toml name the new place" in told.stdout
    world.run("node", "status", folder, "--node", "http://127.0.0.1:1", status=2)


def test_the_node_of_a_folder_that_runs(world: World, tmp_path: Path) -> None:
    """Its settings say where it is, and its key whether it is that node which answers."""
    folder = tmp_path / "node"
    make(folder, http=world.node.url.removeprefix("http://"))
    save_network(folder / "network.toml", world.node.trusted)
    told = world.fails("not-ready", "node", "status", folder)
    assert f"another node than that of {folder} answers" in told.stderr
    (folder / IDENTITY_FILE).write_text(bytes(world.node.key).hex())
    assert "ready  yes\n" in world.run("node", "status", folder).stdout


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
