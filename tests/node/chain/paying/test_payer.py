"""Exactly once: whatever dies and whatever a fork drops, nothing is paid for twice, nothing is lost."""

import contextlib
import logging
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from node.chain.paying.rig import ALLOWANCE, FINALITY, WAIT_S, Paying
from sayso_contracts.transactions import Fees
from sayso_node.chain.interface import Landed
from sayso_node.chain.paying import anchorer as anchorer_module
from sayso_node.chain.paying.fees import GWEI, TooExpensive, first_fees, higher_fees
from sayso_node.chain.paying.payer import DOUBT_S, STUCK_S
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.store.chain import intents
from support.fake_chain import unreachable
from support.node_rig import revocation
from support.protocol_strategies import ADA
from support.tries import tries


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = Paying(tmp_path)
    yield paying
    paying.close()


async def begin(paying: Paying, *numbers: int) -> None:
    """A batch is due."""
    await paying.give(*numbers)
    paying.rig.clock.time += WAIT_S


def _dying(*_arguments: object) -> None:
    raise StoreUnusable("the machine is gone")


@pytest.mark.parametrize("dies", ["estimate", "sign", "keep", "send", "sent"])
async def test_one_transaction_whatever_dies(
    paying: Paying, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Before it is signed, before it is kept, before it is sent, and after, before anybody knows."""
    await begin(paying, 1)
    with monkeypatch.context() as patch:
        if dies == "keep":
            patch.setattr(intents, "keep_signed", _dying)
        elif dies != "sent":
            paying.chain.trouble = unreachable(dies)
        with contextlib.suppress(ChainUnreachable, StoreUnusable):
            await paying.steps()
    paying.chain.trouble = lambda _method, _calls: None
    for _ in range(3):
        paying.restart()
        await paying.steps(2)
    assert len(set(paying.account.broadcasts)) == 1
    await paying.drain()
    [batch] = paying.batches()
    assert paying.account.roots == [batch.root]
    assert len(paying.account.sent) == 1


async def test_what_a_reorganisation_drops_is_sent_the_same_again(paying: Paying) -> None:
    for number in (1, 2, 3):
        await begin(paying, number)
        await paying.steps(2)
        paying.chain.mine()
    sent = list(paying.account.broadcasts)
    assert len(sent) == 3
    await paying.steps()
    paying.account.forgets = True  # as anvil does: not even the pool has them any more
    paying.chain.drop(3)
    paying.chain.mine()
    await paying.follower.read()
    await paying.steps(2)
    assert paying.account.broadcasts == sent * 2
    await paying.drain()
    assert sorted(paying.account.roots) == sorted(batch.root for batch in paying.batches())
    assert paying.rig.count("transactions_replaced") == 0


async def test_a_stuck_transaction_is_replaced_under_its_own_nonce(paying: Paying) -> None:
    await begin(paying, 1)
    await paying.steps()
    paying.account.base_fee *= 20  # a fee spike
    for _ in range(3):
        await paying.block()
    assert len(paying.account.broadcasts) == 1  # not yet
    paying.rig.clock.time += STUCK_S
    await paying.steps()
    assert len(paying.account.broadcasts) == 2
    await paying.block()
    [mined] = paying.account.mined()
    assert {one.nonce for one in paying.account.sent.values()} == {mined.nonce} == {0}
    assert mined.fees.max_fee > 20 * GWEI
    paying.restart()
    await paying.drain()
    assert len(paying.account.roots) == 1


async def test_the_older_of_two_may_win(paying: Paying) -> None:
    await begin(paying, 1)
    await paying.steps()
    first = next(iter(paying.account.sent))
    paying.rig.clock.time += STUCK_S
    await paying.steps()
    assert len(paying.account.sent) == 2
    del paying.account.sent[next(name for name in paying.account.sent if name != first)]
    await paying.drain()
    assert len(paying.account.roots) == 1


async def test_above_the_cap_it_waits_and_says_so(paying: Paying) -> None:
    await begin(paying, 1)
    paying.account.base_fee = 300 * GWEI
    await paying.steps(2)
    assert paying.account.broadcasts == []
    assert "300" in paying.alarms.active()["fee-cap"] or "301" in paying.alarms.active()["fee-cap"]
    paying.account.base_fee = 150 * GWEI  # doubled it would be above the cap
    await paying.steps(1)
    [sent] = paying.account.sent.values()
    assert sent.fees.max_fee == ALLOWANCE.max_fee
    assert paying.alarms.active() == {}


async def test_what_is_stuck_is_not_offered_more_than_the_cap(paying: Paying) -> None:
    await begin(paying, 1)
    paying.account.base_fee = 90 * GWEI
    await paying.steps()
    paying.account.base_fee = 1_000 * GWEI
    for _ in range(8):
        paying.rig.clock.time += STUCK_S
        await paying.block()
    assert all(one.fees.max_fee <= ALLOWANCE.max_fee for one in paying.account.sent.values())
    assert "fee-cap" in paying.alarms.active()
    paying.account.base_fee = GWEI
    await paying.drain()
    assert len(paying.account.roots) == 1


async def test_the_budget_of_a_day(tmp_path: Path) -> None:
    cost = (21_000 + 16 * 36) * 3 * GWEI  # what an anchor may cost at these prices
    paying = Paying(tmp_path, replace(ALLOWANCE, budget=cost * 3 // 2))
    for number in range(1, 4):
        await begin(paying, number)
        await paying.steps()
        await paying.block()
    await paying.steps()
    spent = len(paying.account.roots)
    assert 1 <= spent < 3
    assert "budget-spent" in paying.alarms.active()
    paying.restart()  # what was spent is not forgotten
    await paying.steps()
    assert "budget-spent" in paying.alarms.active()
    assert len(paying.account.roots) == spent
    paying.rig.clock.time += intents.DAY_S
    await paying.steps()
    await paying.block()
    assert len(paying.account.roots) == spent + 1
    paying.close()


async def test_an_empty_account_loses_nothing(paying: Paying, caplog: pytest.LogCaptureFixture) -> None:
    await begin(paying, 1)
    paying.account.money = 10**9
    with caplog.at_level(logging.WARNING):
        await paying.steps(3)
        assert {"account-low", "account-empty"} == set(paying.alarms.active())
        assert paying.account.broadcasts == []
        paying.account.money = 10**18
        await paying.drain()
    assert paying.alarms.active() == {}
    assert len(paying.account.roots) == 1
    said = [(one.msg["event"], one.msg["alarm"]) for one in caplog.records if "alarm" in one.msg]  # type: ignore[index]
    assert said.count(("alarm-started", "account-empty")) == 1
    assert said.count(("alarm-ended", "account-empty")) == 1


async def test_a_nonce_that_was_used_elsewhere(paying: Paying, caplog: pytest.LogCaptureFixture) -> None:
    await begin(paying, 1)
    await paying.steps()
    paying.account.use_elsewhere()
    for _ in range(FINALITY - 1):
        await paying.block()
        assert len(paying.account.broadcasts) == 1  # it may still be dropped
    await paying.drain()
    assert len(paying.account.broadcasts) == 2
    assert "'alarm': 'nonce-used-elsewhere'" in caplog.text
    assert [one.nonce for one in paying.account.mined()] == [1]
    assert paying.alarms.active() == {}


async def test_a_nonce_used_elsewhere_on_a_fork_that_is_dropped(paying: Paying) -> None:
    await begin(paying, 1)
    await paying.steps()
    paying.account.use_elsewhere()
    await paying.block()
    paying.chain.drop(1)
    await paying.drain()
    assert [one.nonce for one in paying.account.mined()] == [0]
    assert len(set(paying.account.broadcasts)) == 1


async def test_an_endpoint_that_knows_the_nonce_and_not_the_receipt(paying: Paying) -> None:
    """It lags: for a while, or to the end, nothing is signed anew because of it."""
    await begin(paying, 1)
    await paying.steps()
    paying.chain.mine()
    hidden = dict(paying.account.sent)
    landed = paying.account.landed

    async def lags(tx_hash: bytes) -> None:
        return None

    paying.account.landed = lags  # type: ignore[method-assign]
    for _ in range(FINALITY):
        await paying.steps(2)
        paying.chain.mine()
    paying.account.landed = landed  # type: ignore[method-assign]
    await paying.drain()
    assert paying.account.sent.keys() == hidden.keys()


@pytest.mark.parametrize("block_s", [0.25, 12.0])
@pytest.mark.parametrize("late_s", [1.0, 15.0, 60.0, 120.0])
async def test_a_receipt_that_is_late_is_waited_for(
    paying: Paying, late_s: float, block_s: float
) -> None:
    """By the clock: at four blocks a second, hundreds of them come before the receipt."""
    await begin(paying, 1)
    await paying.steps()
    landed, is_mined = paying.account.landed, paying.account.is_mined
    clock, chain = paying.rig.clock, paying.chain
    comes_at = clock.time + block_s + late_s

    async def late(tx_hash: bytes) -> Landed | None:
        return await landed(tx_hash) if clock.time >= comes_at else None

    async def unknown(tx_hash: bytes) -> bool:
        return clock.time >= comes_at and await is_mined(tx_hash)

    paying.account.landed, paying.account.is_mined = late, unknown  # type: ignore[method-assign]
    while clock.time < comes_at + 2 * WAIT_S:
        clock.time += max(block_s, 1.0)
        for _ in range(int(max(1.0 / block_s, 1))):
            chain.mine()
        await paying.steps()
    assert len(set(paying.account.broadcasts)) == 1
    await paying.drain()
    assert len(paying.account.roots) == 1


def hide(paying: Paying, *, transaction: bool) -> None:
    """Let the endpoint give no receipt, and on request not even the transaction in its block."""

    async def nothing(_tx_hash: bytes) -> None:
        return None

    async def unknown(_tx_hash: bytes) -> bool:
        return False

    paying.account.landed = nothing  # type: ignore[method-assign, assignment]
    if transaction:
        paying.account.is_mined = unknown  # type: ignore[method-assign, assignment]


async def minutes_pass(paying: Paying, minutes: int, *, read: bool) -> None:
    """Mine a block each minute; the follower reads it or not."""
    for _ in range(minutes):
        paying.rig.clock.time += 60
        paying.chain.mine()
        if read:
            await paying.follower.read()
        await paying.steps(2)


async def test_a_receipt_that_never_comes_while_the_transaction_is_in_a_block(paying: Paying) -> None:
    """On the commit before, each final block without a receipt cost another transaction."""
    await begin(paying, 1)
    await paying.steps()
    hide(paying, transaction=False)
    await minutes_pass(paying, 20, read=False)
    assert len(set(paying.account.broadcasts)) == 1


async def test_a_receipt_that_never_comes_while_the_effect_is_on_the_chain(paying: Paying) -> None:
    await begin(paying, 1)
    await paying.steps()
    hide(paying, transaction=True)
    await minutes_pass(paying, 20, read=True)
    assert len(set(paying.account.broadcasts)) == 1
    assert len(paying.account.roots) == 1
    await begin(paying, 2)  # the next is not kept waiting
    await paying.steps(2)
    assert len(set(paying.account.broadcasts)) == 2


async def test_an_endpoint_that_knows_nothing_for_minutes(paying: Paying) -> None:
    """Finality alone is soon over; the clock counts, too."""
    await begin(paying, 1)
    await paying.steps()
    hide(paying, transaction=True)
    await minutes_pass(paying, FINALITY + 1, read=False)
    assert len(set(paying.account.broadcasts)) == 1
    assert FINALITY * 60 < DOUBT_S


async def test_each_doubt_takes_its_own_minutes(paying: Paying) -> None:
    """A nonce looks used, is dropped with its fork, and much later looks used again."""
    await begin(paying, 1)
    await paying.steps()
    paying.account.use_elsewhere()
    await minutes_pass(paying, FINALITY + 1, read=False)
    paying.chain.drop(FINALITY + 1)
    paying.account.base_fee = 10**15  # our own transaction stays in the pool
    paying.rig.clock.time += 2 * DOUBT_S
    paying.chain.mine()
    await paying.steps(2)
    signed = paying.account.signatures
    paying.account.use_elsewhere()
    await minutes_pass(paying, FINALITY + 1, read=False)
    assert paying.account.signatures == signed
    assert "nonce-used-elsewhere" not in paying.alarms.active()


actions = st.lists(
    st.sampled_from(
        ["give", "revoke", "step", "mine", "read", "fork", "lose", "restart", "spike", "calm", "later"]
        + [f"no {method}" for method in ("sign", "keep", "send", "landed", "used_nonces")]
    ),
    max_size=30,
)


@settings(deadline=None, max_examples=tries(30))
@given(actions)
async def test_every_license_is_anchored_once_and_every_promise_kept(history: list[str]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchorer_module, "BATCH_LICENSES", 2)
        paying = Paying(Path(folder))
        given_ = await paying.give(1000)
        paying.chain.mine()
        wanted: dict[int, int] = {}
        for number, action in enumerate(history):
            if action == "give":
                given_ += await paying.give(number)
            elif action == "revoke":
                envelope = revocation(f"everything for purpose-{number}")
                await paying.promise(envelope)
                wanted |= envelope.message.bits  # type: ignore[attr-defined]
            else:
                await _act(paying, action)
            paying.rig.clock.time += WAIT_S
        paying.chain.trouble = lambda _method, _calls: None
        paying.account.base_fee = GWEI
        await paying.drain()
        in_batches = [one for batch in paying.batches() for one in batch.licenses]
        assert sorted(in_batches) == sorted(given_)
        assert sorted(paying.account.roots) == sorted(batch.root for batch in paying.batches())
        assert paying.bits(ADA) == wanted
        nonces = [one.nonce for one in paying.account.mined()]
        assert nonces == list(range(len(nonces)))
        paying.close()


async def _act(paying: Paying, action: str) -> None:
    chain = paying.chain
    with contextlib.suppress(ChainUnreachable, StoreUnusable):
        match action:
            case "step":
                await paying.steps()
            case "mine":
                chain.mine()
            case "read":
                await paying.follower.read()
            case "fork" | "lose":
                paying.account.forgets = action == "lose"
                chain.drop(min(2, len(chain.blocks) - 1))
            case "restart":
                paying.restart()
            case "spike":
                paying.account.base_fee = 30 * GWEI
            case "calm":
                paying.account.base_fee = GWEI
            case "later":
                paying.rig.clock.time += STUCK_S
            case _:
                await _dies(paying, action.removeprefix("no "))


async def _dies(paying: Paying, where: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if where == "keep":
            patch.setattr(intents, "keep_signed", _dying)
        else:
            paying.chain.trouble = unreachable(where)
        with contextlib.suppress(ChainUnreachable, StoreUnusable):
            await paying.steps()
    paying.chain.trouble = lambda _method, _calls: None
    paying.restart()


prices = st.integers(1, 10**12)


@given(prices, prices, prices, prices, prices)
def test_fees(base: int, priority: int, offered: int, tip: int, cap: int) -> None:
    suggested = Fees(2 * base + priority, priority)
    with contextlib.suppress(TooExpensive):
        first = first_fees(suggested, cap)
        assert base + priority <= cap
        assert first.priority_fee <= first.max_fee <= cap
        assert first.max_fee >= base + first.priority_fee
    stuck = Fees(max(offered, tip), tip)
    with contextlib.suppress(TooExpensive):
        more = higher_fees(stuck, suggested, cap)
        assert more.max_fee <= cap
        assert more.max_fee * 10 >= stuck.max_fee * 11
        assert more.priority_fee * 10 >= stuck.priority_fee * 11
