"""How long from a revocation at one node to its refusal at all of ten: two a second, on one box.

Ten whole nodes of two processes each, which know each other from the network file. The clock starts when
a revocation is handed in over HTTP, and stops when the last node has said, over HTTP, that the license
is revoked. Each is asked when its event stream says that something came, so that nobody has to poll.
"""

import asyncio
import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

from bench.figure import Figure
from bench.many_nodes import READY_S, Person, Watched, many_nodes
from sayso.demo.waiting import until

NODES = 10
REVOCATIONS = 120
WARM_UP = 10  # before them: meshes are joined, connections to the API are open
EVERY_S = 0.5
ARRIVES_S = 60.0


def figures() -> Iterator[Figure]:
    """gossip.p50_s and gossip.p99_s"""
    with tempfile.TemporaryDirectory() as name:
        times, by_gossip = asyncio.run(_measure(Path(name)))
    heard = f"{NODES} nodes, {by_gossip:.1%} by gossip, the rest by sync"
    for rank in (50, 99):
        value = statistics.quantiles(times, n=100, method="inclusive")[rank - 1]
        peers = {"the slowest": max(times)}
        yield Figure(f"gossip.p{rank}_s", value, "s", "lower", peers, heard)


async def _measure(folder: Path) -> tuple[list[float], float]:
    """Seconds until all refuse, for each revocation, and which part of them gossip brought."""
    async with many_nodes(folder, NODES) as (nodes, place):
        people = [Person(number, place) for number in range(WARM_UP + REVOCATIONS)]
        await nodes[0].give(*(one.consent for one in people))
        for watched in nodes:

            async def all_hold(watched: Watched = watched) -> bool:
                return all([await watched.says(one) != "unknown" for one in people])

            await until(f"{watched.node.name} has all consents", all_hold, READY_S)
        await _revoke(nodes, people[:WARM_UP])
        before = await _counts(nodes)
        times = await _revoke(nodes, people[WARM_UP:])
        by_gossip, by_sync = [
            after - one for after, one in zip(await _counts(nodes), before, strict=True)
        ]
        return times, by_gossip / (by_gossip + by_sync)


async def _counts(nodes: list[Watched]) -> tuple[int, int]:
    """Revocations that came by gossip and by sync, at all nodes."""
    gossip = [await one.count("gossip_revocations") for one in nodes]
    sync = [await one.count("sync_revocations") for one in nodes]
    return sum(gossip), sum(sync)


async def _revoke(nodes: list[Watched], people: list[Person]) -> list[float]:
    """Each at its time, at one node after the other, whether or not the last has arrived."""
    begun = time.perf_counter()
    under_way = []
    for number, person in enumerate(people):
        await asyncio.sleep(begun + number * EVERY_S - time.perf_counter())
        under_way.append(asyncio.create_task(_one(nodes, nodes[number % len(nodes)], person)))
    return await asyncio.gather(*under_way)


async def _one(nodes: list[Watched], door: Watched, person: Person) -> float:
    begun = time.perf_counter()
    async with asyncio.timeout(ARRIVES_S):
        await door.give(person.revocation)
        await asyncio.gather(*(one.refuses(person) for one in nodes))
    return time.perf_counter() - begun
