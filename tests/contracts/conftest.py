"""Every test of the bindings runs on anvil and on the embedded chain: both must do."""

from collections.abc import AsyncIterator

import pytest
from eth_account import Account

from contracts.harness import Chain, connect
from sayso.devchain import DevChain
from sayso_contracts.deploy import deploy
from sayso_contracts.registry.client import Registry
from support.anvil import CHAIN_ID, RICH_KEY, anvil

NEVER_S = 3600.0  # no block but those of the test's own transactions


@pytest.fixture
async def anvil_chain() -> AsyncIterator[Chain]:
    with anvil() as url:
        async with connect(url, Account.from_key(RICH_KEY), CHAIN_ID) as chain:
            yield chain


@pytest.fixture
async def embedded_chain() -> AsyncIterator[Chain]:
    async with (
        DevChain(block_time_s=NEVER_S) as dev,
        connect(dev.url, dev.accounts[0], dev.chain_id) as chain,
    ):
        yield chain


@pytest.fixture(params=["anvil_chain", "embedded_chain"])
def chain(request: pytest.FixtureRequest) -> Chain:
    chosen: Chain = request.getfixturevalue(request.param)
    return chosen


@pytest.fixture
async def registry(chain: Chain) -> Registry:
    deployment = await deploy(chain.w3, chain.account, expected_chain_id=chain.chain_id)
    return Registry(chain.w3, deployment.address, chain.chain_id)
