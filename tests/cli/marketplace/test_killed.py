"""A shop that is killed at any step goes on, and nothing is lost, repeated or half done."""

import asyncio
import json
import os
import sys
from pathlib import Path
from typing import Any

import pytest

from cli.marketplace.real_node import place

SCRIPT = Path(__file__).with_name("mortal_shop.py")
LONGEST = 2_000  # steps; the story ends before
STRIDE = 61  # of the everyday test: it shares no factor with what repeats
CONSENT, SUBLICENSE, REMOVAL = 1, 3, 5


async def killed_at(folder: Path, steps: range) -> list[dict[str, Any]]:
    """What is there after a shop was killed at each step and went on; the last one lived."""
    async with place(folder) as here:
        (folder / "network.toml").write_text(here.trusted.to_toml())
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            str(SCRIPT),
            str(folder),
            here.node.url,
            *map(str, steps),
            stdout=asyncio.subprocess.PIPE,
            env=os.environ | {"PYTHONPATH": os.pathsep.join(sys.path)},
        )
        out, _ = await process.communicate()
    assert process.returncode == 0
    return [json.loads(line) for line in out.splitlines()]


def check(found: list[dict[str, Any]]) -> None:
    *killed, lived = found
    assert lived["lived"]
    assert killed
    assert not any(one["lived"] for one in killed)
    for one in found:
        assert one["kinds"] == lived["kinds"] == [CONSENT, SUBLICENSE, REMOVAL]
        assert one["orders"] == [1, 17]
        assert one["at_node"] == {"sublicense": 1, "removal": 1}
        assert one["files"] == ["a.wav", "browser.json", "data", "shop.db"]
        assert _kept(one) == _kept(lived)


def _kept(found: dict[str, Any]) -> dict[str, int]:
    """How many rows there are, except of how the shop learnt of a revocation: an event or a question."""
    how = {"sayso_bits", "sayso_positions"}
    return {name: count for name, count in found["counts"].items() if name not in how}


async def test_killed_at_some_steps(tmp_path: Path) -> None:
    check(await killed_at(tmp_path, range(3, LONGEST, STRIDE)))


@pytest.mark.long
@pytest.mark.timeout(1_800)
async def test_killed_at_every_step(tmp_path: Path) -> None:
    check(await killed_at(tmp_path, range(1, LONGEST)))
