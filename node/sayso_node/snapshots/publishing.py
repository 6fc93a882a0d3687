"""Publishes snapshots: now and then the whole state, and in between what is new.

Nothing is published before the chain was read and the peers were asked, and each file says for which
moment it speaks (rule 13.2). The work is done by another process (building.py); this part signs.
"""

import asyncio
import logging
import sys
from pathlib import Path
from typing import Final

from nacl.signing import SigningKey

from sayso_node.counters import Counters
from sayso_node.freshness import NEVER, Freshness
from sayso_node.interfaces import Clock
from sayso_node.snapshots.building import BODY, KEYS, NEXT_KEYS, Made
from sayso_node.snapshots.shelf import Published, SnapshotShelf
from sayso_protocol.network import Network
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.snapshot import link_after, signed_part

LIFETIME_S: Final = 86_400  # a buyer's maximum age is the sharper limit
DELTAS: Final = 12  # after as many, a snapshot: each costs a gate one look more
SHARE: Final = 8  # or once the deltas hold an eighth of the snapshot's keys
FEW: Final = 4_096  # keys; fewer are no reason
WAIT_S: Final = 1.0  # for chain and peers

log = logging.getLogger(__name__)


class SnapshotPublisher:
    """Makes a snapshot or a delta now and then.

    Attributes:
        shelf: The files.
        lost: The store has dropped a revocation without a mark: there are no snapshots any more.
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
        """Publish for ever, what fails once more; when marks were lost, do nothing for ever."""
        await asyncio.to_thread(self.shelf.open)
        while not self.lost:
            try:
                wait_s = self._interval_s if await self.publish() else min(WAIT_S, self._interval_s)
            except OSError:
                self._counters.add("snapshots_failed")
                log.exception("a snapshot could not be made")
                wait_s = self._interval_s
            await asyncio.sleep(wait_s)
        await asyncio.Event().wait()

    async def publish(self) -> Published | None:
        """One file; None while this node cannot speak for any moment. Raises OSError."""
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
        """Whether the next file is a snapshot, not a delta."""
        if not self.shelf.chain:
            return True
        first, *deltas = (one.head.counts.keys for one in self.shelf.chain)
        return len(deltas) >= DELTAS or sum(deltas) > max(FEW, first // SHARE)

    async def _make(self) -> Made | None:
        """Have the body made, by a process that dies with this task."""
        module, after = "sayso_node.snapshots.building", () if self._is_due() else ("--after",)
        child = await asyncio.create_subprocess_exec(
            *(sys.executable, "-m", module, self._store, self._folder, *after),
            stdin=asyncio.subprocess.DEVNULL,
            stdout=asyncio.subprocess.PIPE,
        )
        try:
            said, _ = await child.communicate()
        except asyncio.CancelledError:
            if child.returncode is None:
                child.kill()
            await child.wait()
            raise
        if child.returncode:
            raise ChildProcessError(f"the process that makes it ended with {child.returncode}")
        if said == b"null":
            self.lost = True
            self.shelf.clear()
            log.error("no snapshots are made any more: revocations were dropped without a mark")
            return None
        return Made.parse(said)
