"""Strangers attack a whole node at all its doors at once; its user notices nothing but some delay."""

import pytest

from hostile.siege import Siege, siege

SHORT_S = 6.0
LONG_S = 120.0
GROWTH_MB = 512  # resident memory, above the highest before the attack


async def withstands(node: Siege, seconds: float) -> None:
    """The user is answered throughout, and the node keeps its memory and its process."""
    process = node.node.node.process
    assert process
    async with node.attacked():
        waits = await node.serve(seconds)
    assert set(waits.seconds) == {"healthz", "revocation", "check"}
    assert process.running
    await node.serve(1.0)


@pytest.mark.parametrize(
    "seconds", [SHORT_S, pytest.param(LONG_S, marks=[pytest.mark.long, pytest.mark.timeout(600)])]
)
async def test_all_attacks_at_once(seconds: float) -> None:
    async with siege(seconds) as node:
        before = node.node.memory_mb("VmHWM")
        await withstands(node, seconds)
        assert node.node.memory_mb("VmHWM") < before + GROWTH_MB
