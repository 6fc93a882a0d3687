"""Sends stored messages to peers by gossip, and passes frames from peers to the intake.

Gossip is fast and may lose messages: a frame that cannot be sent is counted and left to sync. Each topic
has its own queue. Urgent messages leave at once; others wait a few milliseconds to fill a frame. When
peers do not keep up, frames wait here, and further messages are refused, but never urgent ones.
"""

import asyncio
import contextlib
from collections import Counter
from collections.abc import Awaitable, Callable, Iterable, Sequence

from cachetools import FIFOCache

from sayso_node.errors import GossipQueueFull
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.interfaces import Judgement, Transport
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.logs import logger
from sayso_node.supervision.supervisor import contained
from sayso_protocol.errors import SaysoError, is_rejected
from sayso_protocol.messages import wire
from sayso_protocol.messages.envelope import decode, encode, peek_kind
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256

log = logger(__name__)

FULL_S = 0.05  # pause before a full gossip queue is tried again
FILL_S = 0.005  # how long other messages wait to fill a frame
WAITING_BYTES = 16_777_216  # of one topic, when messages arrive faster than gossip sends them
REMEMBERED_MESSAGES = 65_536  # sent urgent messages whose number of peers can be looked up


class Broadcast:
    """Publishes messages taken in here, and judges frames from peers."""

    def __init__(
        self,
        network: Network,
        transport: Transport,
        intake: Intake,
        counters: Counters,
        *,
        enabled: bool,
    ) -> None:
        self._transport = transport
        self._intake = intake
        self._counters = counters
        self._enabled = enabled
        self._network = network
        self._lanes = {
            one: _Lane(one.on(network), self._send, 0.0 if one.is_urgent else FILL_S)
            for one in wire.all_topics()
        }
        self._urgent = {one.on(network) for one in wire.all_topics() if one.is_urgent}
        self._sent_to: FIFOCache[bytes, int] = FIFOCache(REMEMBERED_MESSAGES)

    def publish(self, outcomes: Iterable[Outcome]) -> None:
        """Queue new messages for the peers after this node has stored them."""
        for one in outcomes:
            if self._enabled and one.is_news and one.envelope:
                lane = self._lanes[wire.TOPICS[one.envelope.message.kind]]
                # 4.4 A contract wallet's message is alone in its bundle.
                if not lane.put(encode(one.envelope), alone=one.envelope.claim.travels_alone):
                    self._counters.add("gossip_unsent")

    async def deliver(self, envelopes: Sequence[bytes]) -> None:
        """Pass stored messages on to gossip, urgent ones first; returns when gossip has all of them.

        Raises GossipDown: then some may have been passed on.
        """
        if not self._enabled:
            return
        frames: dict[wire.Topic, list[bytes]] = {one: [] for one in wire.all_topics()}
        shared: dict[wire.Topic, list[bytes]] = {one: [] for one in wire.all_topics()}
        for one in envelopes:
            envelope = decode(one, self._network)
            topic = wire.TOPICS[envelope.message.kind]
            if envelope.claim.travels_alone:  # 4.4
                frames[topic].append(wire.encode_bundle([one]))
            else:
                shared[topic].append(one)
        for topic in sorted(frames, key=lambda one: not one.is_urgent):
            for frame in (*wire.bundles(shared[topic]), *frames[topic]):
                await self._publish(topic.on(self._network), frame)
                self._counters.add("gossip_published")

    def check_room(self, bundle: Sequence[bytes]) -> None:
        """Raise GossipQueueFull if a bundle would wait too long; never if it has an urgent message."""
        sizes = Counter[wire.Topic]()
        for one in bundle:
            if kind := peek_kind(one):
                sizes[wire.TOPICS[kind]] += len(one)
        if not self._enabled or any(topic.is_urgent for topic in sizes):
            return
        if not all(self._lanes[topic].has_room(size) for topic, size in sizes.items()):
            raise GossipQueueFull("peers do not keep up; nothing of this bundle was stored")

    def sent_to(self, envelope: bytes) -> int | None:
        """Return how many peers an urgent message was sent to; None if it was not, or is forgotten."""
        return self._sent_to.get(sha256(envelope))

    async def stop(self) -> None:
        """Discard the queues; their messages are stored, and sync transfers them."""
        for lane in self._lanes.values():
            await lane.stop()

    async def on_frame(self, topic: str, frame: bytes, peer_id: str) -> Judgement:
        """Judge a frame as a whole (rule 7.2); the valid messages of its topic are stored anyway."""
        if not self._enabled:
            return Judgement.IGNORE
        self._counters.add("gossip_heard_bytes", len(frame))
        try:
            bundle = wire.decode_bundle(frame)
            wire.check_topic(bundle, topic, self._network)
        except SaysoError:
            return Judgement.REJECT
        try:
            outcomes = await self._intake.take(bundle, Source.peer(SourceChannel.GOSSIP, peer_id))
        except SaysoError:  # of this node: its store, for example
            return Judgement.IGNORE
        if any(is_rejected(one.error) for one in outcomes):
            return Judgement.REJECT
        # 7.14 A pending revocation is not forwarded, so a flood of them stops at the first node.
        if any(one.status is Status.STORED for one in outcomes):
            return Judgement.ACCEPT
        return Judgement.IGNORE

    async def _send(self, topic: str, frames: Iterable[bytes]) -> None:
        for frame in frames:
            with contained(self._counters, "a frame for gossip"):
                await self._send_one(topic, frame)

    async def _send_one(self, topic: str, frame: bytes) -> None:
        try:
            peers = await self._publish(topic, frame)
        except (
            SaysoError
        ) as error:  # queue full, process down or else: the message is stored, and sync transfers it
            self._counters.add("gossip_unsent")
            log.info("frame-unsent", error=error)
        else:
            self._counters.add("gossip_published")
            if topic in self._urgent:
                self._remember(frame, peers)

    def _remember(self, frame: bytes, peers: int) -> None:
        for one in wire.decode_bundle(frame):
            self._sent_to[sha256(one)] = peers

    async def _publish(self, topic: str, frame: bytes) -> int:
        """Pass a frame to gossip, waiting while its queue is full; returns the number of peers."""
        while True:
            try:
                return await self._transport.publish(topic, frame)
            except GossipQueueFull:
                await asyncio.sleep(FULL_S)


