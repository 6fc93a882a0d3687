"""Relays: every promised bit comes to the chain, none twice, whatever others do or refuse."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.paying.rig import FINALITY, WAIT_S, Paying
from sayso_contracts.relay import load_of, relay_item
from sayso_contracts.transactions import MAX_TRANSACTION_GAS
from sayso_node.chain.paying import relayer
from sayso_node.chain.paying.fees import ETHER, GWEI, Allowance
from sayso_node.store import queues
from sayso_node.store.chain import relays
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.permissions.words import FULL
from support.fake_account import signed_in
from support.fake_chain import revoked
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, CLEO
from support.relaying import gas_bound

BLOCK_S = 6.0  # so that a block is final long before late logs come
LONGEST_S = relays.LATEST_LOGS_S + 120.0
WARD = f"ward 0x{ADA.hex()} everything"


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = Paying(tmp_path)
    yield paying
    paying.close()


async def known(paying: Paying) -> None:
    """Ada is known, and Cleo as her guardian; nothing of it is to be anchored."""
    await paying.rig.give(consent(1, guardian=CLEO))


def scopes(*purposes: str) -> Envelope:
    return revocation(*(f"everything for {one}" for one in purposes))


async def test_what_was_promised_comes_to_the_chain_once(paying: Paying) -> None:
    await known(paying)
    await paying.promise(revocation("everything"), revocation(WARD, contributor=CLEO))
    await paying.drain()
    assert paying.bits(ADA) == {scope_word("everything"): 1}
    assert paying.bits(CLEO) == {scope_word(WARD): 1}
    assert paying.relayed() == 1
    await paying.promise(revocation("everything"))  # again
    await paying.drain()
    assert paying.relayed() == 1


async def test_it_waits_for_company_and_not_longer(paying: Paying) -> None:
    await known(paying)
    await paying.promise(scopes("train-ai"))
    paying.rig.clock.time += WAIT_S - 1
    await paying.promise(scopes("resale"))
    await paying.steps(2)
    assert paying.account.broadcasts == []
    paying.rig.clock.time += 1
    await paying.steps(2)
    await paying.drain()
    assert paying.relayed() == 1
    assert len(paying.bits(ADA)) == 2


async def test_what_was_only_heard_is_left_to_those_who_promised_it(paying: Paying) -> None:
    await known(paying)
    await paying.rig.give(revocation("everything"))
    await paying.drain()
    assert paying.account.broadcasts == []


async def test_a_message_that_brought_nothing_new_is_carried_by_those_that_did(paying: Paying) -> None:
    """Rule 7.13: it was acknowledged for its bits and not kept."""
    await known(paying)
    await paying.rig.give(scopes("train-ai"), scopes("resale"))
    covered = scopes("train-ai", "resale")
    await paying.promise(covered)
    await paying.drain()
    assert paying.bits(ADA) == covered.message.bits  # type: ignore[attr-defined]
    assert paying.relayed() == 1


async def test_the_fewest_messages_carry_it(paying: Paying) -> None:
    await known(paying)
    purposes = [f"purpose-{number}" for number in range(9)]
    await paying.promise(*(scopes(one) for one in purposes), scopes(*purposes, "all"))
    await paying.steps()
    paying.rig.clock.time += WAIT_S
    await paying.steps()
    with paying.rig.store.read() as db:
        [(count,)] = db.execute("SELECT count(*) FROM relay_items")
    assert count == 1
    await paying.drain()
    assert len(paying.bits(ADA)) == 10


async def test_what_somebody_else_relayed_is_not_relayed_again(paying: Paying) -> None:
    await known(paying)
    both = scopes("train-ai", "resale")
    await paying.promise(scopes("train-ai"), both)
    paying.chain.mine(*(revoked(ADA, word, 1) for word in both.message.bits))  # type: ignore[attr-defined]
    await paying.follower.read()
    await paying.drain()
    assert paying.account.broadcasts == []
    paying.chain.drop(len(paying.chain.blocks) - 1)  # and gone again
    paying.chain.mine()
    await paying.follower.read()
    await paying.drain()
    assert paying.bits(ADA) == both.message.bits  # type: ignore[attr-defined]
    assert paying.relayed() == 1


async def test_a_fork_that_drops_what_others_relayed(paying: Paying) -> None:
    await known(paying)
    await paying.promise(scopes("train-ai"))
    paying.chain.mine()
    [word] = scopes("train-ai").message.bits  # type: ignore[attr-defined]
    paying.chain.mine(revoked(ADA, word, 1))
    await paying.follower.read()
    paying.chain.drop(1)
    paying.chain.mine()
    await paying.follower.read()
    with paying.rig.store.read() as db:
        assert relays.on_chain(db, ADA, word) == 0
        assert relays.missing(db, ADA) == {word: 1}
    await paying.drain()
    assert paying.bits(ADA) == {word: 1}
    with paying.rig.store.read() as db:
        assert relays.on_chain(db, ADA, word) == 1


async def test_on_a_fork_that_the_follower_has_not_seen_nothing_is_relayed_twice(
    paying: Paying,
) -> None:
    """Its height was read before, on the fork that is gone."""
    await known(paying)
    for _ in range(2):
        await paying.block()
    await paying.promise(scopes("train-ai"))
    paying.rig.clock.time += WAIT_S
    await paying.steps()
    paying.chain.drop(2)
    for _ in range(2):
        paying.chain.mine()
        await paying.steps(2)
    assert paying.relayed() == 1
    await paying.drain()
    assert paying.relayed() == 1


@pytest.mark.parametrize("late_s", [20.0, 120.0, 590.0])
async def test_a_relay_whose_logs_come_late_is_paid_once(paying: Paying, late_s: float) -> None:
    """On the commit before, it was relayed again as soon as the block of the first relay was final."""
    paying.chain.now = paying.rig.clock.now
    paying.chain.has_whole_headers = paying.chain.has_receipts = False  # so that only logs tell
    await known(paying)
    await paying.promise(revocation("everything"), revocation(WARD, contributor=CLEO))
    paying.rig.clock.time += WAIT_S
    paying.chain.late_s = late_s
    for _ in range(int(LONGEST_S / BLOCK_S)):
        paying.rig.clock.time += BLOCK_S
        paying.chain.time = paying.rig.clock.time
        await paying.block()
    with paying.rig.store.read() as db:
        assert not queues.lengths(db)["relays"]
    assert paying.relayed() == 1
    assert len(set(paying.account.broadcasts)) == 1


async def test_a_relay_whose_effect_never_comes_is_made_again(paying: Paying) -> None:
    """It is not waited for longer than logs are late."""
    paying.chain.now = paying.rig.clock.now
    paying.chain.has_whole_headers = paying.chain.has_receipts = False
    await known(paying)
    await paying.promise(revocation("everything"))
    paying.rig.clock.time += WAIT_S
    paying.chain.late_s = 10**9
    for _ in range(int(LONGEST_S / BLOCK_S) + FINALITY):
        paying.rig.clock.time += BLOCK_S
        await paying.block()
    assert paying.relayed() == 2


async def test_what_the_registry_rejects_hinders_nobody_and_is_tried_later(paying: Paying) -> None:
    await known(paying)
    await paying.rig.give(consent(2, contributor=BEN, parties=(BEN,)))
    paying.account.rejects.add(BEN)
    await paying.promise(revocation("everything", contributor=BEN), revocation("everything"))
    for _ in range(12):
        paying.rig.clock.time += WAIT_S
        await paying.block()
    assert paying.bits(ADA) == {scope_word("everything"): 1}
    assert paying.bits(BEN) == {}
    assert paying.relayed() == 1  # not again and again
    assert "relay-rejected" in paying.alarms.active()
    assert paying.rig.count("relay_rejected") == 1
    paying.account.rejects.clear()
    paying.rig.clock.time += relays.RELAY_PAUSE_MIN_S
    await paying.drain()
    assert paying.bits(BEN) == {scope_word("everything"): 1}
    assert paying.relayed() == 2
    assert paying.alarms.active() == {}


async def test_a_crowd_of_refused_ones_keeps_nobody_out(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(relayer, "CONTRIBUTORS", 1)
    await known(paying)
    await paying.rig.give(consent(2, contributor=BEN, parties=(BEN,)))
    paying.account.rejects.add(BEN)
    await paying.promise(revocation("everything", contributor=BEN))
    paying.rig.clock.time += 1
    await paying.promise(scopes("resale"))
    for _ in range(8):
        paying.rig.clock.time += WAIT_S
        await paying.block()
    assert paying.bits(BEN) == {}
    assert paying.bits(ADA) == scopes("resale").message.bits  # type: ignore[attr-defined]
    # What Ben revokes meanwhile does not wait for what was refused.
    paying.account.rejects.clear()
    await paying.promise(revocation("everything for resale", contributor=BEN))
    for _ in range(4):
        paying.rig.clock.time += WAIT_S
        await paying.block()
    assert paying.bits(BEN) == {scope_word("everything for resale"): 1}


async def test_more_than_are_looked_at_do_not_wait_for_finality(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What is on chain and not final takes no place from what is not there yet; a fork gives it back."""
    monkeypatch.setattr(relayer, "CONTRIBUTORS", 1)
    people = {ADA: 1, BEN: 2, CLEO: 3}
    for who, number in people.items():
        await paying.rig.give(consent(number, contributor=who, parties=(who,)))
        await paying.promise(revocation("everything", contributor=who))
    paying.rig.clock.time += WAIT_S
    await paying.steps(2)
    for _ in range(3):
        await paying.block()
        await paying.steps(3)
    assert all(paying.bits(who) for who in people)
    assert paying.relayed() == 3
    paying.chain.drop(2)
    await paying.drain()
    assert all(paying.bits(who) for who in people)
    assert paying.relayed() == 3


