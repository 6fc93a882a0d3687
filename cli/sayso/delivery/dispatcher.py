"""Delivers events one after the other: at least once each, in order, and none is lost.

An event is tried until the target takes it. A target that cannot be reached is tried for ever, with a
growing pause: the node keeps the later events. One that refuses an event is asked REFUSALS times; then
the event is laid aside as a dead letter, so that it does not hold up the others.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from contextlib import suppress
from datetime import UTC, datetime
from typing import Any, Final

from sayso.delivery.errors import PrivateTarget, TargetRefused, TargetUnreachable
from sayso.delivery.journal import Journal
from sayso.delivery.targets import Parcel, Target, is_for_later
from sayso.node_client.following import Event, Gap, Reached
from sayso_protocol.errors import SaysoError

REFUSALS: Final = 8
PAUSE_S: Final = 1.0  # before the second attempt; then twice as long each time
LONGEST_PAUSE_S: Final = 60.0
GAP: Final = "gap"
Told = Callable[[SaysoError, str], object]  # called with a failure and the id of the event


class Dispatcher:
    """Dispatcher delivers the events of one node.

    Args:
        journal: The folder of the watch.
        target: Where the events go.
        node: The URL of the node, for the receiver.
        told: Called for each failed attempt.
        pause: The first pause, in seconds.
    """

    def __init__(
        self, journal: Journal, target: Target, node: str, told: Told, pause: float = PAUSE_S
    ) -> None:
        self._journal, self._target, self._node = journal, target, node
        self._told, self._pause = told, pause

    async def run(self, found: AsyncIterator[Event | Gap | Reached]) -> None:
        """Deliver what a stream yields, as long as it does; raises OutputFailed and BadAnswer."""
        try:
            async for one in found:
                # Before the first event there is nothing that could have been missed.
                is_news = isinstance(one, Event) or self._journal.place is not None
                if is_news and not isinstance(one, Reached):
                    await self._deliver(parcel_of(one, self._node))
                if one.id != self._journal.place:
                    self._journal.move(one.id)
        finally:
            await self._target.close()

    async def _deliver(self, one: Parcel) -> None:
        refusals, pause = 0, self._pause
        while True:
            try:
                await self._target.deliver(one)
            except (TargetUnreachable, PrivateTarget, TargetRefused) as error:
                self._told(error, one.name)
                refusals += not is_for_later(error)
                if refusals == REFUSALS:
                    self._journal.lay_aside(
                        {"id": one.name, "code": error.code, "body": json.loads(one.body)}
                    )
                    return
            else:
                return
            await asyncio.sleep(pause)
            pause = min(2 * pause, LONGEST_PAUSE_S)


def parcel_of(one: Event | Gap, node: str) -> Parcel:
    """Return an event as it is delivered: `type`, `timestamp` and `data`, as Standard Webhooks advise.

    A gap states that the node lost its events: the receiver has to check everything once.
    """
    data: dict[str, Any] = {"id": one.id, "node": node}
    name, time = GAP, None
    if isinstance(one, Event):
        name, time = one.name, one.data.get("time")
        data |= one.data
    value: dict[str, Any] = {"type": f"sayso.{name}"}
    if isinstance(time, (int, float)) and not isinstance(time, bool):
        with suppress(ValueError, OverflowError, OSError):  # a node wrote it
            value["timestamp"] = datetime.fromtimestamp(time, UTC).isoformat().replace("+00:00", "Z")
    value["data"] = data
    name_of = f"{GAP}-{one.id}" if name == GAP else one.id
    return Parcel(name_of, value["type"], json.dumps(value).encode())
