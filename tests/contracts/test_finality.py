"""After how many blocks a block is final: by chain id, else twelve blocks and at least a minute."""

from types import SimpleNamespace
from typing import Any

import pytest

from sayso_contracts.finality import BY_CHAIN, LEAST_BLOCKS, LEAST_S, usual


class Blocks:
    """A chain with so many seconds between two blocks."""

    def __init__(self, seconds: float, height: int) -> None:
        self.seconds, self.height = seconds, height

    async def get_block(self, number: Any) -> dict[str, int]:
        at = self.height if number == "latest" else number
        return {"number": at, "timestamp": int(at * self.seconds)}


def chain(seconds: float, height: int = 1_000_000) -> Any:
    return SimpleNamespace(eth=Blocks(seconds, height))


@pytest.mark.parametrize("seconds", [0.1, 0.25, 0.5, 1, 2, 3, 5, 12, 60])
async def test_an_unknown_chain_waits_for_a_minute_and_twelve_blocks(seconds: float) -> None:
    blocks = await usual(chain(seconds), 987_654)
    assert blocks >= LEAST_BLOCKS
    assert blocks * max(seconds, 0.25) >= LEAST_S


@pytest.mark.parametrize("height", [0, 1, 11])
async def test_a_young_chain_gets_no_less(height: int) -> None:
    assert await usual(chain(12, height), 987_654) >= LEAST_BLOCKS


async def test_known_chains_are_not_asked() -> None:
    for chain_id, blocks in BY_CHAIN.items():
        assert await usual(None, chain_id) == blocks
