"""Wakes those who wait for commits of other processes: by LISTEN, and by looking every second.

A notification only says when to look: what counts is the number of commits in the database. So nothing
is missed if a notification is, or the connection that would have brought it.
"""

import contextlib
import os
import select
import threading
from collections.abc import Callable
from typing import Any, Final

import psycopg

from sayso_node.errors import StoreUnusable
from sayso_node.store.postgres.connection import connect

POLL_S: Final = 1.0
LOOK_PAUSE_S: Final = 0.02  # between two looks, so that many commits cost few
_LISTEN: Final = (
    "DO $body$ BEGIN EXECUTE 'LISTEN ' || quote_ident(commits_channel()); END $body$",
    "SELECT commits FROM store_state",
)


class Listener:
    """Calls `wake`, in a thread of its own, after commits of any process, until stop()."""

    def __init__(self, dsn: str, wake: Callable[[], object]) -> None:
        self._dsn = dsn
        self._wake = wake
        self._seen: int | None = None
        self._ended, self._end = os.pipe()  # it closes when the listener is to end
        self._thread = threading.Thread(target=self._run, name="store-listener", daemon=True)
        self._thread.start()

    def stop(self) -> None:
        """End the thread."""
        if self._thread.is_alive():
            os.close(self._end)
            self._thread.join()
            os.close(self._ended)

    def _run(self) -> None:
        while True:
            try:
                with contextlib.closing(connect(self._dsn, name="sayso listener")) as db:
                    self._follow(db)
            except (psycopg.Error, StoreUnusable):
                if self._is_ended(POLL_S):  # it is lost: connect again
                    return
            else:
                return

    def _follow(self, db: psycopg.Connection[Any]) -> None:
        """Look after each notification, and every second; returns when the listener is to end."""
        db.autocommit = True
        listen, look = _LISTEN
        db.execute(listen)  # before the first look, so that no commit falls between them
        while True:
            for _ in db.notifies(timeout=0):  # of commits that this look sees
                pass
            row = db.execute(look).fetchone()
            if row and row[0] != self._seen:
                self._seen = row[0]
                self._wake()
            if self._is_ended(LOOK_PAUSE_S) or self._is_ended(POLL_S, db):
                return

    def _is_ended(self, wait_s: float, db: psycopg.Connection[Any] | None = None) -> bool:
        """Wait, at most until a notification; returns whether the listener is to end."""
        watched = [self._ended, db.fileno()] if db else [self._ended]
        ready, _, _ = select.select(watched, [], [], wait_s)
        return self._ended in ready
