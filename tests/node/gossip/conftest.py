"""A network of gossip processes that is gone when the test is over."""

from collections.abc import AsyncIterator

import pytest

from node.gossip.harness import Network


@pytest.fixture
async def network() -> AsyncIterator[Network]:
    network = Network()
    try:
        yield network
    finally:
        await network.close()
