"""Publishes snapshots of the whole state from time to time, and deltas in between.

Nothing is published before the chain was read and the peers were synced, and each file states the moment
for which it holds (rule 13.2). Another process builds the body (building.py); this part signs it.
"""

import asyncio
import logging
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from sayso_node.children import start_module
from sayso_node.counters import Counters
from sayso_node.freshness import NEVER, Freshness
from sayso_node.interfaces import Clock
from sayso_node.snapshots.building import BODY, KEYS, NEXT_KEYS, Made
from sayso_node.snapshots.shelf import Published, SnapshotShelf
from sayso_protocol.network import Network
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.snapshot import link_after, signed_part

LIFETIME_S: Final = 86_400  # a buyer's max age is the stricter limit
DELTAS: Final = 12  # after so many, a snapshot: a gate looks rows up in each delta
SHARE: Final = 8  # or once the deltas have an eighth of the snapshot's keys
FEW: Final = 4_096  # keys; fewer do not cause a snapshot
WAIT_S: Final = 1.0  # pause while chain and peers are not synced

log = logging.getLogger(__name__)


class SnapshotPublisher:
    """Makes snapshots and deltas.

    Attributes:
        shelf: The published files.
        lost: Whether the store has dropped a revocation without a mark, which ends snapshots.
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
    ) -> None:
        self._network = network
        self._store = store
        self._folder = folder
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._interval_s = interval_s
        self.shelf = SnapshotShelf(folder)
        self.lost = False

    async def run(self) -> None:
        """Publish until cancelled, with retries after failures; after marks were lost, only wait."""
        await asyncio.to_thread(self.shelf.open)
        while not self.lost:
            try:
                wait_s = self._interval_s if await self.publish() else min(WAIT_S, self._interval_s)
            except OSError:
                self._counters.add("snapshots_failed")
                log.exception("making a snapshot failed")
                wait_s = self._interval_s
            await asyncio.sleep(wait_s)
        await asyncio.Event().wait()

    async def publish(self) -> Published | None:
        """Publish one file; None while the node's view is not current. Raises OSError."""
        now, head = self._clock.now(), self._freshness.head
        as_of = min(head.time, self._freshness.confirmed_until(now))
        if as_of == NEVER:
            return None
        made = await self._make()
        if made is None or self.lost:
            return None
        part = await asyncio.to_thread(self._write, made, now, int(as_of), head.point)
        self._counters.add("snapshots")
        return part

    def _write(self, made: Made, now: float, as_of: int, block: ChainPoint) -> Published:
        moment = SnapshotMoment(bytes.fromhex(made.state), block, int(now), as_of, int(now) + LIFETIME_S)
        form = made.shape or link_after(self.shelf.chain[-1].head)
        body, salt = (self._folder / BODY).read_bytes(), bytes.fromhex(made.salt)
        part = signed_part(self._identity, self._network, moment, made.counts, salt, body, form)
        published = self.shelf.add(part)
        (self._folder / NEXT_KEYS).rename(self._folder / KEYS)
        return published

    def _is_due(self) -> bool:
        """Return whether the next file is a snapshot instead of a delta."""
        if not self.shelf.chain:
            return True
        first, *deltas = (one.head.counts.keys for one in self.shelf.chain)
        return len(deltas) >= DELTAS or sum(deltas) > max(FEW, first // SHARE)

    async def _make(self) -> Made | None:
        """Build the body in a process that is killed when this task is cancelled."""
        module, after = "sayso_node.snapshots.building", () if self._is_due() else ("--after",)
        place = str(self._folder)
        child = await start_module(module, self._store, place, *after, stdout=asyncio.subprocess.PIPE)
        try:
            output, _ = await child.communicate()
        except asyncio.CancelledError:
            if child.returncode is None:
                child.kill()
            await child.wait()
            raise
        if child.returncode:
            raise ChildProcessError(
                f"the process that builds the snapshot ended with status {child.returncode}"
            )
        if output == b"null":
            self.lost = True
            self.shelf.clear()
            log.error("no more snapshots: the store dropped revocations without a mark")
            return None
        return Made.parse(output)
