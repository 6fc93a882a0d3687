"""Publishes snapshots of the whole state from time to time, and deltas in between.

Nothing is published while the node may not speak (freshness.py), and each file states the moment for
which it holds (rule 13.2). Another process builds the body (building.py); this part signs it. A delta
has what is newer than the part before it; after a start there is none, so the first file is a snapshot.
"""

import asyncio
from collections.abc import Callable, Iterable
from pathlib import Path
from typing import Final

import msgspec
from nacl.signing import SigningKey

from sayso_node.freshness import Freshness, View
from sayso_node.interfaces import Clock
from sayso_node.snapshots.building import DAMAGED, After, Made, Order
from sayso_node.snapshots.shelf import Published, SnapshotShelf
from sayso_node.store.snapshots.news import Cursor
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.children import answer_of
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_protocol.network import Network
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.part import signed_part
from sayso_protocol.snapshots.snapshot import link_after

LIFETIME_S: Final = 86_400  # a buyer's max age is the stricter limit
DELTAS: Final = 12  # after so many, a snapshot: a gate looks rows up in each delta
SHARE: Final = 8  # or once the deltas have an eighth of what the snapshot has
FEW: Final = 4_096  # keys and names; fewer do not cause a snapshot
LAG_S: Final = 600.0  # by which a file may be older because of whom it heeds
WAIT_S: Final = 1.0  # pause while the node may not speak
SNAPSHOT_AGAIN_S: Final = 30.0  # after a failure
_BODY: Final = "body"

log = logger(__name__)


class SnapshotPublisher:
    """Makes snapshots and deltas.

    Attributes:
        shelf: The published files.
    """

    def __init__(
        self,
        network: Network,
        store: str,
        folder: Path,
        freshness: Freshness,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
        *,
        interval_s: float,
        heeded: Iterable[bytes] = (),
        alarms: Alarms | None = None,
        damaged: Callable[[str], object] = bool,
    ) -> None:
        """Keep the parts that a snapshot needs; `damaged` is called when the store is found damaged."""
        self._alarms = alarms or Alarms()
        self._damaged = damaged
        self._network = network
        self._store = store
        self._folder = folder
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._interval_s = interval_s
        self._heeded = tuple(sorted(heeded))
        self.shelf = SnapshotShelf(folder)
        self._cursor: Cursor | None = None  # what the published parts contain

    async def run(self) -> None:
        """Publish until cancelled, with retries after failures."""
        is_open = False
        while True:
            try:
                if not is_open:
                    await asyncio.to_thread(self.shelf.open)
                    is_open = True
                wait_s = self._interval_s if await self.publish() else min(WAIT_S, self._interval_s)
                self._alarms.end("snapshots-failed")
            except OSError as error:
                self._counters.add("snapshots_failed")
                self._alarms.start("snapshots-failed", str(error))
                log.warning("snapshot-failed", error=error)
                wait_s = min(SNAPSHOT_AGAIN_S, self._interval_s)
            await asyncio.sleep(wait_s)

    async def publish(self) -> Published | None:
        """Publish one file; None while the node may not speak. Raises OSError."""
        now = self._clock.now()
        view, heeded = self._view(now)
        if view.silence:
            return None
        made = await self._make(view.confirmed, heeded)
        if self._freshness.view(self._clock.now(), LIFETIME_S).silence:
            return None  # it fell silent meanwhile; the next file has what this one would have had
        part = await asyncio.to_thread(self._write, made, now, view)
        self._counters.add("snapshots")
        return part

    def _view(self, now: float) -> tuple[View, tuple[bytes, ...]]:
        """Return what a file may speak from, and whom it can heed (rule 13.2.4).

        Peers that do not heed an address keep none of its disputes. An address is left out rather than
        making the file much older.
        """
        view = self._freshness.view(now, LIFETIME_S)
        own = {one: self._freshness.view(now, LIFETIME_S, (one,)) for one in self._heeded}
        heeded = tuple(
            one for one, its in own.items() if not its.silence and its.as_of >= view.as_of - LAG_S
        )
        return self._freshness.view(now, LIFETIME_S, heeded), heeded

    def _write(self, made: Made, now: float, view: View) -> Published:
        begun = int(now)
        moment = SnapshotMoment(made.state, view.head.point, begun, int(view.as_of), begun + LIFETIME_S)
        form = made.shape or link_after(self.shelf.chain[-1].head)
        body = (self._folder / _BODY).read_bytes()
        part = signed_part(
            self._identity, self._network, moment, made.counts, made.salt, body, form, made.heeded
        )
        published = self.shelf.add(part)
        self._cursor = made.cursor
        return published

    def _after(self) -> After | None:
        """Return what the next delta follows; None if a snapshot is due."""
        if not self.shelf.chain or self._cursor is None:
            return None
        first, *deltas = (_size(one) for one in self.shelf.chain)
        most = max(FEW, first // SHARE)
        if len(deltas) >= DELTAS or sum(deltas) > most:
            return None
        last = self.shelf.chain[-1].head
        return After(self._cursor, self.shelf.chain[0].head.salt, last.heeded, most)

    async def _make(self, confirmed: float, heeded: tuple[bytes, ...]) -> Made:
        """Build the body in a process that is killed when this task is cancelled."""
        order = Order(
            self._store,
            str(self._folder / _BODY),
            self._network,
            confirmed,
            heeded,
            self._after(),
        )
        status, output = await answer_of("sayso_node.snapshots.building", order)
        if status == DAMAGED:
            self._damaged("a snapshot could not be made: the store is not what was stored")
        if status:
            raise ChildProcessError(f"the process that builds the snapshot ended with status {status}")
        return msgspec.json.decode(output, type=Made)


def _size(published: Published) -> int:
    counts = published.head.counts
    return counts.keys + counts.named + counts.withdrawn
