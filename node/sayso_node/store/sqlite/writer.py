"""Who commits: a thread of its own, so that nobody else waits for the disk.

The simulation passes in a writer that commits in its event loop, at moments of its choosing.
"""

import queue
import sqlite3
import threading
from collections.abc import Callable
from typing import Any, NamedTuple, Protocol

GROUP_LIMIT = 256  # changes in one commit


class Change(NamedTuple):
    """What is to be done to the store, and who is to be told of its value or its error."""

    apply: Callable[[sqlite3.Connection], Any]
    done: Callable[[Any, BaseException | None], None]


Commit = Callable[[list[Change]], None]  # never raises


class Writer(Protocol):
    """Writer hands changes to a commit, in order, those that wait for each other in one group."""

    def start(self, commit: Commit) -> None:
        """Commit by this from now on."""
        ...

    def put(self, change: Change) -> None:
        """Commit a change soon; not to be called after stop()."""
        ...

    def stop(self) -> None:
        """Return when everything that was put is committed."""
        ...


class WriterThread:
    """The writer of a real node."""

    def __init__(self) -> None:
        self._changes: queue.SimpleQueue[Change | None] = queue.SimpleQueue()
        self._thread: threading.Thread | None = None

    def start(self, commit: Commit) -> None:
        """See Writer."""
        self._thread = threading.Thread(
            target=self._run, args=(commit,), name="store-writer", daemon=True
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

    def _run(self, commit: Commit) -> None:
        """Until None comes, take all that wait and commit them as one."""
        while (change := self._changes.get()) is not None:
            group = [change]
            last = False
            while len(group) < GROUP_LIMIT and not self._changes.empty():
                change = self._changes.get()
                if change is None:
                    last = True
                    break
                group.append(change)
            commit(group)
            if last:
                return
