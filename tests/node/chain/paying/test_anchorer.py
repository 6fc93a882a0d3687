"""Anchoring: many licenses under one root, one transaction a batch."""

import asyncio
from collections.abc import Iterator
from pathlib import Path

import pytest

from node.chain.paying.rig import WAIT_S, Paying
from sayso_node.chain.paying import anchorer as anchorer_module
from sayso_node.chain.paying import payer as payer_module
from support.fake_chain import unreachable
from support.waiting import until


@pytest.fixture
def paying(tmp_path: Path) -> Iterator[Paying]:
    paying = Paying(tmp_path)
    yield paying
    paying.close()


async def test_nothing_is_sent_while_nothing_waits(paying: Paying) -> None:
    await paying.steps(3)
    assert paying.account.broadcasts == []
    assert paying.account.signatures == 0


async def test_a_batch_waits_until_its_oldest_is_old(paying: Paying) -> None:
    first = await paying.give(1)
    paying.rig.clock.time += WAIT_S - 1
    second = await paying.give(2)
    await paying.steps(3)
    assert paying.account.broadcasts == []
    paying.rig.clock.time += 1
    await paying.steps(3)
    [batch] = paying.batches()
    assert batch.licenses == (*first, *second)
    paying.chain.mine()
    assert paying.account.roots == [batch.root]


async def test_a_full_batch_does_not_wait(paying: Paying, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchorer_module, "BATCH_LICENSES", 3)
    given = await paying.give(1, 2, 3, 4)
    await paying.steps(3)
    [batch] = paying.batches()
    assert list(batch.licenses) == given[:3]


async def test_the_next_batch_waits_until_the_last_is_in_a_block(paying: Paying) -> None:
    for number in range(1, 4):
        await paying.give(number)
        paying.rig.clock.time += WAIT_S
        await paying.steps(3)
        assert len(paying.account.broadcasts) == number
        paying.chain.mine()
    await paying.drain()
    assert sorted(paying.account.roots) == sorted(batch.root for batch in paying.batches())


async def test_a_reverted_anchor_is_loud_and_tried_again(paying: Paying) -> None:
    await paying.give(1)
    paying.rig.clock.time += WAIT_S
    await paying.steps()
    paying.account.reverts = True
    await paying.block()
    assert "transaction-failed" in paying.alarms.active()
    for _ in range(3):
        await paying.block()  # until it is final that it failed
    paying.account.reverts = False
    await paying.drain()
    assert paying.anchored() == {batch.root for batch in paying.batches()}
    assert "transaction-failed" not in paying.alarms.active()


async def test_its_loop_outlives_a_chain_that_fails(
    paying: Paying, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(payer_module, "INTERVAL_S", 0.01)
    await paying.give(1)
    paying.rig.clock.time += WAIT_S
    paying.chain.trouble = unreachable("estimate")
    running = asyncio.create_task(paying.payer.run())
    await until(lambda: paying.rig.count("payer_failed") >= 2 or running.done())
    paying.chain.trouble = lambda _method, _calls: None
    await until(lambda: paying.account.broadcasts or running.done())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
