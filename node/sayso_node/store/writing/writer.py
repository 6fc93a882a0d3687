"""Commits the store's changes in a thread of its own, so that no other thread waits for the disk.

The simulation passes in a writer that commits in the event loop at moments that it chooses.
"""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple, Protocol

from sayso_node.errors import StoreUnusable
from sayso_node.store.interface import Writing

GROUP_LIMIT = 256  # changes in one commit


class Change(NamedTuple):
    """A change to the store.

    Attributes:
        apply: The change.
        done: Gets its result or its error.
        joint: With which others it may be joined (joining.py); None if with none.
    """

    apply: Callable[[Writing], Any]
    done: Callable[[Any, BaseException | None], None]
    joint: Any = None


Commit = Callable[[list[Change]], None]  # raises only on a programming error
Died = Callable[[BaseException], None]


class Writer(Protocol):
    """Writer passes changes to a commit function in order; changes that wait together form one group."""

    def start(self, commit: Commit, died: Died) -> None:
        """Start committing with `commit`; `died` is called once if the writer ends by itself."""
        ...

    def put(self, change: Change) -> None:
        """Queue a change; not allowed after stop()."""
        ...

    def stop(self) -> None:
        """Return when all queued changes are committed."""
        ...


class WriterThread:
    """The writer of a real node."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, commit: Commit, died: Died) -> None:
        """See Writer."""
        self._thread = threading.Thread(
            target=self._run, args=(commit, died), name="store-writer", daemon=True
        )
        self._thread.start()

    def put(self, change: Change) -> None:
        """See Writer; usable in any thread."""
        self._changes.put(change)

    def stop(self) -> None:
        """See Writer."""
        self._changes.put(None)
        if self._thread:
            self._thread.join()

    def _run(self, commit: Commit, died: Died) -> None:
        """Commit until None arrives; if the thread fails, waiting changes are refused."""
        group, last = list[Change](), False
        try:
            while not last:
                group, last = self._next_group()
                if group:
                    commit(group)
        except BaseException as error:  # noqa: BLE001 - the thread ends, so the error is passed on
            died(error)  # no change is queued from now on
            for change in (*group, *self._left()):
                change.done(None, StoreUnusable("the store's writer has ended"))

    def _next_group(self) -> tuple[list[Change], bool]:
        """Return the waiting changes, at most GROUP_LIMIT, and whether they are the last."""
        group = list[Change]()
        while not group or (len(group) < GROUP_LIMIT and not self._changes.empty()):
            change = self._changes.get()
            if change is None:
                return group, True
            group.append(change)
        return group, False

    def _left(self) -> Iterator[Change]:
        while not self._changes.empty():
            if change := self._changes.get():
                yield change
