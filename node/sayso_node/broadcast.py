"""Gossip as the node uses it: bundles out, frames in through the intake.

Gossip is a fast, lossy hint. A frame that cannot be sent is counted and left to sync. Revocations have
a topic, and so a queue, of their own and leave at once; consents wait a few milliseconds to fill a
frame.
"""

import asyncio
import contextlib
import logging
from collections.abc import Iterable

from sayso_node.counters import Counters
from sayso_node.intake import Intake
from sayso_node.interfaces import Judgement, Network
from sayso_node.outcome import Outcome, Source, Status
from sayso_protocol import typed_data, wire
from sayso_protocol.envelope import Envelope, encode
from sayso_protocol.errors import Gossip, SaysoError
from sayso_protocol.messages import Consent

log = logging.getLogger(__name__)

FILL_S = 0.005  # how long a consent waits for company


class Broadcast:
    """Publishes what was taken in here, judges what is heard from peers."""

    def __init__(
        self,
        place: typed_data.Network,
        network: Network,
        intake: Intake,
        counters: Counters,
        *,
        enabled: bool,
    ) -> None:
        self._consents_topic = wire.consents_topic(place)
        self._revocations_topic = wire.revocations_topic(place)
        self._network = network
        self._intake = intake
        self._counters = counters
        self._enabled = enabled
        self._waiting: list[bytes] = []
        self._filling: asyncio.Task[None] | None = None

    async def publish(self, outcomes: Iterable[Outcome]) -> None:
        """Tell the peers about messages that were stored here first."""
        fresh = [one.envelope for one in outcomes if one.status is Status.STORED and one.envelope]
        revocations = [encode(one) for one in fresh if not isinstance(one.message, Consent)]
        await self._send(self._revocations_topic, revocations)
        self._waiting += [encode(one) for one in fresh if isinstance(one.message, Consent)]
        if self._waiting and (self._filling is None or self._filling.done()):
            self._filling = asyncio.create_task(self._send_waiting())

    async def stop(self) -> None:
        """Forget what waits: it is stored, and sync carries it."""
        if self._filling:
            self._filling.cancel()
            with contextlib.suppress(asyncio.CancelledError):
                await self._filling

    async def on_frame(self, topic: str, frame: bytes, _peer_id: str) -> Judgement:
        """Judge a heard frame as a whole (rule 7.2); what is good in it is kept either way."""
        if not self._enabled:
            return Judgement.IGNORE
        try:
            outcomes = await self._intake.take(wire.decode_bundle(frame), Source.GOSSIP)
        except SaysoError as error:
            return Judgement.REJECT if error.gossip is Gossip.REJECT else Judgement.IGNORE
        if any(one.error and one.error.gossip is Gossip.REJECT for one in outcomes):
            return Judgement.REJECT
        if not all(self._belongs(topic, one.envelope) for one in outcomes if one.envelope):
            return Judgement.REJECT
        if any(one.status is Status.STORED for one in outcomes):
            return Judgement.ACCEPT
        return Judgement.IGNORE

    def _belongs(self, topic: str, envelope: Envelope) -> bool:
        """Rule 7.1: a topic carries one kind of message only."""
        is_consent = isinstance(envelope.message, Consent)
        return topic == (self._consents_topic if is_consent else self._revocations_topic)

    async def _send_waiting(self) -> None:
        while self._waiting:  # others may have come while the last were being sent
            await asyncio.sleep(FILL_S)
            waiting, self._waiting = self._waiting, []
            await self._send(self._consents_topic, waiting)

    async def _send(self, topic: str, envelopes: list[bytes]) -> None:
        if not self._enabled:
            return
        for frame in wire.bundles(envelopes):
            try:
                await self._network.publish(topic, frame)
            except SaysoError as error:  # full, down, or anything else: it is stored, sync carries it
                self._counters.add("gossip_unsent")
                log.info("a frame could not be sent: %s", error)
            else:
                self._counters.add("gossip_published")
