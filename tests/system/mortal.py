"""`python mortal.py FOLDER POINT... [--fault FAULT]`: a node that is killed at chosen moments.

A point is VICTIM:PLACE:COUNT: the COUNT-th time the node comes to PLACE, VICTIM (`node`, or `child` for
its gossip process) gets SIGKILL. The first point counts from the first message that is handed in, the
next from there. Everything else is as in `python -m sayso_node`. A fault breaks a promise on purpose: a
test has to notice it.
"""

import argparse
import functools
import inspect
import os
import signal
import threading
from collections.abc import Callable
from typing import Any, Final
from unittest import mock

from aiohttp import web

from sayso_node.__main__ import main as run_node
from sayso_node.api.routes.messages import MessageRoutes
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.gossip.process import GossipProcess
from sayso_node.intake.intake import Intake
from sayso_node.store import messages
from sayso_node.store.sqlite import engine
from sayso_node.store.writing.commits import Commits
from sayso_node.store.writing.writer import Change
from sayso_node.verdicts.signer import Signer

BEFORE, AFTER = "before", "after"

# From the socket to the peers, in the order in which a revocation comes by.
PLACES: Final[dict[str, tuple[Any, str, str]]] = {
    "started": (GossipProcess, "start", AFTER),
    "received": (MessageRoutes, "submit", BEFORE),
    "verified": (Intake, "_keep", BEFORE),
    "changed": (engine, "_apply", AFTER),  # in a transaction that is not committed
    "committed": (Commits, "add", BEFORE),  # and nobody was told
    "kept": (Intake, "take", AFTER),
    "handed-on": (Broadcast, "publish", AFTER),
    "promising": (messages, "keep_acknowledgement", BEFORE),
    "promised": (Signer, "acknowledge", AFTER),
    "answering": (MessageRoutes, "submit", AFTER),
    "answered": (web.Response, "write_eof", AFTER),
    "relaying": (GossipProcess, "publish", BEFORE),
    "relayed": (GossipProcess, "publish", AFTER),
}
EAGER_GROUPS: Final = 3  # a node starts in them


class Fate:
    """Counts down to the moment of each point."""

    def __init__(self, points: list[str]) -> None:
        self._points = [(victim, place, int(count)) for victim, place, count in map(_parts, points)]
        self._seen = 0
        self._begun = False
        self._door = threading.Lock()  # some places are in the store's thread
        self._gossip: GossipProcess | None = None

    def attend(self) -> None:
        """Stand at every place."""
        for place, (owner, name, when) in PLACES.items():
            reached = functools.partial(self._reached, place)
            setattr(owner, name, _watched(getattr(owner, name), reached, when))

    def _reached(self, place: str, subject: object) -> None:
        with self._door:
            if isinstance(subject, GossipProcess):
                self._gossip = subject
            self._begun |= place == "received"
            if not self._begun or not self._points or self._points[0][1] != place:
                return
            victim, _, count = self._points[0]
            self._seen += 1
            pid = os.getpid() if victim == "node" else self._gossip.pid if self._gossip else None
            if self._seen >= count and pid:
                self._points.pop(0)
                self._seen = 0
                os.kill(pid, signal.SIGKILL)


def _parts(point: str) -> list[str]:
    parts = point.split(":")
    assert parts[1] in PLACES, point
    return parts


def _watched(
    function: Callable[..., Any], reached: Callable[[object], None], when: str
) -> Callable[..., Any]:
    """The function, telling each time before it begins or after it has ended well."""

    def tell(moment: str, subject: object) -> None:
        if moment == when:
            reached(subject)

    @functools.wraps(function)
    def plain(subject: object, *arguments: Any, **named: Any) -> Any:
        tell(BEFORE, subject)
        value = function(subject, *arguments, **named)
        tell(AFTER, subject)
        return value

    @functools.wraps(function)
    async def waiting(subject: object, *arguments: Any, **named: Any) -> Any:
        tell(BEFORE, subject)
        value = await function(subject, *arguments, **named)
        tell(AFTER, subject)
        return value

    return waiting if inspect.iscoroutinefunction(function) else plain


def commit_late() -> None:
    """Let the store answer as soon as a change is made, and commit no more once the node has started."""
    groups = 0

    def commit(store: engine.Engine, group: list[Change]) -> None:
        nonlocal groups
        db = store._writing
        assert db
        if not db.in_transaction:
            db.execute("BEGIN IMMEDIATE")
        results = [engine._apply(db, change) for change in group]
        groups += 1
        if groups <= EAGER_GROUPS:
            db.execute("COMMIT")
        for change, (value, raised) in zip(group, results, strict=True):
            change.done(value, raised)

    mock.patch.object(engine.Engine, "_commit", commit).start()


def forget_promises() -> None:
    """Let every acknowledgement be a new one."""
    mock.patch.object(messages, "keep_acknowledgement", lambda _db, _digest, body: body).start()


FAULTS: Final = {"commit-late": commit_late, "forget-promises": forget_promises}


def main() -> int:
    """Run the node until fate comes."""
    parser = argparse.ArgumentParser()
    parser.add_argument("folder")
    parser.add_argument("points", nargs="*")
    parser.add_argument("--fault", choices=FAULTS)
    options = parser.parse_args()
    if options.fault:
        FAULTS[options.fault]()
    Fate(options.points).attend()
    return run_node([options.folder])


if __name__ == "__main__":
    raise SystemExit(main())
