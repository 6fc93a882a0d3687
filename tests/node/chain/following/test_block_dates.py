"""Blocks are dated, and no block that an endpoint lacks delays another."""

from collections.abc import Iterator
from pathlib import Path

import pytest

from sayso_node.chain.following import block_dates as dating
from sayso_node.chain.following.block_dates import BlockDates
from sayso_node.store.chain import block_dates, chain_state
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import store_at
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.traces.duties import Block
from support.fake_chain import FakeChain


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    store = store_at(tmp_path / "dates.sqlite")
    store.start()
    yield store
    store.stop()


def _chain(blocks: int) -> FakeChain:
    chain = FakeChain(1_000.0)
    for _ in range(blocks):
        chain.time += 12
        chain.mine()
    return chain


async def test_every_block_is_dated_although_endpoints_lack_many(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(dating, "DATED_AT_ONCE", 2)
    chain = _chain(9)

    def come(db: Writing) -> None:
        for number in (1, 2, 3):
            block_dates.want(db, number, sha256(b"a block of another chain"))
        block_dates.want(db, 40, sha256(b"a block to come"))
        block_dates.want(db, 7, chain.blocks[7].hash)
        chain_state.advance(db, ChainPoint(9, chain.blocks[9].hash))

    await store.write(come)
    dates = BlockDates(chain, store, 2, 1.0)
    for _ in range(3):
        await dates.step()
    with store.read() as db:
        assert block_dates.dates_of(db, range(50)) == {7: 1_084}
        assert block_dates.final(db) == Block(7, 1_084)
    asked = len(chain.calls)
    await store.write(lambda db: db.execute("DELETE FROM dated_blocks WHERE time IS NULL"))
    await dates.step()
    assert len(chain.calls) == asked  # nothing new, so nothing is asked


async def test_a_replaced_block_loses_its_time(store: Store) -> None:
    one, other = sha256(b"one"), sha256(b"other")

    def come(db: Writing) -> None:
        block_dates.want(db, 5, one)
        block_dates.date(db, ChainPoint(5, one), 50)
        block_dates.want(db, 6, one)
        block_dates.date(db, ChainPoint(6, one), 60)
        block_dates.want(db, 5, other)
        block_dates.date(db, ChainPoint(5, one), 50)  # came late
        block_dates.set_final(db, Block(6, 60))

    await store.write(come)
    with store.read() as db:
        assert block_dates.dates_of(db, (5, 6)) == {6: 60}
    await store.write(lambda db: chain_state.rewind(db, 5))
    with store.read() as db:
        assert block_dates.dates_of(db, (5, 6)) == {}
        assert block_dates.final(db) is None
        assert [one.number for one in block_dates.wanted(db, -1, 9)] == [5]
