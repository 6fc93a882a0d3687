"""Finds the block up to which an anchor is old enough to give its sponsor standing.

Each node derives this block from the chain alone, at whole hours of the chain's own time, so that nodes
that joined at different times agree about who has standing.
"""

from sayso_node.chain.interface import Chain
from sayso_node.freshness import ChainHead
from sayso_node.store.admission import sponsors
from sayso_node.store.interface import Store

STANDING_AGE_S = 604_800  # of an anchor, by the time of its block
_HOUR_S = 3_600
_FIRST_STRIDE = 64  # blocks


class Standing:
    """Moves the block of standing forward as the chain grows."""

    def __init__(self, chain: Chain, store: Store, deploy_block: int) -> None:
        self._chain = chain
        self._store = store
        self._before = deploy_block - 1
        self._reached = 0  # the hour for which the block was last found

    async def update(self, head: ChainHead) -> None:
        """Find the last block that is old enough; raises ChainUnreachable, and then it stays the same.

        The number of questions grows with the logarithm of the number of blocks since the last update.
        """
        hour = (int(head.time) - STANDING_AGE_S) // _HOUR_S
        if hour <= self._reached:
            return
        with self._store.read() as db:
            known = sponsors.standing_block(db)
        old = known if self._before < known <= head.point.number else self._before
        young = stride = 0
        while old + 1 < (young or head.point.number + 1):
            stride = 2 * stride or _FIRST_STRIDE
            probe = (old + young) // 2 if young else min(old + stride, head.point.number)
            if await self._is_old(probe, hour * _HOUR_S):
                old = probe
            else:
                young = probe
        await self._store.write(lambda db: sponsors.set_standing_block(db, old))
        self._reached = hour

    async def _is_old(self, number: int, until: int) -> bool:
        header = await self._chain.header(number)
        return header is not None and header.time <= until
