"""Receipts, status answers, snapshots, `/readyz` and the event stream are silent at the same time."""

from collections.abc import Callable
from pathlib import Path
from typing import Any, cast

import pytest

from sayso_node.api.routes.about import AboutRoutes
from sayso_node.api.routes.events import EventRoutes
from sayso_node.api.schema.about import Ready
from sayso_node.freshness import ChainHead, Silence
from sayso_node.readiness import Readiness
from sayso_node.supervision.alarms import Alarms
from sayso_node.verdicts.judge import Check
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Reason, Row
from support.node_rig import NodeRig, consent
from support.protocol_strategies import BEN, NETWORK
from support.published import publisher

PEERS = ("north", "south")
QUERY, AGE_S = Query(BEN, "train-ai"), 60
LICENSE = consent(1)
POINT = ChainPoint(7, bytes(32))


def disputed(rig: NodeRig) -> None:
    rig.freshness.dispute = "two endpoints disagree about block 7"


def never_read(rig: NodeRig) -> None:
    rig.freshness.__init__(PEERS)  # type: ignore[misc]
    for peer in PEERS:
        rig.freshness.peer_synced(peer, rig.clock.now())


def one_peer_unasked(rig: NodeRig) -> None:
    now = rig.clock.now()
    rig.freshness.__init__(PEERS)  # type: ignore[misc]
    rig.freshness.chain_read(now, ChainHead(POINT, now))
    rig.freshness.peer_synced("north", now)


def clock_behind(rig: NodeRig) -> None:
    """Behind the chain, whose block is of later than any age allows."""
    now = rig.clock.now()
    rig.freshness.chain_read(now, ChainHead(POINT, now + 90_000))


def clock_set_back(rig: NodeRig) -> None:
    rig.clock.time -= 7_200


def too_old(rig: NodeRig) -> None:
    rig.clock.time += 90_000


SILENT: list[tuple[Callable[[NodeRig], None], Silence]] = [
    (disputed, Silence.DISPUTE),
    (never_read, Silence.CHAIN),
    (one_peer_unasked, Silence.PEERS),
    (clock_behind, Silence.CLOCK),
    (clock_set_back, Silence.CHAIN),
    (too_old, Silence.OLD),
]


class Voices:
    """The five that speak for a node."""

    def __init__(self, rig: NodeRig) -> None:
        shared = (rig.freshness, rig.identity, rig.clock, rig.counters, rig.licenses)
        self._rig = rig
        self._desk = StatusDesk(NETWORK, rig.store, *shared)
        self._publisher = publisher(rig)
        counters = lambda: {"marks_merged": 0}  # noqa: E731
        others: Any = None
        self._about = AboutRoutes(
            *(others, others, rig.freshness, rig.clock, counters, others, others, Alarms(), list),
            Readiness(rig.freshness, rig.store, Alarms(), rig.clock, list),
        )
        self._events = EventRoutes(NETWORK, rig.store, rig.freshness, rig.clock)

    async def heard(self) -> list[object]:
        """What the first two answer, whether the third publishes, and why the others are silent."""
        row = Row(LICENSE.digest, LICENSE.items[0])
        check = Check(QUERY, AGE_S, "run", row.license + row.item)
        [receipt] = self._rig.judge.judge(check).reasons
        status = await self._desk.ask(StatusQuestion(row, QUERY, AGE_S))
        published = await self._publisher.publish()
        ready = cast("Ready", cast("Any", await self._about.ready(cast("Any", None))).value)
        silence = self._events._silence()
        return [REASONS[receipt], status.status.reason, published is not None, ready.silence, silence]


@pytest.mark.parametrize(("silenced", "why"), SILENT)
async def test_all_five_are_silent_for_the_same_reason(
    tmp_path: Path, silenced: Callable[[NodeRig], None], why: Silence
) -> None:
    with NodeRig(tmp_path, peers=PEERS) as rig:
        await rig.give(LICENSE)
        rig.confirm()
        voices = Voices(rig)
        assert await voices.heard() == [Reason.GRANTED, Reason.GRANTED, True, None, ""]
        silenced(rig)
        *heard, event = await voices.heard()
        assert heard == [Reason.STALE, Reason.STALE, False, why]
        assert str(event).startswith("event: silence\n")
        assert f'"{why}"' in str(event)
