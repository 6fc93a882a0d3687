"""An asyncio event loop without time of its own: it jumps to the next thing that happens.

Nothing in it waits for the machine. What would run in a thread runs in the loop, at its turn. Each task
belongs to whoever was running when it was made, so that a machine that loses power takes all of its
tasks with it, and nobody else's.
"""

import asyncio
import contextvars
from collections.abc import Callable, Coroutine, Generator
from typing import Any, Protocol

IDLE_TURNS = 1_000_000  # without time going on: something runs in a circle
CLOCK_RESOLUTION_S = 1e-9


class Owner(Protocol):
    """Owner has tasks, in the order in which they were made."""

    tasks: dict[asyncio.Task[Any], None]


OWNER: contextvars.ContextVar[Owner | None] = contextvars.ContextVar("owner", default=None)


class NothingHappens(Exception):
    """Everybody waits for somebody, and nobody for a moment in time; or nobody waits at all."""


class _Jump:
    """Selector that has no sockets: waiting is moving the clock."""

    def __init__(self, loop: "VirtualLoop") -> None:
        self._loop = loop
        self._idle = 0

    def select(self, timeout: float | None) -> list[Any]:
        if timeout is None:
            raise NothingHappens("everybody waits, and nothing is due")
        self._idle = 0 if timeout else self._idle + 1
        if self._idle > IDLE_TURNS:
            raise NothingHappens(f"{IDLE_TURNS} turns of the loop at {self._loop.time()} s")
        self._loop.moment += timeout
        return []

    def close(self) -> None:
        pass


class VirtualLoop(asyncio.BaseEventLoop):
    """Time goes on when there is nothing left to do now."""

    def __init__(self) -> None:
        super().__init__()
        self.moment = 0.0  # seconds since the start
        self.interruption: BaseException | None = None  # the time limit of a test, for example
        self._selector = _Jump(self)
        self._clock_resolution = CLOCK_RESOLUTION_S
        self.set_task_factory(_owned_task)

    def time(self) -> float:
        return self.moment

    def run_in_executor(  # type: ignore[override]
        self, _executor: None, func: Callable[..., Any], *args: Any
    ) -> asyncio.Future[Any]:
        """In a thread it would run whenever the machine likes."""
        future = self.create_future()
        self.call_soon(_run_into, future, func, args)
        return future

    def call_exception_handler(self, context: dict[str, Any]) -> None:
        """Nobody in the simulation can handle an interruption: it ends the run."""
        error = context.get("exception")
        if isinstance(error, BaseException) and not isinstance(error, Exception):
            self.interruption = error
            self.stop()
        super().call_exception_handler(context)

    def _process_events(self, _events: list[Any]) -> None:
        pass

    def _write_to_self(self) -> None:
        """Nobody has to be woken: there are no threads."""


def _run_into(future: asyncio.Future[Any], func: Callable[..., Any], args: tuple[Any, ...]) -> None:
    if future.cancelled():
        return
    try:
        future.set_result(func(*args))
    except Exception as error:  # noqa: BLE001 - it belongs to whoever waits
        future.set_exception(error)


def _owned_task(
    loop: asyncio.AbstractEventLoop,
    coroutine: Coroutine[Any, Any, Any] | Generator[Any, None, Any],
    context: contextvars.Context | None = None,
) -> asyncio.Task[Any]:
    task: asyncio.Task[Any] = asyncio.Task(coroutine, loop=loop, context=context)
    if owner := context.get(OWNER) if context else OWNER.get():
        owner.tasks[task] = None
        task.add_done_callback(lambda done: owner.tasks.pop(done, None))
    return task


def context_of(owner: Owner) -> contextvars.Context:
    """A context whose tasks belong to somebody."""
    context = contextvars.Context()
    context.run(OWNER.set, owner)
    return context


def run(main: Callable[[VirtualLoop], Coroutine[Any, Any, Any]]) -> Any:
    """Run to the end in a loop of its own; what is left over then is cancelled."""
    loop = VirtualLoop()
    asyncio.set_event_loop(loop)
    try:
        return loop.run_until_complete(main(loop))
    except RuntimeError as stopped:
        raise loop.interruption or stopped from None
    finally:
        _cancel_all(loop)
        asyncio.set_event_loop(None)
        loop.close()


def _cancel_all(loop: VirtualLoop) -> None:
    left = sorted(asyncio.all_tasks(loop), key=lambda task: task.get_name())
    for task in left:
        task.cancel()
    if left:
        loop.run_until_complete(asyncio.gather(*left, return_exceptions=True))
