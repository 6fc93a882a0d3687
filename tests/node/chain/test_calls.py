"""How often a node asks its endpoint: what that costs is counted, by the hour of virtual time."""

from pathlib import Path

import pytest

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
