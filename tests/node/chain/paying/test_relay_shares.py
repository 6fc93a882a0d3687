"""One wallet starves no other: turns by contributor, a part of the budget, bounded work."""

import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import FrameType
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from node.chain.paying.rig import WAIT_S, Paying
from sayso_contracts.relay import load_of, relay_item
from sayso_node.chain.paying import relay_choice, relayer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.store.chain import relays
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.words import FULL
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN

MANY = 30


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = Paying(tmp_path)
    yield paying
    paying.close()


def item_gas(envelope: Envelope) -> int:
    message = envelope.message
    assert isinstance(message, Revocation)
    return load_of(relay_item(message, envelope.network.chain_id, envelope.signature)).alone


async def both_known(paying: Paying) -> None:
    await paying.rig.give(consent(1), consent(2, contributor=BEN, parties=(BEN,)))


async def flood(paying: Paying, who: bytes = ADA, count: int = MANY) -> None:
    await paying.promise(
        *(revocation(f"everything for flood-{n}", contributor=who) for n in range(count))
    )


async def first_relay(paying: Paying) -> list[bytes]:
    """Whose messages the next relay carries, in order."""
    paying.rig.clock.time += WAIT_S
    await paying.steps()
    with paying.rig.store.read() as db:
        rows = db.execute(
            "SELECT contributor FROM relay_items JOIN messages USING (digest)"
            " WHERE intent = (SELECT max(intent) FROM relay_items) ORDER BY position"
        )
        return [who for (who,) in rows]


async def test_a_victim_is_in_the_first_relay_whatever_waits_before_it(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """There is room for ten messages in a relay, and thirty of another wallet came first."""
    await both_known(paying)
    await flood(paying)
    victim = revocation("everything for resale", contributor=BEN)
    paying.rig.clock.time += 1
    await paying.promise(victim)
    monkeypatch.setattr(paying.relayer, "_room", 10 * item_gas(victim) + 60_000)
    found = await first_relay(paying)
    assert found[:2] == [ADA, BEN]
    assert found.count(BEN) == 1


async def test_contributors_take_turns_within_a_relay(paying: Paying) -> None:
    await both_known(paying)
    await flood(paying, ADA, 5)
    paying.rig.clock.time += 1
    await flood(paying, BEN, 3)
    assert await first_relay(paying) == [ADA, BEN, ADA, BEN, ADA, BEN, ADA, ADA]


async def test_one_contributor_has_a_part_of_a_relay_and_all_of_it_comes_in_the_end(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    await both_known(paying)
    await flood(paying)
    gas = item_gas(revocation("everything for flood-29"))
    monkeypatch.setattr(paying.relayer, "_room", relayer.RELAY_PART * 4 * gas + 1_000)
    monkeypatch.setattr(relayer, "MAX_TRANSACTION_GAS", relayer.RELAY_PART * 4 * gas + 1_000)
    assert await first_relay(paying) == [ADA] * 4
    await paying.drain()
    assert len(paying.bits(ADA)) == MANY


async def test_one_contributor_spends_a_part_of_the_days_budget(tmp_path: Path) -> None:
    """However much it wants: the others' part is left, and the next day it goes on."""
    paying = Paying(tmp_path, Allowance(200 * GWEI, ETHER // 100, 0))
    try:
        await both_known(paying)
        await flood(paying, ADA, 300)
        for _ in range(40):
            paying.rig.clock.time += WAIT_S
            await paying.block()
        with paying.rig.store.read() as db:
            spent = relays.spent_for(db, ADA, paying.rig.clock.now())
        assert spent >= paying.relayer._budget_part
        before = len(paying.bits(ADA))
        assert before
        assert spent < 2 * paying.relayer._budget_part
        await flood(paying, BEN, 1)
        for _ in range(20):
            paying.rig.clock.time += WAIT_S
            await paying.block()
        assert (len(paying.bits(BEN)), len(paying.bits(ADA))) == (1, before)
        assert "budget-spent" not in paying.alarms.active()
        paying.rig.clock.time += 86_400
        for _ in range(9):
            paying.rig.clock.time += WAIT_S
            await paying.block()
        assert len(paying.bits(ADA)) > before
    finally:
        paying.close()


def overlapping(count: int) -> list[Envelope]:
    """Revocations of the same 64 words; each has all bits of half of them, in another arrangement."""
    words = range(1 << 200, (1 << 200) + 64)
    return [
        revocation(words={word: FULL if (n >> (word % 8)) & 1 else (1 << (n % 255)) for word in words})
        for n in range(count)
    ]


def lines_run(work: Callable[[], object], module: str) -> int:
    """How many lines of a module run; nothing depends on the machine."""
    count = 0

    def local(_frame: FrameType, event: str, _arg: Any) -> Any:
        nonlocal count
        count += event == "line"
        return local

    def trace(frame: FrameType, event: str, _arg: Any) -> Any:
        return local if frame.f_code.co_filename == module else None

    before = sys.gettrace()
    sys.settrace(trace)
    try:
        work()
    finally:
        sys.settrace(before)
    return count


def test_the_work_grows_with_the_messages_and_not_with_their_square() -> None:
    found = dict[int, int]()
    for count in (50, 100, 200):
        stored = overlapping(count)
        missing = dict[int, int]()
        for one in stored:
            assert isinstance(one.message, Revocation)
            for word, mask in one.message.bits.items():
                missing[word] = missing.get(word, 0) | mask
        found[count] = lines_run(
            lambda stored=stored, missing=missing: relay_choice._fewest(stored, missing),  # type: ignore[misc]
            relay_choice.__file__,
        )
    assert found[200] < 2.2 * found[100] < 2.2 * 2.2 * found[50], found


BITS = st.dictionaries(st.integers(1, 4), st.integers(1, 255), min_size=1)


@given(st.lists(BITS, min_size=1, max_size=8))
def test_what_is_chosen_carries_all_that_is_missing_and_nothing_needless(
    many: list[dict[int, int]],
) -> None:
    stored = [revocation(words={word << 200: mask for word, mask in one.items()}) for one in many]
    missing = dict[int, int]()
    for one in many:
        for word, mask in one.items():
            missing[word << 200] = missing.get(word << 200, 0) | mask
    chosen = [one.item.revocation.bits for one in relay_choice._fewest(stored, dict(missing))]

    def covered(without: int = -1) -> dict[int, int]:
        together = dict[int, int]()
        for number, bits in enumerate(chosen):
            for word, mask in bits.items() if number != without else ():
                together[word] = together.get(word, 0) | mask
        return together

    assert covered() == missing
    assert len(chosen) == 1 or not any(covered(number) == missing for number in range(len(chosen)))
