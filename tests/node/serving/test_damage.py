"""Damage that a process beside the node finds: the node repairs it, and both speak again."""

import asyncio
from pathlib import Path
from unittest import mock

import psycopg

from node.serving.beside import both
from node.serving.test_api_only import ONE, QUERY, STATUS, current, now, reason
from sayso_node.freshness import Silence
from sayso_node.store.integrity import guard
from sayso_node.store.integrity.audit import Finding
from sayso_node.store.integrity.verifying import AuditOrder, verify
from sayso_protocol.primitives import hex_text
from sayso_protocol.receipts.status import status_from_json
from sayso_protocol.verdicts.verdict import Reason
from support.node_rig import ManualClock, consent
from support.running_node import RunningNode
from support.waiting import until

SPOILED = "UPDATE messages SET sum = sum + 1 WHERE digest = %s"
OTHER = consent(2, sponsor=None)
KEPT = f"/v1/status/{hex_text(OTHER.digest)}/{hex_text(OTHER.items[0])}"


def silence(node: RunningNode) -> Silence | None:
    return node.node._freshness.view(now(node), 600).silence


async def kept(node: RunningNode) -> str:
    status, body = await node.ask("GET", KEPT, params=QUERY)
    assert status == 200, body
    return str(status_from_json(body).status.reason.name)


async def audited(order: AuditOrder) -> list[Finding]:
    """As a process of its own does it, whose start would take most of the time of this test."""
    return await asyncio.to_thread(verify, order)


async def test_the_node_repairs_it_and_the_process_speaks_again(tmp_path: Path, place: str) -> None:
    """Nobody else has read the row, and no audit is due: the node knows of it from the process alone."""
    clock = ManualClock()
    with mock.patch.object(guard, "AGAIN_S", 0.1), mock.patch.object(guard, "FIRST_AUDIT_S", 86_400.0):
        async with both(tmp_path, place, clock) as (node, other):
            for one in (node, other):
                one.node._guard._audit = audited
            await other.submit(ONE)
            await other.submit(OTHER)
            await current(node, clock)
            await until(lambda: silence(other) is None)
            with psycopg.connect(place) as db:
                db.execute(SPOILED, (ONE.digest,))
            status, _ = await other.ask("GET", STATUS, params=QUERY)
            assert status == 503
            assert silence(other) is Silence.DAMAGE
            assert await kept(other) == "STALE"
            await until(lambda: node.node.counters()["store_repairs"])
            await until(lambda: other.node._store.damage.text is None)
            assert silence(other) is not None  # the node has not read the chain since
            clock.time = other.node._right_since  # type: ignore[attr-defined] # between words, it goes on
            await current(node, clock)
            await until(lambda: silence(other) is None)
            assert await kept(other) == await kept(node) == "GRANTED"
            assert await reason(other) is Reason.UNKNOWN  # until a peer brings it
