"""No part of a node dies in silence: it is named and started again; in the end the node ends."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path
from random import Random
from typing import Any
from unittest import mock

import pytest

from sayso_node.chain.following.follower import Follower
from sayso_node.chain.rpc.endpoints import Endpoints
from sayso_node.chain.rpc.json_rpc import JsonRpc
from sayso_node.chain.rpc.web3_chain import Web3Chain
from sayso_node.errors import PartFailed, StoreUnusable
from sayso_node.freshness import Freshness
from sayso_node.node import Node
from sayso_node.supervision import supervisor as module
from sayso_node.supervision.alarms import Alarms
from sayso_node.supervision.counters import Counters
from sayso_node.supervision.supervisor import Part, Supervisor, contained, pause_s
from support.fake_chain import FakeChain
from support.fake_network import Switchboard
from support.node_rig import ManualClock, NodeRig, consent
from support.protocol_strategies import NETWORK
from support.running_node import RunningNode, config, running_node
from support.waiting import DEADLINE_S, until

SECRET = "0xdeadbeef"
PARTS = dict(Node(config(Path("nowhere"), name="rig", disabled=()), ManualClock()).parts())
RESTARTED = sorted(name for name, part in PARTS.items() if part.restarts)


def test_these_are_the_parts() -> None:
    kept = {"gossip", "sync", "batches", "follower", "wallets", "archivist", "payer", "snapshots"}
    kept |= {"registry watch", "store guard", "readiness", "presence", "dates", "ends"}
    assert set(RESTARTED) == kept
    assert PARTS.keys() - kept == {
        "store"
    }  # a writer cannot be started again under those who wait for it


@pytest.fixture
def soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_MIN_S", 0.05)
    monkeypatch.setattr(module, "RUNS_S", 0.05)


class Fault:
    """Makes a part of a node raise whenever it is set; also when it is started again."""

    def __init__(self, name: str) -> None:
        self.name = name
        self.holds = asyncio.Event()
        self._truth = Node.parts

    def parts(self, node: Node) -> Mapping[str, Part]:
        parts = dict(self._truth(node))
        parts[self.name] = parts[self.name]._replace(run=self._breaking(parts[self.name]))
        return parts

    def _breaking(self, part: Part) -> Any:
        async def run() -> None:
            truth = asyncio.ensure_future(part.run())
            broken = asyncio.ensure_future(self.holds.wait())
            try:
                await asyncio.wait({truth, broken}, return_when=asyncio.FIRST_COMPLETED)
                assert not truth.done(), truth
                raise RuntimeError(SECRET)
            finally:
                truth.cancel()
                broken.cancel()
                await asyncio.gather(truth, broken, return_exceptions=True)

        return run


@asynccontextmanager
async def node_with(fault: Fault, folder: Path) -> AsyncIterator[RunningNode]:
    """A node that is ready, and has all parts."""
    chain, clock = FakeChain(), ManualClock()
    with mock.patch.object(Node, "parts", lambda node: fault.parts(node)):  # noqa: PLW0108 - it binds
        async with running_node(folder, chain=chain, clock=clock, disabled=()) as node:
            await until(lambda: status_is(node, 200))
            yield node


async def status_is(node: RunningNode, wanted: int) -> bool:
    status, _ = await node.get("/readyz")
    return status == wanted


@pytest.mark.parametrize("name", RESTARTED)
@pytest.mark.usefixtures("soon")
async def test_a_part_that_fails_is_named_and_started_again(
    tmp_path: Path, name: str, caplog: pytest.LogCaptureFixture
) -> None:
    fault = Fault(name)
    async with node_with(fault, tmp_path) as node:
        fault.holds.set()
        await until(lambda: status_is(node, 503))
        status, body = await node.get("/readyz")
        assert (status, body["ready"], body["parts_down"]) == (503, False, [name])
        assert body["alarms"] == ["part-failed"]
        assert 'sayso_alarm{name="part-failed"} 1.0' in (await node.get("/metrics"))[1]
        assert SECRET not in str(body)
        assert f"'part': '{name}'" in caplog.text
        assert SECRET in caplog.text
        assert (await node.submit(consent(1)))[0] == 200  # the others go on
        fault.holds.clear()
        await until(lambda: status_is(node, 200))
        assert (await node.get("/readyz"))[1] == {
            "ready": True,
            "reasons": [],
            "parts_down": [],
            "marks_full": False,
            "alarms": [],
            "silence": None,
        }
        assert node.node.counters()["parts_restarted"] >= 1
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_a_store_whose_writer_dies_ends_the_node(tmp_path: Path) -> None:
    def die(_db: object) -> None:
        raise SystemExit("the writer's thread")

    async with running_node(tmp_path) as node:
        with pytest.raises(StoreUnusable):
            await node.node._store.write(die)
        with pytest.raises(PartFailed, match="the store cannot go on"):
            async with asyncio.timeout(DEADLINE_S):
                await node.node.failure()
        status, body = await node.submit(consent(1))
        assert (status, body["error"]["code"]) == (503, "store-unusable")
        assert (await node.get("/readyz"))[1]["parts_down"] == ["store"]


class Faulty:
    """A part that ends in the ways it is told, and then runs."""

    def __init__(self, *ends: BaseException | None) -> None:
        self._ends = list(ends)
        self.runs = 0

    async def run(self) -> None:
        self.runs += 1
        if not self._ends:
            await asyncio.Event().wait()
        if end := self._ends.pop(0):
            raise end


async def test_to_return_or_to_cancel_itself_is_to_fail(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_MIN_S", 0.001)
    faulty, counters = Faulty(None, asyncio.CancelledError(), ValueError()), Counters()
    supervisor = Supervisor(Alarms(), counters)
    supervisor.start({"part": Part(faulty.run)})
    await until(lambda: faulty.runs == 4)
    assert supervisor.down() == ["part"]
    assert counters.snapshot()["parts_restarted"] == 3
    await supervisor.stop()
    assert asyncio.all_tasks() == {asyncio.current_task()}


async def test_many_failures_within_the_window_are_the_end(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_MIN_S", 0.001)
    monkeypatch.setattr(module, "PAUSE_MAX_S", 0.001)
    ends = [ValueError(SECRET)] * 100
    faulty, healthy = Faulty(*ends), Faulty()
    supervisor = Supervisor(Alarms(), Counters())
    supervisor.start({"faulty": Part(faulty.run), "healthy": Part(healthy.run)})
    with pytest.raises(PartFailed) as failure:
        await supervisor.failure()
    assert faulty.runs == module.FAILURES
    assert str(failure.value).startswith("the faulty failed 8 times within 600 s")
    assert SECRET not in str(failure.value)
    await supervisor.stop()


async def test_failures_long_ago_do_not_count(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "PAUSE_MIN_S", 0.001)
    monkeypatch.setattr(module, "PAUSE_MAX_S", 0.001)
    monkeypatch.setattr(module, "WINDOW_S", 0.0)
    faulty = Faulty(*[ValueError()] * 3 * module.FAILURES)
    supervisor = Supervisor(Alarms(), Counters())
    supervisor.start({"part": Part(faulty.run)})
    await until(lambda: faulty.runs > 3 * module.FAILURES)
    await supervisor.stop()


def test_pauses_grow_up_to_a_limit() -> None:
    assert [pause_s(failures) for failures in (1, 2, 3, 7, 9)] == [0.5, 1.0, 2.0, 30.0, 30.0]


def test_a_contained_fault_is_counted_and_loud(caplog: pytest.LogCaptureFixture) -> None:
    counters = Counters()
    with contained(counters, "a row"):
        raise RecursionError(SECRET)
    assert counters.snapshot()["faults"] == 1
    assert "'item': 'a row'" in caplog.text


async def poisoned(_protocol: str, _body: bytes, _peer: str) -> bytes:
    """A peer whose answers provoke what nobody foresaw."""
    raise RuntimeError(SECRET)


async def test_a_poisoned_peer_ends_neither_sync_nor_batches(tmp_path: Path) -> None:
    board, chain, clock = Switchboard(), FakeChain(), ManualClock()
    shared: dict[str, Any] = {"board": board, "chain": chain, "clock": clock}
    for name in "ab":
        (tmp_path / name).mkdir()
    board.add_peer("a poisoned peer", poisoned)  # asked before the other
    async with running_node(tmp_path / "a", name="a", **shared) as a:
        await a.submit(consent(1, sponsor=None))
        await until(lambda: a.account.broadcasts)  # its batch is on its way
        async with running_node(
            tmp_path / "b", name="b", disabled=("gossip", "snapshots"), **shared
        ) as b:
            for _ in range(3):
                chain.mine()
            counters = b.node._counters.snapshot
            await until(lambda: counters()["batches_fetched"] == 1)
            await until(lambda: counters()["sync_rounds"] >= 1 and counters()["sync_failed"] >= 2)
            assert b.stored()["messages"] == 1
            assert counters()["faults"] >= 2
            assert b.node._supervisor.down() == []
            assert counters()["parts_restarted"] == 0


async def test_a_poisoned_endpoint_does_not_end_the_follower(tmp_path: Path) -> None:
    poisons = iter([RuntimeError(SECRET), KeyError("x"), RecursionError(), AssertionError()])

    async def answer(*_: object) -> bytes:
        raise next(poisons, ConnectionError("gone"))

    with (
        NodeRig(tmp_path) as rig,
        mock.patch.object(JsonRpc, "_by_post", answer),
    ):
        chain = Web3Chain("http://127.0.0.1:1", NETWORK)
        endpoints = Endpoints([chain], Freshness([]), Alarms(), rig.counters, finality=1)
        shared = (endpoints, rig.store, rig.freshness, rig.clock, rig.counters)
        follower = Follower(
            *(*shared, rig.alarms, Random(1)),
            registry=NETWORK.registry,
            finality=12,
            deploy_block=1,
            interval_s=0.05,
        )
        running = asyncio.create_task(follower.run())
        await until(lambda: running.done() or rig.count("chain_failed") >= 5)
        assert not running.done()
        running.cancel()
        await asyncio.gather(running, return_exceptions=True)
