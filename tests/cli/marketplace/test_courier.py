"""Between the shop and a real node: nothing is lost, nothing is sold that somebody took back."""

from collections.abc import AsyncIterator
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from aiohttp.test_utils import TestServer

from cli.marketplace.real_node import Place, place
from cli.marketplace.shop import LAB, Shop, address, person
from sayso.marketplace import courier
from sayso.marketplace.courier import Courier
from sayso.marketplace.delivery import DeliveryGate
from sayso.marketplace.tables import positions
from sayso.node_client.client import NodeClient
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.verdicts.verdict import Reason, Row
from support.waiting import until

ADA, BEN = person("ada"), person("ben")


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[Place]:
    async with place(tmp_path) as found:
        yield found


async def test_from_consent_to_removal(here: Place) -> None:
    shop, courier = here.shop, here.courier
    (ada,), (ben,) = shop.licensed(ADA, "a.wav", "b.wav"), shop.licensed(BEN, "c.wav")
    await here.stocked(ada, ben)
    async with here.following():
        sale = shop.sell("order 17", shop.offer([ada, ben]))
        assert await courier.send() == 1
        assert await courier.send() == 0
        await until(lambda: _is(here, sale.rows, {Reason.GRANTED}))
        await until(lambda: _position(shop))
        await here.revoke(ADA, f"file {hex_text(ada.items[0])}")
        await until(lambda: shop.stock() == {ada.items[1], *ben.items})
        with shop.market.begin(shop.engine) as db:
            told = shop.market.withdrawn(db, LAB)
        assert {one.row for one in told} == {Row(ada.digest, ada.items[0])}
    # The shop was down: what it missed comes when it is back, without asking about everything.
    await here.revoke(BEN, "everything for resale")
    calls: list[bool] = []
    again = Counting(shop, calls)
    here.courier = again
    async with here.following():
        await until(lambda: shop.stock() == {ada.items[1]})
    assert calls == []
    await _removal_is_confirmed(here, {ada.digest, ben.digest})


class Counting(Courier):
    """Notes each question about everything."""

    def __init__(self, shop: Shop, calls: list[bool]) -> None:
        super().__init__(shop.market, shop.engine)
        self._calls = calls

    async def check(self, *, everything: bool = False) -> int:
        self._calls.append(everything)
        return await super().check(everything=everything)


def _position(shop: Shop) -> Any:
    with shop.market.begin(shop.engine) as db:
        return db.execute(positions.select()).first()


async def _is(here: Place, rows: Any, reasons: set[Reason]) -> bool:
    return await here.reasons(rows, LAB) == reasons


async def _removal_is_confirmed(here: Place, licenses: set[bytes]) -> None:
    shop, courier = here.shop, here.courier
    assert await courier.confirm(people=1) == []  # nothing is removed yet
    with shop.market.begin(shop.engine) as db:
        shop.market.removed(db, [one.number for one in shop.market.duties(db)])
    made: list[Any] = []

    async def dated() -> bool:
        made.extend(await courier.confirm(people=2))
        return bool(made)

    await until(dated)  # one removal with the licenses of both people
    assert [{*one.items} for one in made] == [licenses]
    assert await courier.send() == 1
    with shop.market.begin(shop.engine) as db:
        assert shop.market.duties(db) == []

    async def confirmed() -> bool:
        _, trace = await here.node.get(f"/v1/licenses/{hex_text(min(licenses))}/trace")
        mine = [one for one in trace["holders"] if one["address"] == shop.key.address]
        return {two["standing"] for one in mine for two in one["duties"]} == {"confirmed"}

    await until(confirmed)


async def test_who_revoked_before_is_never_in_stock(here: Place) -> None:
    await here.revoke(ADA, "everything for train-ai")
    (held,) = here.shop.licensed(ADA, "a.wav", purposes=("resale", "train-ai", "evaluate"))
    await here.courier.send()
    await here.revoke(ADA, "everything for train-ai")

    async def asked() -> bool:
        await here.courier.check()
        return here.shop.stock("evaluate") == {*held.items}

    await until(asked)
    assert here.shop.stock("train-ai") == set()


async def test_after_a_gap_everything_is_asked(here: Place) -> None:
    shop = here.shop
    (held,) = shop.licensed(ADA, "a.wav", "b.wav")
    await here.stocked(held)
    with shop.market.begin(shop.engine) as db:  # of a store that is gone
        db.execute(positions.insert().values(url=here.node.url, position=f"{'ab' * 16}-7"))
    await here.revoke(ADA, f"file {hex_text(held.items[0])}")
    async with here.following():
        await until(lambda: shop.stock() == {held.items[1]})
        await until(lambda: not _position(shop).position.startswith("abab"))


