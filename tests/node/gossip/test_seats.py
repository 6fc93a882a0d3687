"""Requests of strangers share their seats by source, so that slow ones of one address leave room."""

from collections import Counter
from collections.abc import Awaitable, Callable
from typing import Any

import pytest
import trio
import trio.testing

from node.gossip.harness import SYNC, configuration
from sayso_node.gossip.requests import Requests
from sayso_node.gossip.seats import SharedSeats

SEATS = 4
CONFIG = configuration(1, [], requests_at_once=SEATS)


class Slow:
    """A stream on which a request never comes to its end, or comes at once."""

    def __init__(self, peer: str, ip: str, request: bytes = b"") -> None:
        self.muxed_conn: Any = self
        self.peer_id: Any = self
        self.name, self.ip, self.request = peer, ip, request
        self.answer = b""
        self.ended = False

    def to_base58(self) -> str:
        return self.name

    def get_remote_address(self) -> tuple[str, int]:
        return self.ip, 1

    async def read(self, n: int) -> bytes:
        if not self.request:
            await trio.sleep_forever()
        part, self.request = self.request[:n], self.request[n:]
        return part

    async def write(self, data: bytes) -> None:
        self.answer += data

    async def close(self) -> None:
        """Nothing is held."""


async def reverse(_protocol: str, body: bytes, _peer: str) -> bytes:
    return body[::-1]


async def nobody(_peer: object) -> None:
    raise NotImplementedError


def handler(tally: Counter[str]) -> Callable[[Any], Awaitable[None]]:
    handlers: dict[str, Any] = {}

    class Host:
        def set_stream_handler(self, protocol: str, handle: Any) -> None:
            handlers[protocol] = handle

    requests = Requests(Host(), CONFIG, nobody, tally)  # type: ignore[arg-type]
    requests.serve(reverse)
    handle: Callable[[Any], Awaitable[None]] = handlers[SYNC]
    return handle


def test_slow_requests_of_one_address_leave_seats_for_others() -> None:
    tally = Counter[str]()

    async def main() -> None:
        handle = handler(tally)

        async def come(stream: Slow) -> None:
            try:
                await handle(stream)
            except trio.TooSlowError:
                stream.ended = True

        async with trio.open_nursery() as nursery:
            slow = [Slow(f"stranger {number}", "10.0.0.1") for number in range(2 * SEATS)]
            for one in slow:
                nursery.start_soon(come, one)
                await trio.testing.wait_all_tasks_blocked()
            assert [one.ended for one in slow] == [False] * SEATS + [True] * SEATS
            honest = Slow("honest", "10.0.0.2", b"\x03abc")
            await come(honest)
            assert honest.answer == b"\x03cba"
            assert not slow[0].ended
            assert tally["requests_refused"] == SEATS + 1
            nursery.cancel_scope.cancel()

    trio.run(main)


def test_who_has_as_many_as_all_others_displaces_nobody() -> None:
    seats = SharedSeats[int](2)
    with seats.taken("a", 1), seats.taken("b", 2):
        with seats.taken("c", 3) as displaced:
            assert displaced == 3
        with seats.taken("a", 4) as displaced:
            assert displaced == 4
    with seats.taken("a", 1), seats.taken("a", 2), seats.taken("b", 3) as displaced:
        assert displaced == 2
        assert (seats.count("a"), seats.count("b")) == (1, 1)
    assert (seats.count("a"), seats.count("b")) == (0, 0)


@pytest.mark.parametrize("count", [1, SEATS])
def test_seats_are_given_back(count: int) -> None:
    seats = SharedSeats[int](SEATS)
    for _ in range(3):
        for number in range(count):
            with seats.taken("a", number) as displaced:
                assert displaced is None
