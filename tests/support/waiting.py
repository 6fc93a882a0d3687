"""Tests wait for a condition, never for a time."""

import asyncio
import time
from collections.abc import Awaitable, Callable

DEADLINE_S = 120.0  # generous: the machine may be busy, and only a failure waits for it
POLL_S = 0.005


async def until(
    condition: Callable[[], object | Awaitable[object]],
    deadline_s: float = DEADLINE_S,
    poll_s: float = POLL_S,
) -> None:
    """Return when the condition holds, or what it returns does when awaited; fail at the deadline."""
    end = time.monotonic() + deadline_s
    while True:
        holds = condition()
        if isinstance(holds, Awaitable):
            holds = await holds
        if holds:
            return
        assert time.monotonic() < end, f"not within {deadline_s} s: {condition}"
        await asyncio.sleep(poll_s)
