"""Where work is done that would hold up the event loop: in a thread, or where a test wants it.

Runner is passed in like clock and network: a simulation runs everything in one thread.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Runner(Protocol):
    """Runner does a piece of work that asks for nothing but time."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """What the work returns; raises what it raises."""
        ...


async def in_thread(work: Callable[[], T], /) -> T:
    """Off the event loop."""
    return await asyncio.to_thread(work)


async def at_once(work: Callable[[], T], /) -> T:
    """Here and now, for what is short, and for simulations."""
    return work()
