"""A chain whose clock stands still and whose blocks are made by what a test does."""

from collections.abc import AsyncIterator

import aiohttp
import pytest
from web3 import AsyncHTTPProvider, AsyncWeb3

from cli.devchain.harness import LONG_S, Client, Clock
from sayso.devchain import DevChain


@pytest.fixture
def clock() -> Clock:
    return Clock(1_700_000_000.5)


@pytest.fixture
async def client(clock: Clock) -> AsyncIterator[Client]:
    async with DevChain(block_time_s=LONG_S, clock=clock) as chain, aiohttp.ClientSession() as http:
        web3 = AsyncWeb3(AsyncHTTPProvider(chain.url))
        try:
            yield Client(chain, web3, http)
        finally:
            await web3.provider.disconnect()