async def test_a_relay_that_does_not_fit_is_made_smaller(paying: Paying) -> None:
    await known(paying)
    purposes = [scopes(f"purpose-{number}") for number in range(40)]
    await paying.promise(*purposes)
    paying.account.most_gas = 150_000
    await paying.drain()
    assert len(paying.bits(ADA)) == 40
    assert paying.relayed() > 1
    assert all(21_000 + 16 * len(one.data) <= 150_000 for one in paying.account.mined())


async def test_a_relay_that_is_dearer_than_a_days_budget_is_made_smaller(tmp_path: Path) -> None:
    """It would wait for ever, and with it all that comes after."""
    paying = Paying(tmp_path, Allowance(200 * GWEI, ETHER // 500, 0))
    try:
        await known(paying)
        await paying.promise(*(scopes(f"purpose-{number}") for number in range(60)))
        for _ in range(250):  # one contributor has an eighth of it a day
            paying.rig.clock.time += 6 * 3_600
            await paying.block()
        await paying.drain()
        assert len(paying.bits(ADA)) == 60
        assert paying.relayed() > 2
        assert all(one.gas * one.fees.max_fee <= ETHER // 500 for one in paying.account.mined())
        assert paying.alarms.active() == {}
    finally:
        paying.close()


async def test_a_relay_gets_the_gas_that_is_enough_in_every_state(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    """An estimate holds for one block: a wallet may be cheap when it is asked, and dear afterwards."""
    monkeypatch.setattr(relayer, "MAX_TRANSACTION_GAS", 1_000_000)
    await known(paying)
    await paying.promise(*(scopes(f"purpose-{number}") for number in range(60)))
    paying.relayer._room = 1_000_000
    await paying.drain()
    assert len(paying.bits(ADA)) == 60
    sent = paying.account.mined()
    assert len(sent) > 2
    for one in sent:
        carried = [relay_item(*item) for item in signed_in(one.data)]
        assert one.gas == gas_bound(carried) <= 1_000_000
    assert sum(len(list(signed_in(one.data))) for one in sent) == 60


async def test_a_reverted_relay_is_made_anew(paying: Paying) -> None:
    await known(paying)
    await paying.promise(revocation("everything"))
    paying.rig.clock.time += WAIT_S
    await paying.steps()
    paying.account.reverts = True
    await paying.block()
    assert "transaction-failed" in paying.alarms.active()
    paying.account.reverts = False
    await paying.drain()
    assert paying.bits(ADA) == {scope_word("everything"): 1}


def test_no_batch_can_be_larger_than_a_transaction() -> None:
    """The largest message there can be still fits, of a key and of a contract wallet."""
    words = tuple(range(64))
    largest = Revocation(ADA, tuple("x" * 200 for _ in range(16)), words, (FULL,) * 64)
    for signature in (b"\1" * 65, b"\1" * 8_192):
        assert load_of(relay_item(largest, 1, signature)).gas < MAX_TRANSACTION_GAS // 4


async def test_a_row_that_cannot_be_read_keeps_no_other_waiting(paying: Paying) -> None:
    await known(paying)
    spoilt = revocation("everything")
    await paying.promise(spoilt, revocation(WARD, contributor=CLEO))
    spoil = "UPDATE messages SET body = x'c1' WHERE digest = ?"
    await paying.rig.store.write(lambda db: db.execute(spoil, (spoilt.digest,)))
    for _ in range(4):
        paying.rig.clock.time += WAIT_S
        await paying.block()
    assert paying.bits(CLEO) == {scope_word(WARD): 1}
    assert paying.bits(ADA) == {}
    assert paying.rig.count("faults") >= 1
