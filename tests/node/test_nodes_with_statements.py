"""Whole nodes exchange statements, anchor them, and heed whom they are set to heed."""

from pathlib import Path
from typing import Any

import pytest

from node.test_node import holds
from sayso_node.store.chain import endorsements
from sayso_protocol.primitives import hex_text
from support.fake_chain import FakeChain
from support.fake_network import Switchboard
from support.holders import LABS, removal, sublicense, use
from support.node_rig import ManualClock, consent
from support.protocol_strategies import BEN
from support.running_node import running_node
from support.waiting import until

SOLD = consent(1, sponsor=None, purposes=("resale", "train-ai"))  # to Ben
DAN, *_ = LABS
PASSED, GONE = sublicense(BEN, DAN, [SOLD.digest]), removal(DAN, [SOLD.digest])


@pytest.mark.parametrize("disabled", [("gossip",), ("sync",)], ids=["by sync", "by gossip"])
async def test_a_sublicense_and_a_removal_spread(tmp_path: Path, disabled: tuple[str, ...]) -> None:
    board, chain, clock = Switchboard(), FakeChain(), ManualClock()
    shared: dict[str, Any] = {"board": board, "chain": chain, "clock": clock, "disabled": disabled}
    for name in "ab":
        (tmp_path / name).mkdir()
    async with (
        running_node(tmp_path / "a", name="a", **shared) as a,
        running_node(tmp_path / "b", name="b", **shared) as b,
    ):
        status, _ = await a.submit(SOLD)
        assert status == 200
        await holds(b, SOLD)
        await a.submit(PASSED)
        await holds(b, PASSED)
        await b.submit(GONE, use(BEN, [SOLD.digest]))
        await holds(a, GONE, use(BEN, [SOLD.digest]))
        for node in (a, b):
            path = f"/v1/hashes/{hex_text(SOLD.digest)}/statements?kind=removal"
            _, body = await node.get(path)
            assert [one["digest"] for one in body["statements"]] == [hex_text(GONE.digest)]
        _, body = await b.get("/v1/node")
        channel = "sync" if disabled == ("gossip",) else "gossip"
        assert body["counters"][f"{channel}_statements"] == 1


async def test_statements_are_anchored_in_the_same_batches(tmp_path: Path) -> None:
    chain = FakeChain()
    stated = sublicense(BEN, DAN, [SOLD.digest], is_sponsored=False)
    async with running_node(tmp_path, chain=chain, clock=ManualClock()) as node:
        await node.submit(SOLD, stated)
        await until(lambda: node.account.broadcasts)
        with node.node._store.read() as db:
            rows = db.execute("SELECT license FROM batch_members").fetchall()
        assert {one for (one,) in rows} == {SOLD.digest, stated.digest}


async def test_an_endorsed_statement_is_admitted_with_the_block_that_makes_it_final(
    tmp_path: Path,
) -> None:
    chain = FakeChain()
    one = removal(BEN, [SOLD.digest], endorsed=True)
    async with running_node(tmp_path, chain=chain, clock=ManualClock()) as node:
        await node.submit(SOLD)
        status, body = await node.submit(one)
        assert (status, body["results"][0]["status"]) == (202, "pending")
        finality = node.node._config.network_file.finality
        await node.node._store.write(lambda db: endorsements.add(db, BEN, one.digest, 1))
        for _ in range(finality):
            chain.mine()
        await until(lambda: node.node._freshness.head.point.number == finality)
        if finality:
            assert node.stored()["messages"] == 1
        chain.mine()
        await holds(node, one)
