"""Shares of what all requests use: seats and turns, both by the source of a request (sources.py).

Whoever has little is let in before whoever has much: when seats are full, a newcomer displaces one of
the source that has most, and those who wait take turns by source. So a source slows down itself first.
"""

import asyncio
from collections import Counter, OrderedDict, deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress
from typing import Final, Generic, TypeVar

from aiohttp import web

from sayso_node.errors import NodeBusy
from sayso_node.sources import Proxies

PROXIES: Final = web.RequestKey("proxies", Proxies)
T = TypeVar("T")


def source_of(request: web.BaseRequest) -> str:
    """Return the source of a request; nothing else decides who a user is."""
    headers = request.headers
    said = (headers.getall(name, ()) for name in ("X-Forwarded-For", "Forwarded"))
    return request[PROXIES].source(request.remote, *said)


class Seats(Generic[T]):
    """A bounded number of members, at most a share of them from one source.

    Args:
        size: Number of seats.
        share: Number of seats that one source may have.
        what: What the members are, for the refusal.
    """

    def __init__(self, size: int, share: int, what: str) -> None:
        self._size, self._share, self._what = size, share, what
        self._taken: dict[T, str] = {}  # the members in the order of arrival

    def take(self, source: str, member: T) -> T | None:
        """Seat a member and return the one that it displaces, if any; raises NodeBusy."""
        counts = Counter(self._taken.values())
        if counts[source] >= self._share:
            raise NodeBusy(f"your address has {self._share} {self._what} here already; end one first")
        displaced = None
        if len(self._taken) >= self._size:
            [(largest, most)] = counts.most_common(1)
            if most <= counts[source] + 1:
                raise NodeBusy(f"this node has {self._size} {self._what} already; try another node")
            displaced = next(one for one, of in self._taken.items() if of == largest)
            del self._taken[displaced]
        self._taken[member] = source
        return displaced

    def leave(self, member: T) -> None:
        """Free the seat of a member, if it has one."""
        self._taken.pop(member, None)


class Turns:
    """Work of which only a few run at once; those who wait take turns by source.

    Args:
        at_once: How many run.
        waiting: How many may wait.
        share: How many of one source may wait.
        what: What waits, for the refusal.
    """

    def __init__(self, at_once: int, waiting: int, share: int, what: str) -> None:
        self._free, self._waiting, self._share, self._what = at_once, waiting, share, what
        self._queues: OrderedDict[str, deque[asyncio.Future[None]]] = OrderedDict()

    @asynccontextmanager
    async def turn(self, source: str) -> AsyncIterator[None]:
        """Wait for a turn and hold it for the block; raises NodeBusy if too many wait."""
        if self._free > 0:
            self._free -= 1
        else:
            await self._wait(source)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, source: str) -> None:
        queue = self._queues.get(source, ())
        if len(queue) >= self._share:
            raise NodeBusy(f"{self._share} {self._what} of your address wait already; try again soon")
        if sum(map(len, self._queues.values())) >= self._waiting:
            self._displace(len(queue))
        future: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._queues.setdefault(source, deque()).append(future)
        try:
            await future
        except BaseException:
            if future.done() and not future.cancelled() and future.exception() is None:
                self._pass_on()  # cancelled after it got its turn
            self._remove(source, future)
            raise

    def _displace(self, own: int) -> None:
        """Refuse the last that waits of the source with most, in favour of a source with less."""
        largest = max(self._queues.values(), key=len)
        busy = NodeBusy(f"{self._waiting} {self._what} wait already; try again soon")
        if len(largest) <= own + 1:
            raise busy
        largest.pop().set_exception(busy)

    def _pass_on(self) -> None:
        """Give the turn to the next source in line, or keep it free."""
        while self._queues:
            source, queue = next(iter(self._queues.items()))
            future = queue.popleft() if queue else None
            self._queues.move_to_end(source)
            if not queue:
                del self._queues[source]
            if future and not future.done():
                future.set_result(None)
                return
        self._free += 1

    def _remove(self, source: str, future: "asyncio.Future[None]") -> None:
        queue = self._queues.get(source, deque[asyncio.Future[None]]())
        with suppress(ValueError):
            queue.remove(future)
        if not queue:
            self._queues.pop(source, None)
