"""Counts commits, and wakes tasks that wait for the next one."""

import asyncio
import contextlib
import threading


class Commits:
    """The number of commits; usable in any thread."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._count = 0
        self._waiting: dict[asyncio.Future[None], asyncio.AbstractEventLoop] = {}

    @property
    def count(self) -> int:
        """Return the number of commits."""
        return self._count

    async def after(self, seen: int) -> int:
        """Wait until there were more than `seen` commits; returns their number."""
        loop = asyncio.get_running_loop()
        future: asyncio.Future[None] = loop.create_future()
        with self._lock:
            if self._count > seen:
                return self._count
            self._waiting[future] = loop
        try:
            await future
        finally:
            with self._lock:
                self._waiting.pop(future, None)
        return self._count

    def add(self) -> None:
        """Count a commit and wake the waiting tasks."""
        with self._lock:
            self._count += 1
            waiting, self._waiting = self._waiting, {}
        for future, loop in waiting.items():
            with contextlib.suppress(RuntimeError):  # the loop is closed, so no task waits
                loop.call_soon_threadsafe(_settle, future)


def _settle(future: asyncio.Future[None]) -> None:
    if not future.done():
        future.set_result(None)
