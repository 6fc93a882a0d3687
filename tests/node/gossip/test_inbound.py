"""Inbound connections are bounded in total and by source, also before anybody has an identity."""

from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from types import SimpleNamespace
from typing import Any

import trio
import trio.testing
from multiaddr import Multiaddr

from node.gossip.harness import configuration
from sayso_node.gossip.host.inbound import guard_inbound

WHERE = Multiaddr("/ip4/127.0.0.1/tcp/4600")
MOST, EACH = 12, 5
CONFIG = configuration(1, [], max_connections=MOST + 8, max_connections_per_ip=EACH)


class Socket:
    """A connection from an address, of which nothing is heard until it is closed."""

    def __init__(self, ip: str) -> None:
        self.ip = ip
        self.closed = trio.Event()
        self.stream = self.socket = self

    def getpeername(self) -> tuple[str, int]:
        return self.ip, 1

    async def aclose(self) -> None:
        self.closed.set()

    close = aclose


class Door:
    """The inbound side of a host; `open` are the connections that were not closed."""

    def __init__(self, nursery: trio.Nursery) -> None:
        self._nursery = nursery
        self._came: list[Socket] = []
        self.tally: Counter[str] = Counter()
        swarm: Any = SimpleNamespace(upgrade_inbound_raw_conn=self._hear_nothing)
        nobody: Any = SimpleNamespace(is_banned=lambda _peer: False)
        guard_inbound(swarm, CONFIG, self.tally, nobody)
        self._handle = swarm._do_handle_inbound_connection

    async def _hear_nothing(self, raw: Any, _where: Multiaddr) -> None:
        await raw.stream.closed.wait()
        raise ConnectionError

    async def come(self, ip: str) -> Socket:
        socket = Socket(ip)
        self._came.append(socket)
        self._nursery.start_soon(self._handle, socket, WHERE, None)
        await trio.testing.wait_all_tasks_blocked()
        return socket

    @property
    def open(self) -> Counter[str]:
        return Counter(one.ip for one in self._came if not one.closed.is_set())


@asynccontextmanager
async def door() -> AsyncIterator[Door]:
    async with trio.open_nursery() as nursery:
        yield Door(nursery)
        nursery.cancel_scope.cancel()


def test_the_source_with_most_gives_up_its_newest() -> None:
    async def main() -> None:
        assert CONFIG.max_inbound == MOST
        async with door() as here:
            first = await here.come("10.0.0.1")
            for number in range(1, 5):
                for _ in range(EACH - (number == 1)):
                    await here.come(f"10.0.0.{number}")
                    assert here.open.total() <= MOST
            newcomer = await here.come("10.0.0.9")
            assert not newcomer.closed.is_set()
            assert not first.closed.is_set()
            assert here.open.total() == MOST
            assert max(here.open.values()) <= EACH - 1
            assert here.tally["connections_refused"] == 4 * EACH + 1 - MOST

    trio.run(main)


def test_a_source_has_so_many_and_each_that_ends_makes_room() -> None:
    async def main() -> None:
        async with door() as here:
            mine = [await here.come("10.0.0.1") for _ in range(EACH + 2)]
            assert [one.closed.is_set() for one in mine] == [False] * EACH + [True] * 2
            await mine[0].aclose()
            await trio.testing.wait_all_tasks_blocked()
            assert not (await here.come("10.0.0.1")).closed.is_set()
            assert here.open == {"10.0.0.1": EACH}

    trio.run(main)


def test_who_opens_one_after_the_other_pushes_out_nobody_but_himself() -> None:
    async def main() -> None:
        async with door() as here:
            honest = [await here.come(f"10.0.{number}.1") for number in range(MOST - EACH)]
            for _ in range(3 * EACH):
                await here.come("10.9.9.9")
            others = [await here.come(f"10.1.{number}.1") for number in range(EACH - 1)]
            assert not any(one.closed.is_set() for one in honest + others)
            assert here.open["10.9.9.9"] == 1

    trio.run(main)
