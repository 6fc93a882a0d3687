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


@pytest.fixture
async def unwatched(node: RunningNode, clock: ManualClock) -> AsyncIterator[RunningNode]:
    """As above, for tests whose limits the watch itself would break on a busy machine."""
    async with full_node(node, clock, is_watched=False):
        yield node
