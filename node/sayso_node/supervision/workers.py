"""Runners: where CPU-bound work is done, in a thread or at once in the event loop.

A Runner is passed in like the clock; the simulation runs everything in one thread.
"""

import asyncio
from collections.abc import Callable
from typing import Protocol, TypeVar

T = TypeVar("T")


class Runner(Protocol):
    """Runner does CPU-bound work."""

    async def __call__(self, work: Callable[[], T], /) -> T:
        """Return the result of the work; raises what the work raises."""
        ...


async def in_thread(work: Callable[[], T], /) -> T:
    """Run the work in a thread, outside the event loop."""
    return await asyncio.to_thread(work)


async def at_once(work: Callable[[], T], /) -> T:
    """Run the work at once in the event loop; for short work and for simulations."""
    return work()
