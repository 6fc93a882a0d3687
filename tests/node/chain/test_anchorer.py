"""Anchoring: many licenses under one root, one transaction a batch, whatever dies in between."""

import asyncio
import contextlib
import sqlite3
from collections.abc import Iterator
from pathlib import Path
from tempfile import TemporaryDirectory

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from sayso_node.chain import anchorer as anchorer_module
from sayso_node.chain.anchorer import Anchorer
from sayso_node.chain.follower import Follower
from sayso_node.errors import ChainUnreachable, StoreUnusable
from sayso_node.store import chain_state
from sayso_protocol.batches import Batch
from support.fake_chain import FakeChain, unreachable
from support.node_rig import NOW, NodeRig, consent, until

WAIT_S = 60.0


class Anchoring:
    """A node that anchors and follows; `restart` begins again on the same store and chain."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self.chain = FakeChain(NOW)
        self.rig = NodeRig(folder).__enter__()
        self.wire()

    def wire(self) -> None:
        rig = self.rig
        shared = (self.chain, rig.store)
        self.anchorer = Anchorer(
            *shared, bytes(rig.identity.verify_key), rig.clock, rig.counters, wait_s=WAIT_S
        )
        self.follower = Follower(
            *shared, rig.freshness, rig.clock, rig.counters, deploy_block=1, interval_s=1
        )

    def restart(self) -> None:
        clock = self.rig.clock
        self.close()
        self.rig = NodeRig(self.folder, clock=clock).__enter__()
        self.wire()

    def close(self) -> None:
        self.rig.__exit__(None, None, None)

    async def give(self, *numbers: int) -> list[bytes]:
        outcomes = await self.rig.give(*(consent(number, sponsor=None) for number in numbers))
        return [one.envelope.digest for one in outcomes if one.envelope]

    async def steps(self, count: int) -> None:
        for _ in range(count):
            await self.anchorer.step()

    def batches(self) -> list[Batch]:
        with self.rig.store.read() as db:
            roots = [root for (root,) in db.execute("SELECT root FROM batches WHERE own")]
            found = [chain_state.batch(db, root) for root in roots]
        return [one for one in found if one]

    def anchored(self) -> set[bytes]:
        with self.rig.store.read() as db:
            return {root for (root,) in db.execute("SELECT root FROM anchors")}


@pytest.fixture
def anchoring(tmp_path: Path) -> Iterator[Anchoring]:
    anchoring = Anchoring(tmp_path)
    yield anchoring
    anchoring.close()


async def test_nothing_is_sent_while_nothing_waits(anchoring: Anchoring) -> None:
    await anchoring.steps(3)
    assert anchoring.chain.calls == []


async def test_a_batch_waits_until_its_oldest_is_old(anchoring: Anchoring) -> None:
    first = await anchoring.give(1)
    anchoring.rig.clock.time += WAIT_S - 1
    second = await anchoring.give(2)
    await anchoring.steps(3)
    assert anchoring.chain.calls == []
    anchoring.rig.clock.time += 1
    await anchoring.steps(3)
    [batch] = anchoring.batches()
    assert batch.licenses == (*first, *second)
    assert [raw[4:] for raw in anchoring.chain.broadcasts] == [batch.root]


async def test_a_full_batch_does_not_wait(anchoring: Anchoring, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(anchorer_module, "BATCH_LICENSES", 3)
    given_ = await anchoring.give(1, 2, 3, 4)
    await anchoring.steps(3)
    [batch] = anchoring.batches()
    assert list(batch.licenses) == given_[:3]


async def test_the_next_batch_waits_until_the_last_stands_on_chain(anchoring: Anchoring) -> None:
    for number in range(1, 4):
        await anchoring.give(number, number + 10)
        anchoring.rig.clock.time += WAIT_S
        await anchoring.steps(4)
        await anchoring.give(number + 20)
        anchoring.rig.clock.time += WAIT_S
        await anchoring.steps(4)
        assert len(anchoring.chain.broadcasts) == 2 * number - 1
        await drain(anchoring)
        assert len(anchoring.chain.broadcasts) == len(anchoring.anchored()) == 2 * number


async def drain(anchoring: Anchoring) -> None:
    """Anchor all that waits."""
    for _ in range(50):
        with anchoring.rig.store.read() as db:
            waits = chain_state.unanchored(db) or chain_state.due(db, anchoring.rig.clock.now(), 1)
        if not waits:
            return
        anchoring.rig.clock.time += WAIT_S
        await anchoring.anchorer.step()
        anchoring.chain.mine()
        await anchoring.follower.read()
    pytest.fail("it is never done")


@pytest.mark.parametrize("dies", ["sign_anchor", "keep", "send", "sent"])
async def test_one_transaction_whatever_dies(
    anchoring: Anchoring, monkeypatch: pytest.MonkeyPatch, dies: str
) -> None:
    """Before it is signed, before it is kept, before it is sent, and after, before anybody knows."""
    chain = anchoring.chain
    await anchoring.give(1)
    anchoring.rig.clock.time += WAIT_S
    await anchoring.steps(1)  # makes the batch
    if dies == "keep":
        monkeypatch.setattr(chain_state, "keep_transaction", _dying)
    elif dies != "sent":
        chain.trouble = unreachable(dies)
    with contextlib.suppress(ChainUnreachable, StoreUnusable):
        await anchoring.anchorer.step()
    monkeypatch.undo()
    chain.trouble = lambda _method, _calls: None
    for _ in range(3):
        anchoring.restart()
        await anchoring.steps(2)
    assert len(chain.broadcasts) == 1
    chain.mine()
    await anchoring.follower.read()
    await anchoring.steps(3)
    [batch] = anchoring.batches()
    assert anchoring.anchored() == {batch.root}
    assert len(chain.pool) == 1


def _dying(_db: sqlite3.Connection, _root: bytes, _raw: bytes) -> None:
    raise sqlite3.OperationalError("the machine is gone")


async def test_a_fork_that_drops_anchors_is_sent_the_same_again(anchoring: Anchoring) -> None:
    chain = anchoring.chain
    for number in (1, 2, 3):
        await anchoring.give(number)
        await drain(anchoring)
    sent = list(chain.broadcasts)
    assert len(sent) == 3
    chain.drop(len(chain.blocks) - 1)
    chain.pool.clear()  # the endpoint has forgotten them, too
    chain.mined.clear()
    chain.mine()
    await anchoring.follower.read()
    assert anchoring.anchored() == set()
    await drain(anchoring)
    assert chain.broadcasts == sent * 2  # the same bytes, in the order of their nonces
    assert anchoring.anchored() == {batch.root for batch in anchoring.batches()}


actions = st.lists(
    st.sampled_from(
        ["give", "step", "mine", "read", "fork", "restart", "no sign", "no send", "no keep"]
    ),
    max_size=25,
)


@settings(deadline=None, max_examples=25)
@given(actions)
async def test_every_license_is_anchored_once(history: list[str]) -> None:
    with TemporaryDirectory() as folder, pytest.MonkeyPatch.context() as patch:
        patch.setattr(anchorer_module, "BATCH_LICENSES", 2)
        anchoring = Anchoring(Path(folder))
        chain, given_ = anchoring.chain, list[bytes]()
        chain.mine()
        for number, action in enumerate(history):
            match action:
                case "give":
                    given_ += await anchoring.give(number)
                    anchoring.rig.clock.time += WAIT_S
                case "step":
                    await anchoring.anchorer.step()
                case "mine":
                    chain.mine()
                case "read":
                    await anchoring.follower.read()
                case "fork":
                    chain.drop(min(2, len(chain.blocks) - 1))
                case "restart":
                    anchoring.restart()
                case _:
                    await _step_that_dies(anchoring, action)
        await anchoring.follower.read()
        await drain(anchoring)
        in_batches = [one for batch in anchoring.batches() for one in batch.licenses]
        assert sorted(in_batches) == sorted(given_)
        roots = [raw[4:] for raw in chain.pool]
        assert sorted(roots) == sorted(batch.root for batch in anchoring.batches())
        anchoring.close()


async def _step_that_dies(anchoring: Anchoring, action: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        if action == "no keep":
            patch.setattr(chain_state, "keep_transaction", _dying)
        else:
            method = "sign_anchor" if action == "no sign" else "send"
            anchoring.chain.trouble = unreachable(method)
        with contextlib.suppress(ChainUnreachable, StoreUnusable):
            await anchoring.anchorer.step()
    anchoring.chain.trouble = lambda _method, _calls: None
    anchoring.restart()


async def test_its_loop_outlives_a_chain_and_a_store_that_fail(
    anchoring: Anchoring, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(anchorer_module, "INTERVAL_S", 0.01)
    chain, rig = anchoring.chain, anchoring.rig
    await anchoring.give(1)
    rig.clock.time += WAIT_S
    chain.trouble = unreachable("sign_anchor")
    running = asyncio.create_task(anchoring.anchorer.run())
    await until(lambda: rig.count("anchor_failed") >= 2 or running.done())
    keep = chain_state.keep_transaction
    monkeypatch.setattr(chain_state, "keep_transaction", _dying)
    chain.trouble = lambda _method, _calls: None
    failed = rig.count("anchor_failed")
    await until(lambda: rig.count("anchor_failed") >= failed + 2 or running.done())
    monkeypatch.setattr(chain_state, "keep_transaction", keep)
    await until(lambda: chain.broadcasts or running.done())
    assert not running.done()
    running.cancel()
    await asyncio.gather(running, return_exceptions=True)
    assert rig.count("anchor_sent") == 1
