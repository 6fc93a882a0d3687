"""A whole node for each test of its HTTP API."""

from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from node.api.routes import full_node
from support.node_rig import ManualClock
from support.running_node import RunningNode, running_node


@pytest.fixture
def clock() -> ManualClock:
    return ManualClock()


@pytest.fixture
async def node(tmp_path: Path, clock: ManualClock) -> AsyncIterator[RunningNode]:
    async with running_node(tmp_path, clock=clock) as node:
        yield node


@pytest.fixture
async def full(node: RunningNode, clock: ManualClock) -> AsyncIterator[RunningNode]:
    async with full_node(node, clock):
        yield node
