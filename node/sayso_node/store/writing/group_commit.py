"""What the backends share: changes wait in a queue, and a writer commits them in groups."""

import asyncio
import contextlib
import threading
from collections.abc import Callable, Hashable, Sequence
from concurrent.futures import Future
from typing import Any, TypeVar

from sayso_node.errors import StoreDamaged, StoreUnusable
from sayso_node.store.integrity.damage import Damage
from sayso_node.store.interface import Board, Writing
from sayso_node.store.writing.commits import Commits
from sayso_node.store.writing.joining import Joint, joined
from sayso_node.store.writing.writer import Change, Writer, WriterThread

P = TypeVar("P")
T = TypeVar("T")


class GroupCommit:
    """The writing half of a Store (store/interface.py); a backend adds `_commit`.

    Args:
        name: The store's name for people.
        writer: Commits the changes.
        damage: Remembers what is found damaged.
    """

    def __init__(self, name: str, writer: Writer | None, damage: Damage) -> None:
        self._name = name
        self._damage = damage
        self._trouble: str | None = None
        self._writer = writer or WriterThread()
        self._door = threading.Lock()  # no change is queued after the writer was stopped
        self._open = False
        self._idle: list[Any] = []  # connections of readers
        self._death: Future[None] = Future()  # how the writer ended; never a result
        self._commits = Commits()

    def _commit(self, group: list[Change]) -> None:
        """Commit a group of changes; a change that raises is undone alone."""
        raise NotImplementedError

    def hold(self, *, alone: bool = False) -> None:
        """See Store."""

    @property
    def board(self) -> Board | None:
        """See Store."""
        return None

    def _begin(self) -> None:
        """Take changes from now on."""
        self._open = True
        self._writer.start(lambda group: self._commit(joined(group, self._commit)), self._die)

    def _finish(self) -> None:
        """Take no more changes, and return when all queued ones are committed."""
        with self._door:
            self._open = False
        self._writer.stop()

    def _keep(self, db: Any) -> None:
        """Keep a connection for the next reader; close it if the store was closed meanwhile."""
        self._idle.append(db)
        if not self._open:
            self._close_idle()

    def _close_idle(self) -> None:
        with contextlib.suppress(IndexError):  # another thread may close them, too
            while True:
                self._idle.pop().close()

    @property
    def name(self) -> str:
        """See Store."""
        return self._name

    async def write(self, apply: Callable[[Writing], T]) -> T:
        """See Store."""
        return await self._write(apply, None)

    async def join(
        self, key: Hashable, apply: Callable[[Writing, Sequence[P]], Sequence[T]], part: P, weight: int
    ) -> T:
        """See Store."""
        return await self._write(lambda db: apply(db, [part])[0], Joint(key, apply, part, weight))

    async def _write(self, apply: Callable[[Writing], T], joint: Joint | None) -> T:
        loop = asyncio.get_running_loop()
        future: asyncio.Future[T] = loop.create_future()

        def settle(value: Any, error: BaseException | None) -> None:
            if future.done():
                return
            if error is None:
                future.set_result(value)
            else:
                future.set_exception(error)

        def done(value: Any, error: BaseException | None) -> None:
            # If the loop is already closed, no task waits.
            with contextlib.suppress(RuntimeError):
                loop.call_soon_threadsafe(settle, value, error)

        with self._door:
            if not self._open:
                raise StoreUnusable(f"the store {self._name} is not open")
            self._writer.put(Change(apply, done, joint))
        return await future

    async def watch(self) -> None:
        """See Store."""
        await asyncio.shield(asyncio.wrap_future(self._death))

    def _die(self, error: BaseException) -> None:
        with self._door:
            self._open = False
        failure = StoreUnusable("the store's writer has ended")
        failure.__cause__ = error
        self._death.set_exception(failure)

    @property
    def trouble(self) -> str | None:
        """See Store."""
        return self._trouble

    @property
    def damage(self) -> Damage:
        """See Store."""
        return self._damage

    def _note(self, raised: BaseException | None) -> None:
        """Remember what a change raised, if the store is at fault."""
        if isinstance(raised, StoreUnusable):
            self._trouble = str(raised)
            self._noted(raised)

    def _noted(self, error: Exception) -> Exception:
        """Remember an error if it says that the store is damaged; returns it."""
        if isinstance(error, StoreDamaged):
            self._damage.report(str(error))
        return error

    @property
    def commits(self) -> int:
        """See Store."""
        return self._commits.count

    async def committed(self, seen: int) -> int:
        """See Store."""
        return await self._commits.after(seen)
