"""The load that `make load` plays, short: nothing is lost, and whoever waits is told."""

from pathlib import Path

import pytest

from bench.marketplace import Load, run

SHORT = Load(people=16, nodes=3, consents_per_s=20.0, revoked_within_s=2.0, idle=5)


async def test_nothing_is_lost(tmp_path: Path) -> None:
    seen = await run(tmp_path, SHORT)
    assert (len(seen.idle_s), len(seen.loaded_s), seen.lost) == (SHORT.idle, SHORT.people, 0)


@pytest.mark.long
@pytest.mark.timeout(1_200)
async def test_nothing_is_lost_in_ten_minutes(tmp_path: Path) -> None:
    seen = await run(tmp_path, Load())
    assert seen.lost == 0
    assert max(seen.growth) < 2
