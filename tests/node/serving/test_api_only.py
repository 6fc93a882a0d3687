"""Processes beside a node, on one database: one node to everybody, whoever of them answers."""

import asyncio
import time
from pathlib import Path
from typing import Any, cast
from unittest import mock

import aiohttp

from node.api.test_events import Heard, listening, read, revoke
from node.serving.beside import both, tell, waiting
from sayso_node.errors import (
    GossipDown,
    GossipQueueFull,
)
from sayso_node.freshness import Silence
from sayso_node.store import messages
from sayso_node.store.opening import snapshot_at
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.status import StatusAnswer, status_from_json
from sayso_protocol.verdicts.verdict import Reason
from support.node_rig import ManualClock, consent, node_key, revocation
from support.protocol_strategies import BEN, NETWORK
from support.running_node import RunningNode, running_node
from support.waiting import until

ONE = consent(1, sponsor=None)
STATUS = f"/v1/status/{hex_text(ONE.digest)}/{hex_text(ONE.items[0])}"
QUERY = {"grantee": address_text(BEN), "purpose": "train-ai", "max_age_s": "600"}
TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))
AT_FIRST: dict[str, Any] = {"params": {"after": "0"}}


async def look(node: RunningNode) -> StatusAnswer:
    """A signed look at the row."""
    status, body = await node.ask("GET", STATUS, params=QUERY)
    assert status == 200, body
    answer = status_from_json(body)
    assert answer.check(TRUSTED).name == "rig"
    return answer


async def reason(node: RunningNode) -> Reason:
    return (await look(node)).status.reason


async def current(node: RunningNode, clock: ManualClock) -> None:
    """The node reads a block that is newer than what it holds."""
    clock.time += 1
    node.chain.time = clock.time
    node.chain.mine()
    head = len(node.chain.blocks) - 1
    view = node.node._freshness
    # A reading that began before the clock moved may have found the block, and confirms nothing new.
    await until(lambda: view.head.point.number >= head and view.chain_begun >= clock.time)
    await tell(node)


async def test_one_takes_in_and_all_answer(tmp_path: Path, place: str) -> None:
    stop = revocation("everything")
    path = f"/v1/licenses/{hex_text(ONE.digest)}"
    async with both(tmp_path, place) as (node, other):
        status, body = await other.submit(ONE)
        assert status == 200, body
        assert await node.get(path) == await other.get(path)
        status, body = await other.submit(stop)
        assert status == 200, body
        promised = body["results"][0]["acknowledgement"]
        for one in (node, other):
            status, found = await one.get(f"/v1/revocations/{hex_text(stop.digest)}")
            assert (status, found["acknowledgement"]) == (200, promised)
        await until(lambda: waiting(place) == 0)
        sent = b"".join(frame for _, frame in node.node._transport.published)  # type: ignore[attr-defined]
        assert all(one.message.notice.encode() in sent for one in (ONE, stop))


async def test_no_receipt_has_the_number_of_another(tmp_path: Path, place: str) -> None:
    rows = [[hex_text(ONE.digest), hex_text(ONE.items[0])]]
    asked: dict[str, Any] = {"grantee": address_text(BEN), "purpose": "train-ai", "max_age_s": 600}
    asked |= {"run_id": "run", "rows": rows}
    async with both(tmp_path, place) as pair:
        checks = (one.ask("POST", "/v1/check", json=asked) for _ in range(10) for one in pair)
        answers = await asyncio.gather(*checks)
    assert {status for status, _ in answers} == {200}
    numbers = sorted(body["receipt"]["sequence"] for _, body in answers)
    assert numbers == list(range(1, 21))


async def test_what_came_while_the_clock_was_ahead_is_dated_anew_everywhere(
    tmp_path: Path, place: str
) -> None:
    clock = ManualClock()
    async with both(tmp_path, place, clock) as (node, other):
        await current(node, clock)
        clock.time += 100_000
        await until(lambda: node.node._freshness.chain_begun == clock.time)
        await tell(node)
        await until(lambda: other.node._freshness.chain_begun == clock.time)
        await other.submit(ONE)
        assert await reason(other) is Reason.STALE  # and its date is in memory now
        clock.time -= 100_000
        await current(node, clock)
        await until(lambda: other.node._freshness.chain_begun == clock.time)
        assert await reason(other) is Reason.STALE  # it is as old as that reading
        await current(node, clock)
        await until(lambda: other.node._freshness.chain_begun == clock.time)
        for one in (node, other):
            assert await reason(one) is Reason.GRANTED


