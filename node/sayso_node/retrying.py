"""One backoff, one polling loop, and one way to ask several sources until one answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from random import Random
from typing import Final, TypeVar

from sayso_node.errors import NotFound

MOST_DOUBLINGS: Final = 64  # beyond it every cap is reached, and a float has an end

S = TypeVar("S")
T = TypeVar("T")


def backoff(first: float, failures: int, most: float) -> float:
    """`first`, doubled for each failure, but never above `most`; in the unit of both."""
    return min(first * 2.0 ** min(failures, MOST_DOUBLINGS), most)


def jittered(seconds: float, rng: Random) -> float:
    """About so many seconds, a quarter more or less, so that not all nodes act at the same time."""
    return seconds * rng.uniform(0.75, 1.25)


async def every(interval_s: float, woken: asyncio.Event | None = None) -> AsyncIterator[bool]:
    """Turns, for ever: one at once, and each next one `interval_s` seconds after the last was over.

    Args:
        interval_s: Seconds between two turns.
        woken: If it is set between two turns, False is given, and the event cleared; turns give True.
    """
    event, time = woken or asyncio.Event(), asyncio.get_running_loop().time
    turn = time()
    while True:
        with contextlib.suppress(TimeoutError):
            async with asyncio.timeout_at(turn):
                await event.wait()
        event.clear()
        is_turn = time() >= turn
        yield is_turn
        if is_turn:
            turn = time() + interval_s


async def first_answer(
    sources: Iterable[S], ask: Callable[[S], Awaitable[T]], *failures: type[Exception]
) -> T:
    """What the first source answers that does not fail, asked one after the other.

    Args:
        sources: Whom to ask, in this order.
        ask: Asks one of them.
        failures: Errors upon which the next source is asked.

    Raises:
        NotFound: There is no source.
        Exception: The failure of the first source, when all of them fail.
    """
    first: Exception | None = None
    for source in sources:
        try:
            return await ask(source)
        except failures as error:
            first = first or error
    raise first or NotFound("there is nobody to ask")
