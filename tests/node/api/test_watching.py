"""Gate.watch on a real node: every revocation that hits, once, through broken connections."""

import asyncio
import json
import time
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from sayso.gate import watching
from sayso.gate.gate import Gate
from sayso.gate.watching import Hit
from sayso_node.api.events import EventRoutes
from sayso_node.store.engine import Engine
from sayso_protocol.primitives import hex_text
from sayso_protocol.scopes import Scope, file_subject
from support.node_rig import ManualClock, consent, revocation, until
from support.protocol_strategies import BEN
from support.running_node import RunningNode, running_node

COUNT = 6
CONSENTS = [consent(number) for number in range(1, COUNT + 1)]


STREAMS: list[EventRoutes] = []


class Streams(EventRoutes):
    """The node's own, where a test can find them."""

    def __init__(self, store: Engine) -> None:
        super().__init__(store)
        STREAMS.append(self)


@pytest.fixture
async def watched(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[RunningNode]:
    """A node of today, that knows all the consents, and a manifest of their items."""
    monkeypatch.setattr(watching, "AGAIN_S", 0.01)
    monkeypatch.setattr("sayso_node.node.EventRoutes", Streams)
    clock = ManualClock(time.time())
    rows = [{"license": hex_text(one.digest), "item": hex_text(one.items[0])} for one in CONSENTS]
    (tmp_path / "m.jsonl").write_text("".join(json.dumps(row) + "\n" for row in rows))
    (tmp_path / "node").mkdir()
    async with running_node(tmp_path / "node", clock=clock) as node:
        await node.submit(*CONSENTS)
        yield node


def gate_of(node: RunningNode) -> Gate:
    trusted = node.node._config.network_file
    return Gate(BEN, "train-ai", network=trusted, nodes=[node.url])


async def revoke(node: RunningNode, number: int) -> None:
    subject = file_subject(CONSENTS[number].items[0])
    status, _ = await node.submit(revocation(Scope(subject).text))
    assert status == 200


async def test_hits_are_told_once_and_without_a_gap(watched: RunningNode, tmp_path: Path) -> None:
    await revoke(watched, 0)
    hits: list[Hit] = []
    told = asyncio.create_task(gate_of(watched).watch(tmp_path / "m.jsonl", hits.append))

    def items() -> list[bytes]:
        return [row.item for hit in hits for row in hit.rows]

    async def heard(*numbers: int) -> None:
        expected = [CONSENTS[number].items[0] for number in numbers]
        await until(lambda: told.done() or items() == expected)
        assert items() == expected

    await heard(0)  # by the check at the beginning
    assert hits[0].after is None
    await revoke(watched, 1)
    await heard(0, 1)
    await STREAMS[-1].close()  # it hangs up on every listener
    await revoke(watched, 2)
    await heard(0, 1, 2)
    place = hits[-1].after
    assert place
    told.cancel()
    # Somebody who comes back later hears what was missed, and nothing twice.
    await revoke(watched, 3)
    hits.clear()
    told = asyncio.create_task(gate_of(watched).watch(tmp_path / "m.jsonl", hits.append, place))
    await heard(3)
    told.cancel()
    # A place that the node does not have: all rows are checked again.
    hits.clear()
    lost = f"{'0' * 32}-7"
    told = asyncio.create_task(gate_of(watched).watch(tmp_path / "m.jsonl", hits.append, lost))
    await heard(0, 1, 2, 3)
    told.cancel()
