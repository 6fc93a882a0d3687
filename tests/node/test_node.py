"""The node as it is wired: start and stop in order, two nodes that agree."""

import asyncio
import threading
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from sayso_node.errors import NotFound, StoreUnusable
from sayso_node.gossip.settings import gossip_config
from sayso_node.node import Node
from sayso_protocol.encoding.packing import pack
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages import wire
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.sync.requests import RangeRequest, encode_request
from support.fake_chain import FakeChain
from support.fake_network import Switchboard
from support.node_rig import ManualClock, consent, node_key, revocation
from support.protocol_strategies import BEN, NETWORK
from support.running_node import RunningNode, config, running_node
from support.waiting import until


async def reasons(node: RunningNode, *envelopes: Envelope) -> list[str]:
    rows = [[hex_text(one.digest), hex_text(one.items[0])] for one in envelopes]
    question = {"grantee": address_text(BEN), "purpose": "train-ai", "max_age_s": 600, "run_id": ""}
    _, body = await node.ask("POST", "/v1/check", json=question | {"rows": rows})
    answers: list[str] = body["reasons"]
    return answers


async def holds(node: RunningNode, *envelopes: Envelope) -> None:
    def all_there() -> bool:
        with node.node._store.read() as db:
            stored = {digest for (digest,) in db.execute("SELECT digest FROM messages")}
        return {one.digest for one in envelopes} <= stored

    await until(all_there)


@pytest.mark.parametrize("disabled", [(), ("gossip",), ("sync",)])
async def test_what_one_hears_the_other_knows(tmp_path: Path, disabled: tuple[str, ...]) -> None:
    """By gossip, by sync, by either alone."""
    board, chain, clock = Switchboard(), FakeChain(), ManualClock()
    shared: dict[str, Any] = {"board": board, "chain": chain, "clock": clock, "disabled": disabled}
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        running_node(tmp_path / "a", name="a", **shared) as a,
        running_node(tmp_path / "b", name="b", **shared) as b,
    ):
        await a.submit(consent(1, sponsor=None), consent(2, sponsor=None))
        await holds(b, consent(1), consent(2))
        await b.submit(revocation("file " + hex_text(consent(2).items[0])))
        await holds(a, revocation("file " + hex_text(consent(2).items[0])))
        clock.time += 1
        chain.time = clock.time
        chain.mine()
        await until(lambda: a.node._freshness.head.point.number == 1)
        await until(lambda: b.node._freshness.head.point.number == 1)
        for node in (a, b):
            assert await reasons(node, consent(1), consent(2)) == ["granted", "revoked"]
        names = {"gossip": "gossip_consents", "sync": "sync_consents"}
        _, body = await b.get("/v1/node")
        counted = sum(body["counters"][names[channel]] for channel in names if channel not in disabled)
        assert counted == 2
        assert all(body["counters"][names[channel]] == 0 for channel in disabled)


async def test_a_peer_that_connects_is_asked_at_once(tmp_path: Path) -> None:
    board = Switchboard()
    never: dict[str, Any] = {"sync_interval_s": 3_600.0, "disabled": ("gossip",)}
    for name in "ab":
        (tmp_path / name).mkdir()
    async with running_node(tmp_path / "b", name="b") as b:
        await b.submit(consent(1))
    async with running_node(tmp_path / "a", name="a", board=board, **never) as a:
        await until(lambda: not a.node._sync._woken.is_set())  # its first look, at nobody, is over
        async with running_node(tmp_path / "b", name="b", board=board, **never):
            await holds(a, consent(1))


async def test_batches_are_fetched_from_the_operator_that_made_them(tmp_path: Path) -> None:
    board, chain = Switchboard(), FakeChain()
    for name in "ab":
        (tmp_path / name).mkdir()
    shared: dict[str, Any] = {"board": board, "chain": chain, "clock": ManualClock()}
    one = consent(1, sponsor=None)
    async with running_node(tmp_path / "a", name="a", **shared) as a:
        made = Operator("a", bytes(node_key("a").verify_key), url=a.url)
        async with running_node(tmp_path / "b", name="b", operators=(made,), **shared) as b:
            await a.submit(one)
            await until(lambda: a.account.broadcasts)
            for _ in range(3):
                chain.mine()
            await until(lambda: b.node._counters.snapshot()["batches_fetched"] == 1)
            await holds(b, one)
            anchors = []
            for node in (a, b):
                await until(lambda: node.node._freshness.head.point.number == 3)  # noqa: B023
                _, body = await node.get(f"/v1/licenses/{hex_text(one.digest)}")
                anchors.append(body["anchor"])
            assert anchors[0] == anchors[1]
            assert anchors[0]["proof"]["sponsor"] == made.key.hex()


async def test_a_port_that_is_taken_leaves_nothing_running(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        port = node.url.removeprefix("http://")
        (tmp_path / "second").mkdir()
        with pytest.raises(OSError, match="address already in use"):
            async with running_node(tmp_path / "second", http=port, name="second"):
                pytest.fail("it must not start")
        assert await node.get("/healthz") == (200, {"ok": True})
    assert asyncio.all_tasks() == {asyncio.current_task()}
    assert not [one for one in threading.enumerate() if one.name == "store-writer"]


async def test_a_store_that_cannot_be_opened_leaves_nothing_running(tmp_path: Path) -> None:
    (tmp_path / "store.sqlite").write_bytes(b"this is no store, " * 100)
    with pytest.raises(StoreUnusable):
        async with running_node(tmp_path):
            pytest.fail("it must not start")
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_stop_may_come_at_any_time_and_twice(tmp_path: Path) -> None:
    never_started = Node(config(tmp_path, name="rig"), ManualClock())
    await never_started.stop()
    async with running_node(tmp_path) as node:
        asking = [asyncio.create_task(node.submit(consent(number))) for number in range(20)]
        await asyncio.sleep(0)
        await node.node.stop()
        answers = await asyncio.gather(*asking, return_exceptions=True)
    kept = sum(isinstance(one, tuple) and one[0] == 200 for one in answers)
    async with running_node(tmp_path) as again:
        assert again.stored()["messages"] >= kept  # what was answered is there


async def test_requests_of_peers(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        page = await node.node._on_request(
            wire.SYNC_PROTOCOL, encode_request(RangeRequest(1, 1, b"")), "p"
        )
        assert page == pack([])
        with pytest.raises(NotFound):
            await node.node._on_request("/other/1", b"", "p")
    async with running_node(tmp_path, disabled=("sync",)) as node:
        with pytest.raises(NotFound):
            await node.node._on_request(wire.SYNC_PROTOCOL, encode_request(RangeRequest(1, 1, b"")), "p")


NAMED = wire.network_name(NETWORK)


def test_what_the_gossip_process_is_told(tmp_path: Path) -> None:
    chosen = config(tmp_path, name="rig")
    told = gossip_config(chosen)
    assert told.max_frame_bytes >= LIMITS.frame_bytes  # or full bundles would never leave
    assert told.topics == tuple(f"{NAMED}/{one}" for one in ("consents", "revocations", "statements"))
    assert told.urgent_topics == told.topics[1:2]
    silent = replace(chosen, settings=replace(chosen.settings, disabled=("gossip",)))
    assert (gossip_config(silent).topics, gossip_config(silent).protocols) == ((), told.protocols)
