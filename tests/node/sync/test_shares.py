"""Whatever a peer asks, and however: it gets its share of work and of bytes, and no more."""

import asyncio
from collections.abc import Awaitable, Callable
from functools import partial
from typing import TypeVar

import pytest

from node.gossip.greedy import EVERYTHING, GREEDY
from node.sync.peers import HeldRunner
from sayso_node.batches.protocol import answer_batch
from sayso_node.errors import NodeBusy
from sayso_node.store.chain import chain_state
from sayso_node.sync import answering, bill, shares
from sayso_node.sync.answering import Answering
from sayso_protocol.encoding.packing import pack
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.sync.fingerprints import NODES, ROOT
from sayso_protocol.sync.requests import CheckRequest, RangeRequest, encode_request
from support.node_rig import NodeRig, consent

MOST = 100_000
BYTES = 256  # of an answer cost as much as an entry
CHECK = encode_request(CheckRequest(CONSENT, bytes(16), ROOT))
LARGE = [consent(number, count=1_024) for number in range(4)]

T = TypeVar("T")


async def until_refused(ask: Callable[[], Awaitable[bytes]]) -> list[bytes]:
    """Ask the same again and again, while the clock stands still; what was answered."""
    answered: list[bytes] = []
    while len(answered) < MOST:
        try:
            answered.append(await ask())
        except NodeBusy:
            return answered
    raise AssertionError("it is never refused")


@pytest.mark.parametrize("name", GREEDY)
async def test_what_is_looked_for_is_paid_for_though_nothing_is_found(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch, name: str
) -> None:
    monkeypatch.setattr(shares, "MOST", MOST)
    answered = await until_refused(lambda: rig.answering.answer(GREEDY[name], "greedy"))
    assert 1 <= len(answered) <= MOST / NODES


async def test_a_share_grows_again_after_the_clock_was_set_back(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST", MOST)
    rig.clock.time += 31_536_000.0
    await until_refused(lambda: rig.answering.answer(EVERYTHING[0], "greedy"))
    rig.clock.time -= 31_536_000.0
    rig.clock.time += 60
    await rig.answering.answer(EVERYTHING[0], "greedy")


async def test_a_small_question_with_a_large_answer_is_paid_for_by_the_byte(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST", MOST // 10)
    await rig.give(*LARGE)
    everything = encode_request(RangeRequest(1, ROOT, b""))
    answered = await until_refused(lambda: rig.answering.answer(everything, "greedy"))
    assert len(answered[0]) > 4 * 32 * 1_024
    assert len(answered[0]) <= sum(map(len, answered)) <= MOST // 10 * BYTES + len(answered[0])


async def test_batches_are_given_out_of_the_same_share(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST", MOST // 10)
    licenses = [bytes([number]) * 32 for number in range(1, 250)]
    made = await rig.store.write(lambda db: chain_state.make_batch(db, bytes(32), licenses))
    batches = partial(rig.answering.answer_by, answer_batch, made.root, "greedy")
    answered = await until_refused(batches)
    assert len(answered[0]) > 249 * 32
    assert sum(map(len, answered)) <= MOST // 10 * BYTES
    with pytest.raises(NodeBusy):
        await rig.answering.answer(CHECK, "greedy")


async def test_nonsense_is_paid_for(rig: NodeRig, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(shares, "MOST", MOST)
    nonsense = pack([1, CONSENT, bytes(16), 1, b"\1" * 1_000_000])
    refusals = 0
    while refusals <= MOST:
        try:
            await rig.answering.answer(nonsense, "greedy")
        except NodeBusy:
            break
        except SaysoError:
            refusals += 1
    assert 1 <= refusals <= MOST / (len(nonsense) / BYTES) + 1


async def test_who_asks_for_too_much_waits_and_configured_peers_do_not(
    rig: NodeRig, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(shares, "MOST", 1_000)
    monkeypatch.setattr(rig.answering._shares, "_known", frozenset({"operator"}))
    for who in ("greedy", "operator"):
        assert len(await until_refused(partial(rig.answering.answer, CHECK, who))) in (3, 4)
    with pytest.raises(NodeBusy):  # strangers have a share together
        await rig.answering.answer(CHECK, "other")
    rig.clock.time += 1
    await rig.answering.answer(CHECK, "greedy")


async def test_strangers_read_two_at_a_time_and_a_configured_peer_beside_them(rig: NodeRig) -> None:
    held = HeldRunner()
    busy = Answering(rig.store, rig.intake, rig.clock, {"operator"}, held)
    ask = partial(busy.answer, CHECK)
    strangers = [asyncio.create_task(ask(f"stranger {number}")) for number in range(8)]
    for _ in range(20):
        await asyncio.sleep(0)
    assert held.reading == answering.STRANGERS_AT_ONCE
    operator = asyncio.create_task(ask("operator"))
    for _ in range(20):
        await asyncio.sleep(0)
    assert held.reading == answering.STRANGERS_AT_ONCE + 1
    held.go.set()
    assert len({*await asyncio.gather(operator, *strangers)}) == 1


async def test_the_bill_comes_before_the_work(rig: NodeRig) -> None:
    """Whoever asks many times at once has been charged for all of it before any of it is read."""
    charged: list[float] = []

    async def reading(work: Callable[[], T], /) -> T:
        charged.append(busy._shares._used["greedy"][0])
        return work()

    busy = Answering(rig.store, rig.intake, rig.clock, {"greedy"}, reading)
    await busy.answer(CHECK, "greedy")
    assert charged[0] >= bill.ASKED_AT_MOST
    assert busy._shares._used["greedy"][0] < bill.ASKED_AT_MOST / 8  # an empty store costs little


async def test_nonsense_costs_more_than_a_question_of_its_size(rig: NodeRig) -> None:
    for number, body in enumerate((b"\xc1", pack([9]), b"\x95\x01" + b"\xc0" * 60_000)):
        with pytest.raises(SaysoError):
            await rig.answering.answer(body, f"peer {number}")
        used = rig.answering._shares._used[f"peer {number}"][0]
        assert used > 10 * (bill.COST_OF_QUESTION + bill.cost_of_bytes(body))
