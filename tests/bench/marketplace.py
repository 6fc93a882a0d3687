"""A marketplace under load: consents and sublicenses arrive, buyers check, then everybody revokes.

Five nodes on one machine. The shop reads the event stream of its own node. The clock of a revocation
starts when it is handed in at some node, and stops when another node refuses the row and the shop has
the event.
"""

import asyncio
import itertools
import os
import statistics
import tempfile
import time
from collections.abc import AsyncIterator, Coroutine, Iterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from eth_account.signers.local import LocalAccount

from bench.figure import Figure
from bench.many_nodes import READY_S, Person, Watched, many_nodes
from sayso.contributor.keystore import new_account
from sayso.contributor.licensing import sign_message
from sayso.demo.waiting import until
from sayso.holder.drafts import NOTHING, Draft
from sayso_protocol.messages.statements.sublicense import NO_PARENT, Sublicense
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE")
CHECKED = 50  # people in a check


@dataclass(frozen=True)
class Load:
    """How much happens.

    Attributes:
        people: Contributors, each with one consent.
        nodes: Nodes of the network.
        consents_per_s: How many consents arrive in a second.
        sublicenses_per_s: How many sublicenses the shop signs in a second.
        revoked_within_s: In what time all people revoke.
        idle: Revocations one after the other, before the load.
    """

    people: int = 2_000
    nodes: int = 5
    consents_per_s: float = 20.0
    sublicenses_per_s: float = 2.0
    revoked_within_s: float = 60.0
    idle: int = 20


@dataclass
class Measured:
    """What was seen.

    Attributes:
        idle_s: From hand-in to refusal and event, one revocation at a time, seconds each.
        loaded_s: The same while all revoke.
        lost: People whom some node does not refuse at the end.
        growth: Memory of each node at the end, divided by that after half of the consents.
    """

    idle_s: list[float] = field(default_factory=list)
    loaded_s: list[float] = field(default_factory=list)
    lost: int = 0
    growth: list[float] = field(default_factory=list)


def figures() -> Iterator[Figure]:
    """load.*"""
    load = Load()
    with tempfile.TemporaryDirectory() as name:
        seen = asyncio.run(run(Path(name), load))
    assert not seen.lost, f"{seen.lost} revocations are lost"
    limit = f"{load.people} people revoke within {load.revoked_within_s:.0f} s at {load.nodes} nodes"
    for rank in (50, 99):
        value, peers = _quantile(seen.loaded_s, rank), {"idle": _quantile(seen.idle_s, rank)}
        yield Figure(f"load.revocation_p{rank}_s", value, "s", "lower", peers, limit)
    yield Figure("load.memory_growth", max(seen.growth), "ratio", "lower", {"flat": 1.0}, limit)


def _quantile(values: list[float], rank: int) -> float:
    return statistics.quantiles(values, n=100, method="inclusive")[rank - 1]


async def run(folder: Path, load: Load) -> Measured:
    """Play the load on new nodes; nothing of them is left."""
    async with many_nodes(folder, load.nodes) as (nodes, place):
        seen, shop = Measured(), Shop(nodes, place)
        everybody = [Person(number, place, shop.address) for number in range(load.idle + load.people)]
        early, people = everybody[: load.idle], everybody[load.idle :]
        await shop.license(early, load.consents_per_s)
        await _hold(nodes, early)
        for number, one in enumerate(early):
            seen.idle_s.append(await shop.revoked(number, one))
        half = load.people // 2
        async with _meanwhile(shop.sell(load.sublicenses_per_s), _check(nodes, people)):
            await shop.license(people[:half], load.consents_per_s)
            before = [memory(one) for one in nodes]
            await shop.license(people[half:], load.consents_per_s)
            await _hold(nodes, people)
            seen.loaded_s = await _all_revoke(shop, people, load.revoked_within_s)
        seen.growth = [memory(one) / first for one, first in zip(nodes, before, strict=True)]
        seen.lost = await _lost(nodes, everybody)
        return seen


