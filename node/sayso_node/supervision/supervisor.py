"""Runs the parts of a node and restarts a part that ends by itself.

A part is a coroutine that never returns. When it ends, with an exception or without, its traceback is
logged, the alarm `part-failed` and /readyz (503) name it, and it is restarted after a growing pause. It
counts as running again after RUNS_S. If a part fails FAILURES times within WINDOW_S or cannot be
restarted, `failure` raises and the process ends with that error. A part that is cancelled from outside
has not failed.
"""

import asyncio
import contextlib
from collections import deque
from collections.abc import Awaitable, Callable, Iterator, Mapping
from typing import NamedTuple, NoReturn

from sayso_node.errors import PartFailed
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import backoff

log = logger(__name__)

PAUSE_MIN_S = 0.5  # before the first restart; doubled with each further failure
PAUSE_MAX_S = 30.0
RUNS_S = 5.0  # a part that has run so long counts as running again
FAILURES = 8  # of one part within the window; then the process ends
WINDOW_S = 600.0


class Part(NamedTuple):
    """A coroutine that runs until the node stops.

    Attributes:
        run: Runs the part until it is cancelled.
        restarts: Whether the part can run again after a failure.
    """

    run: Callable[[], Awaitable[None]]
    restarts: bool = True


class Supervisor:
    """Runs parts by name and restarts those that fail."""

    def __init__(self, alarms: Alarms, counters: Counters) -> None:
        self._alarms = alarms
        self._counters = counters
        self._names: list[str] = []
        self._down: set[str] = set()
        self._tasks: list[asyncio.Task[None]] = []
        self._over = asyncio.Event()
        self._failure: PartFailed | None = None

    def start(self, parts: Mapping[str, Part]) -> None:
        """Run these parts until stop()."""
        self._names += parts
        self._tasks += [
            asyncio.create_task(self._keep(name, part), name=name) for name, part in parts.items()
        ]

    async def stop(self) -> None:
        """Cancel all parts; returns when they have ended."""
        for task in self._tasks:
            task.cancel()
        await asyncio.gather(*self._tasks, return_exceptions=True)

    def down(self) -> list[str]:
        """The names of the parts that do not run at the moment, sorted."""
        return sorted(self._down)

    def up(self) -> dict[str, bool]:
        """Return for each part whether it runs at the moment."""
        return {name: name not in self._down for name in self._names}

    async def failure(self) -> NoReturn:
        """Wait until a part has failed for good; raises PartFailed."""
        await self._over.wait()
        assert self._failure  # noqa: S101 - set before the event
        raise self._failure

    async def _keep(self, name: str, part: Part) -> None:
        """Run a part and restart it until it fails for good."""
        loop = asyncio.get_running_loop()
        failures = deque[float](maxlen=FAILURES)
        while True:
            running = loop.call_later(RUNS_S, self._mark, name)
            try:
                error = await _end_of(part)
            finally:
                running.cancel()
            self._mark(name, down=True)
            log.error("part-failed", part=name, exc_info=error)
            failures.append(loop.time())
            recent = sum(failures[-1] - one <= WINDOW_S for one in failures)
            if not part.restarts or recent == FAILURES:
                self._give_up(name, part)
                return
            await asyncio.sleep(pause_s(recent))
            self._counters.add("parts_restarted")

    def _mark(self, name: str, *, down: bool = False) -> None:
        """Record whether a part is down, and update the alarm."""
        (self._down.add if down else self._down.discard)(name)
        self._alarms.set("part-failed", ", ".join(self.down()) or None)

    def _give_up(self, name: str, part: Part) -> None:
        how = f"failed {FAILURES} times within {WINDOW_S:g} s" if part.restarts else "cannot go on"
        self._failure = self._failure or PartFailed(
            f"the {name} {how}, so the node ends: the log says why; what was acknowledged is kept"
        )
        self._over.set()


def pause_s(failures: int) -> float:
    """Return the pause in seconds after so many failures."""
    return backoff(PAUSE_MIN_S, failures - 1, PAUSE_MAX_S)


@contextlib.contextmanager
def contained(counters: Counters, what: str) -> Iterator[None]:
    """Count and log an exception that one peer, answer or row caused, so that the part keeps running."""
    try:
        yield
    except Exception:  # expected errors are handled inside
        counters.add("faults")
        log.exception("item-failed", item=what)


async def _end_of(part: Part) -> BaseException | None:
    """Return why a part ended, None if it returned; raises CancelledError if we are cancelled."""
    try:
        await part.run()
    except asyncio.CancelledError as error:
        task = asyncio.current_task()
        if task and task.cancelling():
            raise
        return error  # the part cancelled itself; nobody cancelled this task
    except Exception as error:  # noqa: BLE001 - any error ends the part
        return error
    return None
