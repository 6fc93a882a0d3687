"""How long a user waits for the slowest answer while strangers attack the node at all its doors."""

import asyncio
from collections.abc import Iterator

from bench.figure import Figure
from hostile.siege import Waits, siege

CALM_S = 20.0
ATTACK_S = 60.0


def figures() -> Iterator[Figure]:
    """attack.slowest_answer_s"""
    calm, attacked = asyncio.run(_measure())
    peers = {"the same node, not attacked": calm.slowest}
    limit = "attackers, user and node share the cores of one machine"
    yield Figure("attack.slowest_answer_s", attacked.slowest, "s", "lower", peers, limit)


async def _measure() -> tuple[Waits, Waits]:
    async with siege(CALM_S + ATTACK_S) as node:
        calm = await node.serve(CALM_S)
        async with node.attacked():
            return calm, await node.serve(ATTACK_S)
