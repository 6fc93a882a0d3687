"""The example shop over HTTP, with a real node: an uploader, a buyer, and the shop itself."""

import re
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import aiohttp
import pytest
from aiohttp import web
from eth_account import Account
from sqlalchemy import create_engine

from cli.marketplace.real_node import Place, place
from cli.marketplace.shop import LAB, answer, as_asked, person
from marketplace.app import Shop
from sayso import Marketplace
from sayso.contributor.licensing import build_consents, sign_message
from sayso.demo.ports import free_ports
from sayso.marketplace.requests import request_of
from sayso_protocol.primitives import address_from_text, address_text, hex_text
from support.waiting import until

ADA = person("ada")


class Visitor:
    """Somebody's browser, as far as forms go."""

    def __init__(self, shop: Shop, http: aiohttp.ClientSession) -> None:
        self.shop, self._http = shop, http

    async def get(self, path: str, status: int = 200) -> str:
        async with self._http.get(self.shop.origin + path) as found:
            assert found.status == status, await found.text()
            return await found.text()

    async def post(
        self, path: str, data: Any, status: int = 303, origin: str | None = ""
    ) -> tuple[str, Any]:
        """Where the answer leads, and its text."""
        chosen = self.shop.origin if origin == "" else origin
        headers = {"Origin": chosen} if chosen else {}
        url = self.shop.origin + path
        async with self._http.post(url, data=data, headers=headers, allow_redirects=False) as found:
            assert found.status == status, await found.text()
            return found.headers.get("Location", ""), await found.text()

    async def upload(self, *names: str) -> str:
        """Send files; the token of the upload."""
        form = aiohttp.FormData({"title": "A <b>song</b>"})
        for name in names:
            form.add_field("files", f"bytes of {name}".encode(), filename=name)
        where, _ = await self.post("/uploads", form)
        return where.removeprefix("/uploads/")

    def signed(self, token: str, who: Any = ADA, **changes: Any) -> bytes:
        """What the page of the node would answer after this person signed."""
        market = self.shop.market
        with market.begin(self.shop.engine) as db:
            body = request_of(db, token).body
        terms, items, now = as_asked(body, market.clock(), **changes)
        network = market.trusted.network
        address = address_from_text(who.address)
        built = build_consents(address, items, terms, now)
        return answer([sign_message(who, consent, network, part) for consent, part in built])


@pytest.fixture
async def here(tmp_path: Path) -> AsyncIterator[tuple[Place, Visitor]]:
    async with place(tmp_path) as found, aiohttp.ClientSession() as http:
        (port,) = free_ports(1)
        origin, node = f"http://127.0.0.1:{port}", found.node.url
        more: dict[str, Any] = {"nodes": [node], "origins": [origin]}
        market = Marketplace(Account.create(), network=found.trusted, **more)
        engine = create_engine(f"sqlite:///{tmp_path / 'example.db'}")
        shop = Shop(market, engine, tmp_path / "files", origin, node)
        runner = web.AppRunner(shop.app(), access_log=None)
        await runner.setup()
        await web.TCPSite(runner, "127.0.0.1", port).start()
        yield found, Visitor(shop, http)
        await runner.cleanup()


async def test_from_upload_to_removal(here: tuple[Place, Visitor]) -> None:
    world, visitor = here
    token = await visitor.upload("one.wav", "two.wav")
    page = await visitor.get(f"/uploads/{token}")
    assert "A &lt;b&gt;song&lt;/b&gt;" in page
    assert "sayso-request-1" in page
    given = visitor.signed(token)
    for _ in range(2):  # the browser sends it twice
        await visitor.post(f"/uploads/{token}/consent", given, 200)

    async def stocked() -> bool:
        return "In stock: 2 files" in await visitor.get("/")

    await until(stocked)
    order = {"buyer": address_text(LAB), "purpose": "train-ai"}
    where, _ = await visitor.post("/orders", order)
    assert f"Bought by <code>{address_text(LAB)}" in await visitor.get(f"/uploads/{token}")
    links = re.findall(r'href="(/files/[^"]+)"', await visitor.get(where))
    paths = [one.replace("&amp;", "&") for one in links]
    assert len(paths) == 2

    async def delivered() -> bool:
        async with visitor._http.get(visitor.shop.origin + paths[0]) as found:
            return found.status == 200 and (await found.text()).startswith("bytes of ")

    await until(delivered)  # once a node has the sublicense
    await visitor.get(paths[0].replace("buyer=0x5", "buyer=0x6"), 403)  # another buyer's
    await visitor.get(paths[0].replace("until=", "until=9"), 403)  # for longer
    await world.revoke(ADA, "everything for resale")
    assert "not delivered: revoked" in await visitor.get(paths[0], 403)

    async def told() -> bool:
        return (await visitor.get(where)).count("stop using it") == 2

    await until(told)
    desk = f"/shop/{visitor.shop.admin}"
    numbers = re.findall(r'name="number" value="(\d+)"', await visitor.get(desk))
    await visitor.post(f"{desk}/removed", [("number", one) for one in numbers])
    assert (await visitor.get(desk)).count("yes, not confirmed yet") == 2
    await visitor.get("/shop/0000", 404)
    assert "In stock: 0 files" in await visitor.get("/")


async def test_strangers_change_nothing(here: tuple[Place, Visitor]) -> None:
    _, visitor = here
    token = await visitor.upload("one.wav")
    given = visitor.signed(token)
    for origin in (None, "null", "https://evil.example"):
        await visitor.post(f"/uploads/{token}/consent", given, 403, origin)
        await visitor.post("/orders", {"buyer": address_text(LAB)}, 403, origin)
    _, text = await visitor.post(f"/uploads/{'00' * 32}/consent", given, 400)
    assert "unknown-request" in text
    other = visitor.signed(token, grantee=address_text(LAB))
    _, text = await visitor.post(f"/uploads/{token}/consent", other, 400)
    assert "not-licensed" in text
    _, text = await visitor.post("/orders", {"buyer": "0x12", "purpose": "train-ai"}, 400)
    assert "invalid-address" in text
    buying = {"buyer": address_text(LAB), "purpose": "train-ai"}
    _, text = await visitor.post("/orders", buying, 400)
    assert "not-in-stock" in text  # nothing is in stock
    await visitor.get("/orders/0000", 404)
    await visitor.get(f"/files/{hex_text(bytes(32))}/{hex_text(bytes(32))}?until=x", 403)
    with visitor.shop.market.begin(visitor.shop.engine) as db:
        assert visitor.shop.market.licenses(db, token) == []
        assert visitor.shop.market.outbox(db) == []
