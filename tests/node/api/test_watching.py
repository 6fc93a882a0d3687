"""Gate.watch on real nodes: every revocation that hits, from any of them, once and without a gap."""

import asyncio
import json
import time
from collections.abc import AsyncIterator, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import replace
from pathlib import Path
from typing import Any, Self

import pytest

from sayso.errors import NodeUnreachable, NotHeld
from sayso.gate.gate import Gate
from sayso.gate.watching import Hit
from sayso.node_client import following
from sayso.node_client.client import NodeClient
from sayso_node.api.routes.events import EventRoutes
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, contributor_hash
from sayso_protocol.permissions.scopes import Scope, file_subject, to_subject
from sayso_protocol.primitives import address_text, hex_text
from support.holders import LABS, dispute, stated, sublicense
from support.node_rig import ManualClock, consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.running_node import RunningNode, running_node
from support.waiting import DEADLINE_S, until

COUNT = 6
DAN, EVE, FAY, *_ = LABS
CONSENTS = [consent(number) for number in range(1, COUNT + 1)]


STREAMS: list[EventRoutes] = []


class Streams(EventRoutes):
    """The node's own, where a test can find them."""

    def __init__(self, *parts: Any) -> None:
        super().__init__(*parts)
        STREAMS.append(self)


@pytest.fixture
def manifest(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """All the items; and what nodes wait for does not take long."""
    monkeypatch.setattr(following, "AGAIN_S", 0.01)
    monkeypatch.setattr("sayso_node.serving.http_api.EventRoutes", Streams)
    STREAMS.clear()
    rows = [{"license": hex_text(one.digest), "item": hex_text(one.items[0])} for one in CONSENTS]
    path = tmp_path / "m.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    return path


@asynccontextmanager
async def knowing(folder: Path, name: str, **settings: Any) -> AsyncIterator[RunningNode]:
    """A node of today, that knows all the consents."""
    await asyncio.to_thread(folder.mkdir)
    clock = ManualClock(time.time())
    async with running_node(folder, name=name, clock=clock, **settings) as node:
        await node.submit(*CONSENTS)
        yield node


@pytest.fixture
async def north(manifest: Path, tmp_path: Path) -> AsyncIterator[RunningNode]:
    async with knowing(tmp_path / "north", "north") as node:
        yield node


@pytest.fixture
async def south(manifest: Path, tmp_path: Path) -> AsyncIterator[RunningNode]:
    """It has no peers either: what one of them hears, the other does not."""
    async with knowing(tmp_path / "south", "south") as node:
        yield node


def gate_of(*nodes: RunningNode) -> Gate:
    files = [one.node._config.network_file for one in nodes]
    trusted = replace(files[0], operators=tuple(one.operators[0] for one in files))
    return Gate(BEN, "train-ai", network=trusted, nodes=[one.url for one in nodes])


async def revoke(node: RunningNode, number: int) -> None:
    subject = file_subject(CONSENTS[number].items[0])
    status, _ = await node.submit(revocation(Scope(subject).text))
    assert status == 200


class Watching:
    """A watch that goes on beside the test, until the block ends."""

    def __init__(self, gate: Gate, manifest: Path, after: Mapping[str, str] | None = None) -> None:
        self._gate, self._manifest, self._after = gate, manifest, after
        self.hits: list[Hit] = []
        self.lost: set[str] = set()

    async def __aenter__(self) -> Self:
        work = self._gate.watch(self._manifest, self.hits.append, self._after, self.lost.add)
        self.task = asyncio.create_task(work)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.task.cancel()
        await asyncio.gather(self.task, return_exceptions=True)
        await asyncio.to_thread(self._gate.close)

    def items(self) -> list[bytes]:
        return [row.item for hit in self.hits for row in hit.rows]

    async def heard(self, *numbers: int) -> dict[str, str]:
        """Wait until the rows of these consents were told, in this order; the last place."""
        expected = [CONSENTS[number].items[0] for number in numbers]
        await until(lambda: self.task.done() or self.items() == expected)
        assert self.items() == expected
        return self.hits[-1].after

    async def begun(self, *nodes: RunningNode) -> None:
        """Wait until what was before the streams of these nodes is known."""
        urls = {one.url for one in nodes}
        await until(lambda: self.task.done() or (self.hits and self.hits[-1].after.keys() == urls))
        assert not self.task.done()


async def test_a_node_that_may_not_speak_is_lost_and_still_heard(
    north: RunningNode, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("sayso_node.api.routes.events.BEAT_S", 0.01)
    freshness, clock = north.node._freshness, north.node._snapshots._clock
    north.chain.time = clock.now()
    north.chain.mine()
    await until(lambda: freshness.view(clock.now(), 60).silence is None)
    async with Watching(gate_of(north), manifest) as watch:
        await watch.begun(north)
        assert watch.lost == set()
        freshness.dispute = "two endpoints disagree about block 7"
        for _ in range(2):  # again at each beat
            await until(lambda: north.url in watch.lost)
            watch.lost.clear()
        await revoke(north, 0)
        await watch.heard(0)


async def test_hits_are_told_once_and_without_a_gap(north: RunningNode, manifest: Path) -> None:
    await revoke(north, 0)
    async with Watching(gate_of(north), manifest) as watch:
        await watch.heard(0)  # by the check at the beginning
        await revoke(north, 1)
        await watch.heard(0, 1)
        await STREAMS[-1].close()  # it hangs up on every listener
        await revoke(north, 2)
        place = await watch.heard(0, 1, 2)
        assert watch.lost == {north.url}
    assert list(place) == [north.url]
    # Somebody who comes back later hears what was missed, and nothing twice.
    await revoke(north, 3)
    async with Watching(gate_of(north), manifest, place) as watch:
        await watch.heard(3)
    # A place that the node does not have: all rows are checked again.
    async with Watching(gate_of(north), manifest, {north.url: f"{'0' * 32}-7"}) as watch:
        await watch.heard(0, 1, 2, 3)


async def test_any_node_may_be_the_one_that_hears(
    north: RunningNode, south: RunningNode, manifest: Path
) -> None:
    await revoke(south, 0)
    async with Watching(gate_of(north, south), manifest) as watch:
        await watch.begun(north, south)
        await watch.heard(0)
        await revoke(south, 1)
        await watch.heard(0, 1)
        await revoke(north, 1)  # it was told: the other node had heard it before
        await revoke(north, 2)
        await watch.heard(0, 1, 2)
        await revoke(south, 3)
        place = await watch.heard(0, 1, 2, 3)
    assert set(place) == {north.url, south.url}
    await revoke(south, 4)
    async with Watching(gate_of(north, south), manifest, place) as watch:
        await watch.heard(4)
    # A place of one of them is no place of the other: there everything is asked.
    async with Watching(gate_of(north, south), manifest, {north.url: place[north.url]}) as watch:
        await watch.begun(north, south)
        await watch.heard(0, 1, 2, 3, 4)


async def test_consents_that_the_first_node_has_not(
    south: RunningNode, manifest: Path, tmp_path: Path
) -> None:
    """It lags: what is watched does not depend on which node was named first."""
    (tmp_path / "late").mkdir()
    clock = ManualClock(time.time())
    async with (
        running_node(tmp_path / "late", name="late", clock=clock) as late,
        Watching(gate_of(late, south), manifest) as watch,
    ):
        await watch.begun(late, south)
        await revoke(south, 2)
        await watch.heard(2)


async def test_the_other_party_and_the_guardian_are_heard(south: RunningNode, tmp_path: Path) -> None:
    pair = tuple(sorted([ADA, CLEO]))
    call = consent(9, parties=pair)
    guarded = consent(10, guardian=CLEO)
    await south.submit(call, consent(9, parties=pair, contributor=CLEO), guarded)
    rows = [{"license": hex_text(one.digest), "item": hex_text(one.items[0])} for one in (call, guarded)]
    path = tmp_path / "shared.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    async with Watching(gate_of(south), path) as watch:
        await watch.begun(south)
        await south.submit(revocation(Scope(file_subject(call.items[0])).text, contributor=CLEO))
        await until(lambda: watch.items() == [call.items[0]])
        word = Scope(file_subject(guarded.items[0]), ward=ADA).text
        await south.submit(revocation(word, contributor=CLEO))
        await until(lambda: watch.items() == [call.items[0], guarded.items[0]])


async def test_what_closes_a_chain_is_heard(south: RunningNode, tmp_path: Path) -> None:
    """One of two chains ends: the row is still clear. Then the other one ends, each time in its way."""
    kept = [consent(number, purposes=("resale", "train-ai")) for number in range(11, 14)]
    names = [one.digest for one in kept]
    first = sublicense(BEN, DAN, names, purposes=("resale", "train-ai"))
    second = sublicense(DAN, EVE, names, first.digest)
    other = [sublicense(BEN, FAY, names, purposes=("resale", "train-ai"))]
    other.append(sublicense(FAY, EVE, names, other[0].digest))
    await south.submit(*kept, first, second, *other)
    rows = [{"license": hex_text(one.digest), "item": hex_text(one.items[0])} for one in kept]
    path = tmp_path / "passed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    gate = Gate(EVE, "train-ai", network=south.node._config.network_file, nodes=[south.url])
    async with Watching(gate, path) as watch:
        await watch.begun(south)
        await south.submit(_by(DAN, f"statement {hex_text(second.digest)}"))
        await until(lambda: len(watch.hits) > 1)  # asked again, and nothing is new
        assert watch.items() == []
        await south.submit(revocation(to_subject(FAY)))  # a holder between, who is stopped
        await until(lambda: len(watch.items()) == len(kept))
        assert sorted(watch.items()) == sorted(one.items[0] for one in kept)


async def test_a_withdrawn_sublicense_of_one_license_stops_no_other(
    south: RunningNode, tmp_path: Path
) -> None:
    kept = [consent(number, purposes=("resale", "train-ai")) for number in (11, 12)]
    passed = [sublicense(BEN, EVE, [one.digest]) for one in kept]
    await south.submit(*kept, *passed)
    rows = [{"license": hex_text(one.digest), "item": hex_text(one.items[0])} for one in kept]
    path = tmp_path / "passed.jsonl"
    path.write_text("".join(json.dumps(row) + "\n" for row in rows))
    gate = Gate(EVE, "train-ai", network=south.node._config.network_file, nodes=[south.url])
    async with Watching(gate, path) as watch:
        await watch.begun(south)
        await south.submit(_by(BEN, f"statement {hex_text(passed[0].digest)}"))
        await until(lambda: watch.items() == [kept[0].items[0]])
        await south.submit(_by(BEN, f"statements {to_subject(EVE)}"))
        await until(lambda: watch.items() == [kept[0].items[0], kept[1].items[0]])


@pytest.mark.parametrize("knows", [True, False])
async def test_a_dispute_of_somebody_heeded_is_heard(
    manifest: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, knows: bool
) -> None:
    """Only what it names is asked about again; everything, if the node cannot say what that is."""
    if not knows:
        monkeypatch.setattr(NodeClient, "statement", _refused)
    now, asked = int(time.time()) - 60, list[int]()
    async with knowing(tmp_path / "east", "east", heed=(address_text(DAN),)) as node:
        gate = gate_of(node)
        rows = gate.rows

        def counted(joined: bytes) -> object:
            asked.append(len(joined) // ROW_BYTES)
            return rows(joined)

        monkeypatch.setattr(gate, "rows", counted)
        async with Watching(gate, manifest) as watch:
            await watch.begun(node)
            assert asked == [COUNT]
            await node.submit(dispute(EVE, CONSENTS[1].items, issued_at=now))  # whom nobody heeds
            await node.submit(dispute(DAN, CONSENTS[4].items, issued_at=now))
            await watch.heard(4)
            assert asked == [COUNT, 1 if knows else COUNT]
            whom = [contributor_hash(ADA)]
            await node.submit(dispute(DAN, whom, subject=CONTRIBUTORS, issued_at=now))
            await until(lambda: len(watch.items()) == COUNT)
            assert asked[2:] == [COUNT - 1]  # all are Ada's, and one of them was reported


async def _refused(_client: NodeClient, _digest: bytes) -> Envelope:
    raise NotHeld("no such message")


def _by(signer: bytes, scope: str) -> Envelope:
    return stated(Revocation(signer, (scope,)), (), is_sponsored=False)


async def test_one_that_is_down_does_not_silence_the_others(
    north: RunningNode, manifest: Path, tmp_path: Path
) -> None:
    async with knowing(tmp_path / "south", "south") as south:
        gate = gate_of(north, south)
        async with Watching(gate, manifest) as watch:
            await watch.begun(north, south)
            await revoke(south, 0)
            place = await watch.heard(0)
    async with Watching(gate, manifest, place) as watch:
        await until(lambda: south.url in watch.lost)
        await revoke(north, 1)
        assert await watch.heard(1) == place | {north.url: watch.hits[-1].after[north.url]}
    # Where nothing is remembered, everything has to be asked of all, and one does not answer.
    async with Watching(gate, manifest) as watch:
        await until(watch.task.done)
        assert isinstance(watch.task.exception(), NodeUnreachable)


async def test_a_place_is_not_remembered_before_its_gap_was_looked_into(
    north: RunningNode, manifest: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A hit while all rows are being checked: who goes on from it must not skip what the check finds."""
    await revoke(north, 0)
    gate, let_go = gate_of(north), asyncio.Event()
    loop = asyncio.get_running_loop()
    rows: Callable[[bytes], object] = gate.rows

    def slow(joined: bytes) -> object:
        asyncio.run_coroutine_threadsafe(let_go.wait(), loop).result(DEADLINE_S)
        return rows(joined)

    monkeypatch.setattr(gate, "rows", slow)
    async with Watching(gate, manifest) as watch:
        await until(lambda: STREAMS[-1]._streams)
        await revoke(north, 1)
        assert await watch.heard(1) == {}
        let_go.set()
        assert list(await watch.heard(1, 0)) == [north.url]
