"""The courier beside a busy shop and between nodes of which some are away."""

import asyncio
from contextlib import suppress
from types import SimpleNamespace
from typing import Any

import pytest
from sqlalchemy import create_engine

from cli.marketplace.shop import Shop, person
from cli.marketplace.test_many import Node
from cli.marketplace.test_removing import revoked
from sayso.errors import LedgerFailed, NodeUnreachable
from sayso.marketplace import courier as courier_module
from sayso.marketplace.courier import Courier
from sayso.node_client.following import Gap
from sayso_protocol.verdicts.verdict import Reason
from support.waiting import until

ADA = person("ada")
ROW_BYTES = 64
AWAY, HERE = "http://away", "http://here"


class Answering(Node):
    """Also answers checks; whatever it is asked about is `reason`."""

    reason = Reason.GRANTED

    async def check(self, _question: object, rows: Any) -> Any:
        if self.is_away:
            raise NodeUnreachable("away")
        return SimpleNamespace(reasons=[self.reason] * (len(rows) // ROW_BYTES))

    async def trace(self, name: bytes) -> Any:
        if self.is_away:
            raise NodeUnreachable("away")
        return await super().trace(name)


@pytest.fixture
def nodes(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> dict[str, Answering]:
    """Two nodes, the first of which is away."""
    found = {AWAY: Answering(shop), HERE: Answering(shop)}
    found[AWAY].is_away = True
    shop.market.nodes = (AWAY, HERE)

    async def block(node: Answering) -> int:
        if node.is_away:
            raise NodeUnreachable("away")
        return 7

    monkeypatch.setattr(Courier, "_client", lambda _self, url: found[url])
    monkeypatch.setattr(courier_module, "final_block", block)
    return found


@pytest.mark.usefixtures("nodes")
async def test_a_shop_may_await_within_its_transaction(shop: Shop) -> None:
    """Courier and shop share an event loop; the courier waited in it for what the shop held."""
    shop.licensed(ADA, "a.wav")
    courier = Courier(shop.market, shop.engine)
    kept = shop.keep("b.wav")
    with shop.market.begin(shop.engine) as db:
        shop.market.request(db, shop.wanted(kept), "upload 2")
        sending = asyncio.create_task(courier.send())
        for _ in range(20):
            await asyncio.sleep(0)
    assert await sending == 1


@pytest.mark.usefixtures("nodes")
async def test_removals_are_confirmed_while_new_consents_cannot_be_checked(shop: Shop) -> None:
    """A node that was away held up the removals of all others, for as long as consents came."""
    revoked(shop, 9)
    shop.licensed(ADA, "new.wav")
    await Courier(shop.market, shop.engine).step()
    with shop.market.begin(shop.engine) as db:
        assert shop.market.duties(db) == []
    assert shop.stock() == set()  # not before both nodes were asked


async def test_a_gap_at_one_node_is_closed_by_what_it_says_though_another_is_away(
    shop: Shop, nodes: dict[str, Answering], monkeypatch: pytest.MonkeyPatch
) -> None:
    shop.licensed(ADA, "a.wav")
    shop.checked()
    nodes[HERE].reason = Reason.REVOKED
    courier = Courier(shop.market, shop.engine)
    monkeypatch.setattr(courier_module, "REST_S", 0.01)
    taking = asyncio.create_task(courier._take(HERE, [Gap("1-1")]))
    await until(lambda: shop.stock() == set())
    assert not taking.done()  # the gap stays until both have answered
    nodes[AWAY].is_away = False
    await taking


@pytest.mark.parametrize("reason", [Reason.STALE, Reason.UNKNOWN])
async def test_a_node_that_knows_nothing_takes_out_of_stock_though_another_is_away(
    shop: Shop, nodes: dict[str, Answering], reason: Reason
) -> None:
    shop.licensed(ADA, "a.wav")
    shop.checked()
    nodes[HERE].reason = reason
    with suppress(NodeUnreachable):
        await Courier(shop.market, shop.engine).check(everything=True)
    assert shop.stock() == set()


def test_a_connection_that_commits_each_statement_is_refused(shop: Shop) -> None:
    """An order and its consent could not be committed together."""
    held = shop.licensed(ADA, "a.wav")
    shop.checked()
    each = create_engine(shop.engine.url, isolation_level="AUTOCOMMIT")
    before = shop.counts()
    with pytest.raises(LedgerFailed, match="AUTOCOMMIT"), shop.market.begin(each) as db:
        shop.market.sell(db, "order 17", shop.offer(held))
    assert shop.counts() == before
    each.dispose()
