"""Helpers for retries: exponential backoff, a polling loop, and asking sources until one answers."""

import asyncio
import contextlib
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from random import Random
from typing import Final, TypeVar

from sayso_node.errors import NotFound

MOST_DOUBLINGS: Final = 64  # more doublings exceed any cap, and finally the range of a float

S = TypeVar("S")
T = TypeVar("T")


def backoff(first: float, failures: int, most: float) -> float:
    """Return `first` doubled for each failure, at most `most`; all in the same unit."""
    return min(first * 2.0 ** min(failures, MOST_DOUBLINGS), most)


def jittered(seconds: float, rng: Random) -> float:
    """Return `seconds` varied by up to a quarter, so that nodes do not act at the same time."""
    return seconds * rng.uniform(0.75, 1.25)


async def every(
    interval_s: float | Callable[[], float], woken: asyncio.Event | None = None
) -> AsyncIterator[bool]:
    """Yield a turn at once, and then each time `interval_s` seconds after the previous turn ended.

    Args:
        interval_s: Seconds between two turns; a function is asked when a turn has ended.
        woken: If it is set between two turns, it is cleared and False is yielded; turns yield True.
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
            turn = time() + (interval_s() if callable(interval_s) else interval_s)


async def first_answer(
    sources: Iterable[S], ask: Callable[[S], Awaitable[T]], *failures: type[Exception]
) -> T:
    """Ask the sources in order and return the first answer.

    Args:
        sources: The sources, in the order in which they are asked.
        ask: Asks one source.
        failures: Error types after which the next source is asked.

    Raises:
        NotFound: There is no source.
        Exception: All sources failed; this is the error of the first one.
    """
    first: Exception | None = None
    for source in sources:
        try:
            return await ask(source)
        except failures as error:
            first = first or error
    raise first or NotFound("no source is configured")
