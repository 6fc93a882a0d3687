"""Waiting for a condition instead of a fixed time."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from typing import Final, TypeVar

from sayso.errors import DemoFailed

STEP_POLL_S: Final = 0.03
STEP_TIMEOUT_S: Final = 20.0

T = TypeVar("T")


async def until(condition: str, look: Callable[[], Awaitable[T | None]], patience_s: float) -> T:
    """Poll `look` until it returns a true value; raises DemoFailed with `condition`."""
    deadline = time.monotonic() + patience_s
    while True:
        seen = await look()
        if seen:
            return seen
        if time.monotonic() > deadline:
            raise DemoFailed(f"{condition}: not within {patience_s:.0f} s")
        await asyncio.sleep(STEP_POLL_S)
