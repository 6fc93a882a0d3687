"""Counts the work of SQLite: instructions of its virtual machine, whatever the machine's load is."""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any
from unittest import mock

from sayso_node.store.sqlite.connection import SqliteConnection


class Steps:
    """Instructions so far, of all connections that were opened since."""

    count = 0

    def watch(self, db: SqliteConnection) -> None:
        """Count a connection's instructions."""
        db.set_progress_handler(self._step, 1)

    def _step(self) -> int:
        self.count += 1
        return 0


@contextmanager
def counted_steps() -> Iterator[Steps]:
    """Count the instructions of every connection opened within."""
    steps, begin = Steps(), SqliteConnection.__init__

    def opened(db: SqliteConnection, *arguments: Any, **named: Any) -> None:
        begin(db, *arguments, **named)
        steps.watch(db)

    with mock.patch.object(SqliteConnection, "__init__", opened):
        yield steps
