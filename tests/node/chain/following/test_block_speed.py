"""How fast a chain is: slow until heads that were read show otherwise, whatever one header claims."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from sayso_node.chain.following.block_speed import BASE_BLOCKS, HEADS, BlockSpeed
from sayso_node.chain.interface import BlockHeader
from sayso_protocol.receipts.receipt import ChainPoint
from support.fake_chain import FakeChain

Forge = Callable[[BlockHeader], BlockHeader]
BLOCKS = 3 * BASE_BLOCKS


def _numbered(by: int) -> Forge:
    return lambda head: replace(head, point=ChainPoint(head.point.number + by, head.point.hash))


LIES: dict[str, Forge] = {
    "long ago": lambda head: replace(head, time=0),
    "as late as the last head": lambda head: replace(head, time=head.time + 12 * BASE_BLOCKS),
    "an hour later": lambda head: replace(head, time=head.time + 3_600),
    "64 blocks before": _numbered(-BASE_BLOCKS),
    "64 blocks ahead": _numbered(BASE_BLOCKS),
    "thousands of blocks ahead": _numbered(10_000),
}


class Lying(FakeChain):
    """A chain whose header at one height is forged, whoever asks for it."""

    def __init__(self, height: int, lie: Forge) -> None:
        super().__init__()
        self.height, self._lie = height, lie

    def _said(self, found: BlockHeader | None) -> BlockHeader | None:
        return self._lie(found) if found and found.point.number == self.height else found

    async def head(self) -> BlockHeader:
        found = self._said(await super().head())
        assert found
        return found

    async def header(self, number: int) -> BlockHeader | None:
        return self._said(await super().header(number))


@pytest.mark.parametrize("lie", LIES)
async def test_one_forged_header_makes_no_slow_chain_fast(lie: str) -> None:
    """The header 64 blocks before the first head made a chain fast, and its blocks untested."""
    first = BASE_BLOCKS + 10
    for height in {first - BASE_BLOCKS, first, first + 1, first + HEADS, first + BASE_BLOCKS} - {0}:
        chain, speed = Lying(height, LIES[lie]), BlockSpeed()
        for number in range(1, first + BLOCKS):
            chain.time += 12
            chain.mine()
            if number >= first:
                await speed.learn(chain, await chain.head())
                assert speed.is_slow, (height, number)


@pytest.mark.parametrize("lie", LIES)
async def test_a_fast_chain_is_known_as_one(lie: str) -> None:
    """A forged header costs tests of some more blocks at most."""
    chain, speed, slow = Lying(20, LIES[lie]), BlockSpeed(), 0
    for _ in range(BLOCKS):
        chain.time += 2
        for _ in range(8):
            chain.mine()
        await speed.learn(chain, await chain.head())
        slow += speed.is_slow
    assert HEADS <= slow <= 2 * HEADS
    assert not speed.is_slow
