"""The node's side of several processes on one database: it says what it sees, and sends their messages.

Every second it tells from which view it speaks (freshness.py), so that a process beside it may speak
from the same one, and no longer than the node is heard. What such a process takes in is committed with a
row of the outbox, and the row is deleted after the message was passed on to gossip. Damage of the store
that such a process finds is the node's to repair.
"""

import asyncio
from collections.abc import Callable
from typing import Final

import msgspec

from sayso_node.errors import StoreUnusable
from sayso_node.freshness import Freshness, Told
from sayso_node.gossip.broadcast import Broadcast
from sayso_node.interfaces import Clock, PeerState
from sayso_node.serving.connections import NodeConnections
from sayso_node.store.interface import Board, Store
from sayso_node.store.sharing import findings, outbox
from sayso_node.supervision.logs import logger
from sayso_node.supervision.retrying import every
from sayso_protocol.errors import SaysoError

TELL_EVERY_S: Final = 1.0
SEND_AGAIN_S: Final = 1.0  # after messages could not be sent
log = logger(__name__)


class Notice(msgspec.Struct, frozen=True):
    """What a node tells.

    Attributes:
        now: The node's clock, seconds since the epoch.
        pays: Whether it pays for transactions.
        view: Its view.
        peers: Its peers.
        addresses: Where it listens.
    """

    now: float
    pays: bool
    view: Told
    peers: list[PeerState]
    addresses: list[str]


class Telling:
    """Tells and sends until cancelled.

    Args:
        board: Where it tells.
        pays: Whether the node pays for transactions.
        damaged: Is called when a process beside the node has found damage.
    """

    def __init__(
        self,
        board: Board,
        store: Store,
        freshness: Freshness,
        connections: NodeConnections,
        broadcast: Broadcast,
        clock: Clock,
        *,
        pays: bool,
        damaged: Callable[[str], object],
    ) -> None:
        self._board = board
        self._store = store
        self._freshness = freshness
        self._connections = connections
        self._broadcast = broadcast
        self._clock = clock
        self._pays = pays
        self._damaged = damaged
        self._findings: int | None = None  # of processes beside the node; None before the first look

    async def run(self) -> None:
        """Tell; while the database does not answer, say nothing."""
        async for _ in every(TELL_EVERY_S):
            try:
                await self.tell()
            except StoreUnusable as error:
                log.info("view-untold", error=error)

    async def tell(self) -> None:
        """Tell once, after looking whether damage was found; raises StoreUnusable."""
        found = await asyncio.to_thread(self._count_findings)
        if found > (found if self._findings is None else self._findings):
            self._damaged("a process beside the node has found damage")
        self._findings = found
        notice = Notice(
            self._clock.now(),
            self._pays,
            self._freshness.told(),
            await self._connections.peers(),
            await self._connections.listen_addresses(),
        )
        await asyncio.to_thread(self._board.tell, msgspec.msgpack.encode(notice))

    def _count_findings(self) -> int:
        with self._store.read() as db:
            return findings.told(db)

    async def send(self) -> None:
        """Send what waits in the outbox until cancelled."""
        while True:
            seen = self._store.commits  # before the reading, so that no commit is missed
            try:
                if await self.send_some():
                    continue
            except SaysoError as error:  # the store or the gossip process is down
                log.info("outbox-unsent", error=error)
                await asyncio.sleep(SEND_AGAIN_S)
                continue
            await self._store.committed(seen)

    async def send_some(self) -> bool:
        """Send the first messages of the outbox; returns whether there were any.

        Raises StoreUnusable, and what Broadcast.deliver raises: then they stay.
        """
        waiting = await asyncio.to_thread(self._first)
        if not waiting.digests:
            return False
        await self._broadcast.deliver(waiting.bodies)
        await self._store.write(lambda db: outbox.drop(db, waiting.digests))
        return True

    def _first(self) -> outbox.Unsent:
        with self._store.read() as db:
            return outbox.first(db)