async def test_an_unreachable_node_loses_nothing(here: Place) -> None:
    shop, url = here.shop, here.node.url
    down = Shop(
        shop.folder, here.trusted, shop.clock, nodes=["http://127.0.0.1:1", "http://127.0.0.1:2"]
    )
    (held,) = down.licensed(ADA, "a.wav")
    courier = Courier(down.market, down.engine)
    assert await courier.send() == 0
    with down.market.begin(down.engine) as db:
        (left,) = down.market.outbox(db)
    assert (left.envelope, left.attempts, left.code) == (held, 1, "node-unreachable")
    assert await courier.send() == 0  # not due yet, so it was not tried again
    with down.market.begin(down.engine) as db:
        assert down.market.outbox(db)[0].attempts == 1
    later = Shop(shop.folder, here.trusted, lambda: shop.clock() + 3, nodes=["http://127.0.0.1:1", url])
    assert await Courier(later.market, later.engine).send() == 1
    with down.market.begin(down.engine) as db:
        assert down.market.outbox(db) == []


async def test_what_a_node_refuses_stays_and_holds_nothing_up(here: Place) -> None:
    shop = here.shop
    shop.market.clock = lambda: shop.clock() + 864_000  # issued in the future, for a node
    ahead = Shop(shop.folder, here.trusted, shop.market.clock, nodes=[here.node.url])
    (early,) = ahead.licensed(ADA, "a.wav")
    shop.market.clock = shop.clock
    (held,) = shop.licensed(BEN, "b.wav")
    assert await here.courier.send() == 1
    with shop.market.begin(shop.engine) as db:
        (left,) = shop.market.outbox(db)
    assert (left.envelope.digest, left.code) == (early.digest, "from-the-future")
    await here.stocked(held)


async def test_the_gate_refuses_before_delivery(here: Place) -> None:
    shop = here.shop
    (held,) = shop.licensed(ADA, "a.wav")
    await here.stocked(held)
    sale = shop.sell("order 17", shop.offer([held]))
    await here.courier.send()
    await until(lambda: _is(here, sale.rows, {Reason.GRANTED}))
    gate = DeliveryGate(shop.market, shop.engine)
    app = web.Application()
    app.add_routes(gate.routes())
    path = f"/sayso/delivery/{hex_text(held.digest)}/{hex_text(held.items[0])}"
    async with TestServer(app) as server, aiohttp.ClientSession(server.make_url("/")) as http:

        async def ask(grantee: bytes = LAB, purpose: str = "train-ai", at: str = path) -> Any:
            query = {"grantee": address_text(grantee), "purpose": purpose}
            async with http.get(at, params=query) as answer:
                assert answer.headers["Cache-Control"] == "no-store"
                return answer.status, await answer.json()

        status, body = await ask()
        assert (status, body["active"], body["reason"]) == (200, True, "granted")
        assert shop.clock() < body["until"] <= shop.clock() + 168 * 3_600
        assert (await ask(address(BEN)))[1]["reason"] == "other-grantee"
        assert (await ask(purpose="evaluate"))[1]["reason"] == "purpose-not-granted"
        for wrong in ("/sayso/delivery/0x12/0x34", path[:-1]):
            status, body = await ask(at=wrong)
            assert (status, body["active"], body["error"]["code"]) == (400, False, "malformed")
        async with http.get(path) as answer:
            assert answer.status == 400
        # The shop follows no events here: the node alone knows, and that is enough.
        await here.revoke(ADA, f"file {hex_text(held.items[0])}")
        status, body = await ask()
        assert (status, body) == (403, {"active": False, "reason": "revoked", "until": 0})
        shop.market.nodes = ("http://127.0.0.1:1",)
        other = f"/sayso/delivery/{hex_text(held.digest)}/0x{'11' * 32}"
        status, body = await ask(at=other)
        assert (status, body["active"], body["error"]["code"]) == (503, False, "node-unreachable")


async def test_a_gap_while_the_node_may_not_speak_empties_the_stock(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Its first answers are `stale`, which says nothing about revocations."""
    shop = here.shop
    (held,) = shop.licensed(ADA, "a.wav", "b.wav")
    await here.stocked(held)
    await here.revoke(ADA, f"file {hex_text(held.items[0])}")  # before the shop listens
    check = NodeClient.check

    async def silent(*arguments: Any) -> Any:
        found = await check(*arguments)
        return SimpleNamespace(reasons=[Reason.STALE] * len(found.reasons))

    with monkeypatch.context() as patch:
        patch.setattr(NodeClient, "check", silent)
        async with here.following():
            await until(lambda: _position(shop))
            assert shop.stock() == set()  # nothing is known of what the gap held
    await here.courier.check()
    assert shop.stock() == {held.items[1]}


async def test_no_removal_is_signed_for_a_block_before_the_revocation(
    here: Place, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Blocks become final between two questions; such a removal would never count."""
    shop = here.shop
    (held,) = shop.licensed(ADA, "a.wav")
    await here.stocked(held)
    await here.revoke(ADA, "everything for resale")
    await here.courier.check(everything=True)
    with shop.market.begin(shop.engine) as db:
        shop.market.removed(db, [one.number for one in shop.market.duties(db)])

    async def landed() -> bool:
        _, trace = await here.node.get(f"/v1/licenses/{hex_text(held.digest)}/trace")
        duties = [two for one in trace["holders"] for two in one["duties"]]
        return bool(duties) and all(one["revoked"] for one in duties)

    await until(landed)
    with monkeypatch.context() as patch:

        async def early(_: object) -> int:
            return 0

        patch.setattr(courier, "final_block", early)
        assert await here.courier.confirm(people=1) == []
    assert len(await here.courier.confirm(people=1)) == 1
