"""How often a node asks its endpoint: what that costs is counted, by the hour of virtual time."""

from pathlib import Path

from support.quiet_chain import calls_of_an_hour

MOST_IDLE = 1_440


async def test_an_idle_node_asks_its_endpoint_seldom(tmp_path: Path) -> None:
    """On the commit before, payer and follower asked for the head 90 times a minute."""
    calls = await calls_of_an_hour(tmp_path, 12.0)
    assert 300 <= calls.total() <= MOST_IDLE, calls
