"""Queues frames for gossip in two bounded queues; urgent frames always go first.

py-libp2p keeps 32 RPCs per peer and silently drops the rest, so a frame is passed on only while every
peer has room. A peer that stays full delays the others for at most `lag_s`; after that it misses frames,
which are counted, and gets them by sync.
"""

from collections import Counter, deque
from collections.abc import Awaitable, Callable, Mapping, Sized
from typing import Final

import trio
from libp2p.peer.id import ID

from sayso_node.errors import GossipQueueFull
from sayso_node.gossip.config import GossipConfig

ROOM_POLL_S: Final = 0.005


class Outbox:
    """Outbox holds frames until the peers have room for them."""

    def __init__(
        self,
        config: GossipConfig,
        publish: Callable[[str, bytes], Awaitable[None]],
        peer_queues: Mapping[ID, Sized],
        tally: Counter[str],
    ) -> None:
        self._config = config
        self._publish = publish
        self._peer_queues = peer_queues
        self._tally = tally
        self._urgent: deque[tuple[str, bytes]] = deque()
        self._ordinary: deque[tuple[str, bytes]] = deque()
        self._filled = trio.Event()
        self._full_since: dict[ID, float] = {}

    def put(self, topic: str, frame: bytes) -> None:
        """Queue a frame; raises GossipQueueFull."""
        queue = self._urgent if topic in self._config.urgent_topics else self._ordinary
        if len(queue) >= self._config.queue_frames:
            self._tally["frames_refused"] += 1
            raise GossipQueueFull(f"{len(queue)} frames wait to be sent to peers")
        queue.append((topic, frame))
        self._filled.set()

    async def run(self) -> None:
        """Pass frames on until cancelled."""
        while True:
            await self._filled.wait()
            while not self._room():  # noqa: ASYNC110  # py-libp2p has no event for this
                await trio.sleep(ROOM_POLL_S)
            queue = self._urgent or self._ordinary
            topic, frame = queue.popleft()
            if not self._urgent and not self._ordinary:
                self._filled = trio.Event()
            await self._publish(topic, frame)
            self._tally["frames_published"] += 1

    def _room(self) -> bool:
        now = trio.current_time()
        full = [
            peer
            for peer, queue in self._peer_queues.items()
            if len(queue) >= self._config.peer_queue_mark
        ]
        self._full_since = {peer: self._full_since.get(peer, now) for peer in full}
        return all(now - since >= self._config.lag_s for since in self._full_since.values())
