"""How fast a chain makes blocks, which decides how often it is asked and what of it is tested."""

from collections import deque
from statistics import median
from typing import Final

from sayso_node.chain.interface import Chain
from sayso_node.freshness import ChainHead

SLOW_S: Final = 1.0  # a block; from here on every header can be tested
BASE_BLOCKS: Final = 64  # over which the mean is taken that an alarm needs
HEADS: Final = 8  # new heads whose distances say how fast the chain is, and when the next comes
LONGEST_WAIT_S: Final = 6.0
FROZEN_S: Final = 180.0
FROZEN_BLOCKS: Final = 10


class BlockSpeed:
    """Learns the time between blocks from the heads that are read."""

    def __init__(self) -> None:
        self._base: ChainHead | None = None
        self._mean_s: float | None = None
        self._newest: ChainHead | None = None
        self._steps: deque[float] = deque(maxlen=HEADS)  # seconds a block

    async def learn(self, chain: Chain, head: ChainHead) -> None:
        """Take a head into account; asks for one earlier block, once. Raises ChainUnreachable."""
        if self._base is None:
            number = max(head.point.number - BASE_BLOCKS, 0)
            self._base = await chain.header(number) or head
        blocks = head.point.number - self._base.point.number
        if blocks >= BASE_BLOCKS or (self._mean_s is None and blocks > 0):
            self._mean_s = (head.time - self._base.time) / blocks
            self._base = head
        if self._newest and head.point.number > self._newest.point.number:
            blocks = head.point.number - self._newest.point.number
            self._steps.append((head.time - self._newest.time) / blocks)
        self._newest = head

    @property
    def is_slow(self) -> bool:
        """Return whether blocks take a second or more, which an unknown chain's do.

        One forged header spoils the distance to the head before and to the next, so the median is taken.
        """
        return len(self._steps) < HEADS or median(self._steps) >= SLOW_S

    @property
    def frozen_s(self) -> float:
        """Return the age in seconds from which on the newest block is too old for a chain that moves."""
        return max(FROZEN_S, FROZEN_BLOCKS * (self._mean_s or 0))

    def wait_s(self, least_s: float) -> float:
        """Return the seconds until the next reading: at least these, or half the time of a block.

        Only a chain with regular blocks is waited for, because a development chain makes one when a
        transaction comes.
        """
        if len(self._steps) < HEADS:
            return least_s
        return max(least_s, min(min(self._steps) / 2, LONGEST_WAIT_S))
