"""How often a node asks its endpoint: what that costs is counted, by the hour of virtual time."""

from pathlib import Path

import pytest

from sayso_node.chain.following.block_speed import BlockSpeed
from support.fake_chain import FakeChain
from support.many_wallets import calls_of_wallets
from support.quiet_chain import calls_of_an_hour

MOST_IDLE = 1_440
MOST_A_WALLET = 20  # in the age that is asked for, of a wallet with 100 consents


async def test_an_idle_node_asks_its_endpoint_seldom(tmp_path: Path) -> None:
    """On the commit before, payer and follower asked for the head 90 times a minute."""
    calls = await calls_of_an_hour(tmp_path, 12.0)
    assert 300 <= calls.total() <= MOST_IDLE, calls


@pytest.mark.parametrize(("age_s", "hours"), [(60, 0.1), (600, 0.4), (3_600, 1.0)])
async def test_wallets_are_asked_seldom_and_in_time(tmp_path: Path, age_s: int, hours: float) -> None:
    """On the commit before, each consent cost 1,800 calls an hour, whatever anybody wanted."""
    calls, too_old = await calls_of_wallets(tmp_path, owners=3, each=100, age_s=age_s, hours=hours)
    assert too_old == 0
    assert 0 < calls <= MOST_A_WALLET * 3 * 3_600 / age_s


@pytest.mark.parametrize(
    ("gaps", "wait_s"),
    [
        ([12] * 9, 6.0),
        ([12, 12, 24, 12, 12, 12, 12, 12, 36], 6.0),  # slots without a block
        ([300] * 9, 6.0),
        ([2] * 9, 2.0),
        ([12] * 7, 2.0),  # too few to know
        ([300, 0, 0, 600, 40, 300, 0, 20, 60], 2.0),  # a block for each transaction
        ([12] * 6 + [-30, 12, 12], 2.0),
    ],
)
async def test_a_chain_is_read_twice_a_block_if_its_blocks_are_regular(
    gaps: list[int], wait_s: float
) -> None:
    chain, speed = FakeChain(), BlockSpeed()
    await speed.learn(chain, await chain.head())
    for gap in gaps:
        chain.time += gap
        chain.mine()
        await speed.learn(chain, await chain.head())
    assert speed.wait_s(2.0) == wait_s
