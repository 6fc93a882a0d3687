"""What a process beside a node refuses, and what is refused beside it."""

from dataclasses import replace
from pathlib import Path
from typing import Any

import psycopg
import pytest

from node.serving.beside import beside_config, both, tell
from node.store.harness import number
from sayso_node.errors import (
    InvalidNodeConfig,
    StoreInUse,
    StoreMissing,
    StoreMoved,
    StoreTooNew,
    StoreTooOld,
    WrongStore,
)
from sayso_node.folder.config import NodeConfig
from sayso_node.serving.api_node import ApiNode
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import store_at
from sayso_protocol.network import Network
from support.node_rig import ManualClock, node_key
from support.postgres import refusing_soon
from support.running_node import running_node


@pytest.mark.parametrize(
    "settings",
    [
        {"store": ""},
        {"listen": ("/ip4/127.0.0.1/tcp/4600",)},
        {"peers": ("/ip4/127.0.0.1/tcp/4600/p2p/x",)},
        {"anchor_key": "payer.key"},
        {"budget_eth_per_day": 1.0},
        {"heed": ()},
        {"sync_interval_s": 1.0},
        {"disabled": ("receipts",)},
    ],
)
def test_settings_of_a_node_are_refused(tmp_path: Path, settings: dict[str, Any]) -> None:
    unreachable = "postgresql://somebody@127.0.0.1:1/sayso"
    with pytest.raises(InvalidNodeConfig, match=next(iter(settings))):
        ApiNode(beside_config(tmp_path, unreachable, **settings), ManualClock())


async def start(config: NodeConfig) -> None:
    node = ApiNode(config, ManualClock())
    try:
        await node.start()
    finally:
        await node.stop()


async def test_it_begins_no_store_and_joins_no_other(tmp_path: Path, place: str) -> None:
    """An empty database, another node's, another network's, and one without a node."""
    ours = beside_config(tmp_path / "beside", place)
    with pytest.raises(StoreMissing, match="start the node first"):
        await start(ours)
    with psycopg.connect(place) as db:
        tables = db.execute("SELECT count(*) FROM pg_tables WHERE schemaname = current_schema()")
        assert tables.fetchone() == (0,)
    (tmp_path / "node").mkdir()
    async with running_node(tmp_path / "node", store=place) as node:
        await tell(node)
        other_key = replace(ours, identity=node_key("another"))
        elsewhere = replace(ours.network_file, network=Network(2, bytes(20)))
        for wrong in (other_key, replace(ours, network_file=elsewhere)):
            with pytest.raises(WrongStore, match="is that of node"):
                await start(wrong)
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version - 1")
    with pytest.raises(StoreTooOld):
        await start(ours)
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version + 2")
    with pytest.raises(StoreTooNew):
        await start(ours)


async def test_a_second_node_is_refused_beside_it(tmp_path: Path, place: str) -> None:
    async with both(tmp_path, place):
        (tmp_path / "copy").mkdir()
        with refusing_soon(), pytest.raises(StoreInUse):
            async with running_node(tmp_path / "copy", store=place):
                pass


async def test_no_store_is_moved_from_under_it(place: str) -> None:
    """What it takes in would be lost; and after a move, or a migration, it writes nothing more."""
    node, other = store_at(place), store_at(place, joins=True)
    node.start()
    node.stop()
    other.start()
    await other.write(number(1))
    mover = store_at(place)
    mover.hold(alone=True)
    with refusing_soon(), pytest.raises(StoreInUse, match="answers from the store"):
        mover.start()
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version + 1")
    with pytest.raises(StoreInUse, match="or has migrated it"):
        await other.write(number(2))
    other.stop()
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version - 1")
    mover.start()
    with refusing_soon(), pytest.raises(StoreInUse, match="is being moved"):
        store_at(place, joins=True).start()
    await mover.write(lambda db: marks.put(db, Mark(Stage.MOVED, "00", "a file")))
    mover.stop()
    with pytest.raises(StoreMoved):
        store_at(place, joins=True).start()
