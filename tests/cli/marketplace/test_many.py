"""A shop with more than one page, batch or round of everything leaves nothing out."""

from types import SimpleNamespace
from typing import Any, Self

import pytest

from cli.marketplace.shop import LAB, Shop, person
from cli.marketplace.test_removing import revoked
from sayso.errors import NodeUnreachable, NotHeld
from sayso.marketplace import courier as courier_module
from sayso.marketplace import market, outbox
from sayso.marketplace.courier import Courier
from sayso.marketplace.stock import Permission, take_out
from sayso.node_client.answers import Submitted
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import address_text
from support.node_rig import NOW

ADA = person("ada")


class Node:
    """A node of a shop: it keeps every message, or is away; it traces licenses as it is told."""

    def __init__(self, shop: Shop) -> None:
        self._me = address_text(shop.market.address)
        self.asked, self.is_away = list[int](), False
        self.lost, self.pending = set[bytes](), set[bytes]()

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, *_: object) -> None:
        return None

    async def submit(self, some: list[Envelope]) -> list[Submitted]:
        self.asked.append(len(some))
        if self.is_away:
            raise NodeUnreachable("away")
        return [Submitted(one.digest, new=True) for one in some]

    async def trace(self, name: bytes) -> Any:
        if name in self.lost:
            raise NotHeld("this node has no license with this hash")
        landed = None if name in self.pending else SimpleNamespace(number=5)
        mine = SimpleNamespace(address=self._me, duties=[SimpleNamespace(revoked=landed)])
        return SimpleNamespace(holders=[mine])


@pytest.fixture
def node(shop: Shop, monkeypatch: pytest.MonkeyPatch) -> Node:
    found = Node(shop)

    async def block(_node: object) -> int:
        return 7

    monkeypatch.setattr(Courier, "_client", lambda _self, _url: found)
    monkeypatch.setattr(courier_module, "final_block", block)
    return found


async def test_all_that_waits_is_sent_and_shown(
    shop: Shop, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """After an outage, one round sent one request, and the outbox never showed more."""
    monkeypatch.setattr(outbox, "MESSAGES_AT_ONCE", 2)
    for number in range(5):
        shop.licensed(ADA, f"{number}.wav")
    courier = Courier(shop.market, shop.engine)
    node.is_away = True
    assert await courier.send() == 0
    assert node.asked == [2]  # who is away is not asked about the rest
    with shop.market.begin(shop.engine) as db:
        assert [one.attempts for one in shop.market.outbox(db)] == [1, 1, 0, 0, 0]
    node.is_away = False
    shop.market.clock = lambda: NOW + 3
    assert await Courier(shop.market, shop.engine).send() == 5
    assert node.asked == [2, 2, 2, 1]
    with shop.market.begin(shop.engine) as db:
        assert shop.market.outbox(db) == []


def test_pages_of_what_was_taken_back_name_every_order(
    shop: Shop, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A buyer who bought the same in several orders missed those behind the end of a page."""
    monkeypatch.setattr(market, "NOTICES_AT_ONCE", 2)
    held = shop.licensed(ADA, "a.wav", "b.wav")
    shop.checked()
    orders = [f"order {number}" for number in range(3)]
    for one in orders:
        shop.sell(one, shop.offer(held))
    with shop.market.begin(shop.engine) as db:
        take_out(db, [Permission(held[0].digest, one, "resale") for one in held[0].items], NOW)
        told, after = [], 0
        while some := shop.market.withdrawn(db, LAB, after):
            assert after < some[0].number <= some[-1].number
            told += some
            after = some[-1].number
    assert [(one.row.item, one.reference) for one in told] == [
        (item, one) for item in held[0].items for one in orders
    ]


async def test_removals_behind_many_undated_ones_are_confirmed(
    shop: Shop, node: Node, monkeypatch: pytest.MonkeyPatch
) -> None:
    """What no block dates yet, or a node does not hold, came first in each round, for ever."""
    monkeypatch.setattr(courier_module, "TRACES_AT_ONCE", 2)
    first, second, third, *dated = sorted(one.digest for one in revoked(shop, 5))
    node.pending, node.lost = {first, third}, {second}
    courier = Courier(shop.market, shop.engine)
    made = [name for _ in range(3) for one in await courier.confirm(people=1) for name in one.items]
    assert sorted(made) == dated
    node.pending = set()
    made = [name for _ in range(2) for one in await courier.confirm(people=1) for name in one.items]
    assert sorted(made) == [first, third]