@asynccontextmanager
async def _meanwhile(*works: Coroutine[Any, Any, None]) -> AsyncIterator[None]:
    """Do these in the background; one that ends before the block does is an error."""
    tasks = [asyncio.create_task(one) for one in works]
    yield
    for task in tasks:
        task.cancel()
    ended = await asyncio.gather(*tasks, return_exceptions=True)
    if wrong := [one for one in ended if not isinstance(one, asyncio.CancelledError)]:
        raise AssertionError(f"selling or checking ended: {wrong}")


async def _all_revoke(shop: "Shop", people: Sequence[Person], within_s: float) -> list[float]:
    """Each at its time, whether or not the last has arrived; seconds of each."""
    begun, under_way = time.perf_counter(), []
    for number, one in enumerate(people):
        await asyncio.sleep(begun + number * within_s / len(people) - time.perf_counter())
        under_way.append(asyncio.create_task(shop.revoked(number, one)))
    return await asyncio.gather(*under_way)


class Shop:
    """The shop passes licenses on, and learns of revocations from the events of the first node."""

    def __init__(self, nodes: Sequence[Watched], place: Network) -> None:
        self._nodes, self._place = nodes, place
        self._account: LocalAccount = new_account()
        self.address = address_from_text(self._account.address)
        self._stock: list[tuple[Watched, Person]] = []  # each with a node that holds the consent

    async def license(self, people: Sequence[Person], per_s: float) -> None:
        """Hand consents in, at one node after the other."""
        begun = time.perf_counter()
        for number, one in enumerate(people):
            await asyncio.sleep(begun + number / per_s - time.perf_counter())
            node = self._nodes[number % len(self._nodes)]
            await node.give(one.consent)
            self._stock.append((node, one))

    async def sell(self, per_s: float) -> None:
        """Pass one license of the stock after the other on, for ever."""
        now = int(time.time())
        for number in itertools.count():
            node, one = self._stock[number % len(self._stock)]
            lab = address_from_text(new_account().address)
            offer = Sublicense(
                self.address, NOTHING, 1, NO_PARENT, lab, ("train-ai",), NOTHING, "", now, now + 86_400
            )
            ((message, hashes),) = Draft(offer, (one.consent.digest,)).messages()
            signed = sign_message(self._account, message, self._place, hashes)
            await node.give(signed)
            await asyncio.sleep(1 / per_s)

    async def revoked(self, number: int, person: Person) -> float:
        """Hand a revocation in at one node; seconds until the shop's node and another refuse."""
        door, other = (self._nodes[(number + ahead) % len(self._nodes)] for ahead in (1, 2))
        begun = time.perf_counter()
        async with asyncio.timeout(READY_S):
            await door.give(person.revocation)
            # Both wait for an event of their node's stream before they ask.
            await asyncio.gather(self._nodes[0].refuses(person), other.refuses(person))
        return time.perf_counter() - begun


async def _hold(nodes: Sequence[Watched], people: Sequence[Person]) -> None:
    """Wait until every node holds every consent."""
    for watched in nodes:

        async def all_known(watched: Watched = watched) -> bool:
            return all([await watched.says(one) != "unknown" for one in people])

        await until(f"{watched.node.name} has all consents", all_known, READY_S)


async def _check(nodes: Sequence[Watched], people: Sequence[Person]) -> None:
    """A buyer looks at some people's rows, for ever."""
    for number in itertools.count():
        at = number * CHECKED % len(people)
        for one in people[at : at + CHECKED]:
            await nodes[number % len(nodes)].says(one)
        await asyncio.sleep(1)


async def _lost(nodes: Sequence[Watched], people: Sequence[Person]) -> int:
    lost = set[Person]()
    for watched in nodes:
        lost |= {one for one in people if await watched.says(one) != "revoked"}
    return len(lost)


def memory(watched: Watched) -> int:
    """The resident memory of a node's process, bytes (proc(5))."""
    assert watched.node.process
    pages = Path(f"/proc/{watched.node.process.pid}/statm").read_text().split()[1]
    return int(pages) * PAGE_BYTES