async def test_it_speaks_from_the_view_of_the_node_while_this_is_heard(
    tmp_path: Path, place: str
) -> None:
    """A dead node, or one that reads nothing any more, makes its answers stale; no other makes them."""
    clock = ManualClock()
    async with both(tmp_path, place, clock) as (node, other):
        await other.submit(ONE)
        assert await reason(other) is Reason.STALE  # nobody was asked since
        await current(node, clock)
        await until(lambda: other.node._freshness.chain_begun == node.node._freshness.chain_begun)
        assert await reason(other) is Reason.GRANTED
        clock.time += 601  # and no block comes
        await tell(node)
        await until(lambda: other.node._freshness.view(clock.now(), 600).silence is Silence.OLD)
        assert await reason(other) is Reason.STALE
        await current(node, clock)
        await until(lambda: other.node._freshness.chain_begun == node.node._freshness.chain_begun)
        assert await reason(other) is Reason.GRANTED
        await node.node.stop()
        with mock.patch("sayso_node.serving.api_node.HEARD_S", 0.0):
            await until(lambda: other.node._freshness.view(now(other), 600).silence is Silence.NODE)
        assert await reason(other) is Reason.STALE
        status, body = await other.get("/readyz")
        assert (status, body["silence"]) == (503, "node-silent")
        status, body = await other.submit(revocation("everything"))  # it is kept, and sent later
        assert status == 200, body
        assert waiting(place) == 1
    async with running_node(tmp_path / "node", store=place) as node:
        await until(lambda: waiting(place) == 0)
        assert len(node.node._transport.published) == 1  # type: ignore[attr-defined]


def now(node: RunningNode) -> float:
    return node.node._api._served.clock.now()


async def test_what_cannot_be_sent_stays_in_the_outbox(tmp_path: Path, place: str) -> None:
    with mock.patch("sayso_node.serving.telling.SEND_AGAIN_S", 0.01):
        async with both(tmp_path, place) as (node, other):
            network: Any = node.node._transport
            network.failing = GossipDown("it is killed")
            await other.submit(ONE)
            await other.submit(revocation("everything"))
            assert waiting(place) == 2
            network.failing = None
            await until(lambda: waiting(place) == 0)
            assert len(network.published) == 2


async def test_what_is_not_stored_is_not_in_the_outbox(tmp_path: Path, place: str) -> None:
    """Message and row are one transaction."""
    async with both(tmp_path, place) as (node, other):
        node.node._telling._broadcast = mock.Mock()  # type: ignore[union-attr] # it sends nothing
        with mock.patch("sayso_node.store.sharing.outbox.many.insert", side_effect=ZeroDivisionError):
            status, _ = await other.submit(ONE)
        assert status == 500
        with snapshot_at(place) as db:
            assert not messages.is_known(db, ONE.digest)


async def test_a_full_outbox_takes_urgent_messages_only(tmp_path: Path, place: str) -> None:
    with mock.patch("sayso_node.store.sharing.outbox.OUTBOX_ROOM", 0):
        async with both(tmp_path, place) as (node, other):
            cast("Any", node.node._transport).gate.clear()  # the network takes nothing
            assert (await other.submit(ONE))[0] == 200
            await until(lambda: not other.node._forwarder._has_room)  # type: ignore[attr-defined]
            status, body = await other.submit(consent(2))
            assert (status, body["error"]["code"]) == (503, GossipQueueFull.code)
            assert (await other.submit(revocation("everything")))[0] == 200
            cast("Any", node.node._transport).gate.set()


async def test_events_have_one_order_and_ids_that_hold_everywhere(tmp_path: Path, place: str) -> None:
    async with both(tmp_path, place) as (node, other):
        await node.submit(ONE, consent(2))
        async with listening(other, **AT_FIRST) as there, listening(node, **AT_FIRST) as here:
            await revoke(node, 1)
            await revoke(other, 2)
            heard = await told(there, 2)
            assert heard == await told(here, 2)
        for one in (node, other):
            async with listening(one, heard[0].id) as response:
                assert await told(response, 1) == heard[1:]


async def told(response: aiohttp.ClientResponse, count: int) -> list[Heard]:
    """The next events of the store."""
    found = list[Heard]()
    while len(found) < count:
        found += [one for one in await read(response, 1) if one.id]
    return found


async def test_a_clock_that_differs_convicts_nobody(tmp_path: Path, place: str) -> None:
    """Rules 9.7.6 and 9.7.7: one clock is fast, another slow, and a promise follows an answer."""
    fast = ManualClock(time.time() + 50)
    async with both(tmp_path, place, fast) as (node, other):
        await node.submit(ONE)
        slow: Any = other.node._clock  # type: ignore[attr-defined]
        with mock.patch.object(slow, "now", return_value=time.time() - 50):
            answered = (await look(node)).head.statement.time
            _, body = await other.submit(revocation("everything"))
            promised = body["results"][0]["acknowledgement"]["time"]
            assert answered <= promised
