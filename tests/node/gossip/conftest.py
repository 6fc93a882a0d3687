"""A network of gossip processes that is gone when the test is over."""

from collections.abc import AsyncIterator

import pytest

from node.gossip.harness import Network, networked


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    async with networked() as network:
        yield network
