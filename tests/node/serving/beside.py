"""A node, and a process beside it on one database."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, cast

import aiohttp

from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.settings import Settings
from sayso_node.node import Node
from sayso_node.serving.api_node import ApiNode
from sayso_node.store.opening import snapshot_at
from support.node_rig import ManualClock
from support.running_node import RunningNode, config, running_node


def beside_config(folder: Path, place: str, **settings: Any) -> NodeConfig:
    """The settings of a process beside the node of `running_node`."""
    folder.mkdir(exist_ok=True)
    plain = config(folder, name="rig", store=place)
    values: dict[str, Any] = {"http": f"{LOOPBACK}:{free_ports(1)[0]}", "store": place, "listen": ()}
    chosen = Settings("rig", "network.toml", rpc="http://127.0.0.1:1", **(values | settings))
    return replace(plain, settings=chosen, anchor_account=None)


@asynccontextmanager
async def beside(folder: Path, node: RunningNode, place: str) -> AsyncIterator[RunningNode]:
    """A process beside a node, with the same chain."""
    chosen = beside_config(folder, place)
    other = ApiNode(chosen, ManualClock())
    try:
        await other.start()
        async with aiohttp.ClientSession() as http:
            url = f"http://{chosen.settings.http}"
            yield RunningNode(cast("Node", other), url, http, node.chain, node.board, node.account)
    finally:
        await other.stop()


@asynccontextmanager
async def both(
    tmp_path: Path, place: str, clock: ManualClock | None = None
) -> AsyncIterator[tuple[RunningNode, RunningNode]]:
    """A node that has told its view, and a process beside it."""
    first = tmp_path / "node"
    first.mkdir(exist_ok=True)
    async with running_node(first, store=place, clock=clock) as node:
        await tell(node)
        async with beside(tmp_path / "beside", node, place) as other:
            yield node, other


async def tell(node: RunningNode) -> None:
    assert node.node._telling
    await node.node._telling.tell()


def waiting(place: str) -> int:
    with snapshot_at(place) as db:
        return int(db.execute("SELECT count(*) FROM store_outbox").fetchone()[0])