class _Lane:
    """The queue of messages to publish on one topic."""

    def __init__(
        self, topic: str, send: Callable[[str, Iterable[bytes]], Awaitable[None]], fill_s: float
    ) -> None:
        self._topic = topic
        self._send = send
        self._fill_s = fill_s
        self._waiting: list[bytes] = []
        self._alone: list[bytes] = []
        self._waiting_bytes = 0
        self._sending: asyncio.Task[None] | None = None

    def put(self, envelope: bytes, *, alone: bool = False) -> bool:
        """Queue a message; False if the queue is full."""
        if not self.has_room(len(envelope)):
            return False
        (self._alone if alone else self._waiting).append(envelope)
        self._waiting_bytes += len(envelope)
        if self._sending is None or self._sending.done():
            self._sending = asyncio.create_task(self._run())
        return True

    def has_room(self, size: int) -> bool:
        """Return whether the queue has room for so many bytes."""
        return self._waiting_bytes + size <= WAITING_BYTES

    async def stop(self) -> None:
        """Stop sending."""
        if self._sending:
            self._sending.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._sending

    async def _run(self) -> None:
        while self._waiting or self._alone:  # more messages may have arrived during the last send
            await asyncio.sleep(self._fill_s)
            waiting, self._waiting = self._waiting, []
            alone, self._alone = self._alone, []
            frames = *wire.bundles(waiting), *(wire.encode_bundle([one]) for one in alone)
            try:
                await self._send(self._topic, frames)
            finally:  # a frame counts as waiting until it is sent
                self._waiting_bytes -= sum(map(len, waiting)) + sum(map(len, alone))
