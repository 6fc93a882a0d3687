"""The pages of the shop: an uploader's, a buyer's, and the shop's own.

Each change of the shop is one transaction with what the library writes. The courier runs beside it.
"""

import asyncio
import os
import secrets
import signal
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

from aiohttp import web
from jinja2 import Environment, FileSystemLoader
from sqlalchemy import Engine, insert, select

from marketplace.storage import Storage
from marketplace.tables import files, metadata, orders, uploads
from sayso import Courier, DeliveryGate, Marketplace, Offer, Wanted
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text, address_text, hex_text

HERE = Path(__file__).parent
YEAR_S = 31_536_000
UPLOAD_BYTES = 64 << 20
FILES = 100  # of one upload
PURPOSES = ("train-ai", "evaluate")
TERMS = (HERE / "terms.txt").read_text()
POLICY = "default-src 'self'; frame-ancestors 'none'; base-uri 'none'; form-action 'self'"
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Shop:
    """Shop is the web application around a Marketplace."""

    def __init__(
        self, market: Marketplace, engine: Engine, folder: Path, origin: str, node: str
    ) -> None:
        self.market, self.engine, self.folder, self.origin = market, engine, folder, origin
        self.node, self.admin = node, secrets.token_hex(16)
        self.courier = Courier(market, engine)
        self.gate = DeliveryGate(market, engine)
        self.storage = Storage(market, engine, self.gate, secrets.token_bytes(32))
        loader = FileSystemLoader(HERE / "templates")
        self.pages = Environment(loader=loader, autoescape=True, enable_async=False)
        self.pages.filters |= {"hex": hex_text, "address": address_text, "day": _day}
        market.create_tables(engine)
        metadata.create_all(engine)
        folder.mkdir(parents=True, exist_ok=True)

    def app(self) -> web.Application:
        """Return the application."""
        app = web.Application(middlewares=[self._guard], client_max_size=UPLOAD_BYTES)
        app.add_routes(
            [
                web.get("/", self.home),
                web.post("/uploads", self.upload),
                web.get("/uploads/{token}", self.uploader),
                web.post("/uploads/{token}/consent", self.consent),
                web.post("/orders", self.order),
                web.get("/orders/{secret}", self.buyer),
                web.get("/files/{license}/{item}", self.storage.serve),
                web.get("/shop/{admin}", self.desk),
                web.post("/shop/{admin}/removed", self.removed),
                web.static("/static", HERE / "static"),
                *self.gate.routes(),
            ]
        )
        app.cleanup_ctx.append(self._beside)
        return app

    async def _beside(self, _app: web.Application) -> AsyncIterator[None]:
        task = asyncio.create_task(self.courier.run())
        task.add_done_callback(_end_if_failed)  # a shop without its courier must not go on
        yield
        task.cancel()
        with suppress(asyncio.CancelledError):
            await task

    @web.middleware
    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        """Refuse forms of other sites, and show errors with their codes."""
        if request.method == "POST" and request.headers.get("Origin") != self.origin:
            raise web.HTTPForbidden(text="foreign-origin")
        try:
            response = await handler(request)
        except SaysoError as error:
            response = web.json_response({"code": error.code, "message": str(error)}, status=400)
        if not response.prepared:
            response.headers.setdefault("Content-Security-Policy", POLICY)
            response.headers.setdefault("Referrer-Policy", "same-origin")
        return response

    def _page(self, name: str, **values: Any) -> web.Response:
        text = self.pages.get_template(name).render(**values)
        return web.Response(text=text, content_type="text/html")

    async def home(self, _request: web.Request) -> web.Response:
        """Show the two forms: upload files, and order what is in stock."""
        with self.market.begin(self.engine) as db:
            items = {row.item for row in self.market.stock(db, PURPOSES[:1])}
            titles = select(uploads.c.title, files.c.name, files.c.item).join(files)
            found = [one for one in db.execute(titles.order_by(files.c.name)) if one.item in items]
        return self._page("home.html", found=found, purposes=PURPOSES)

    async def upload(self, request: web.Request) -> web.StreamResponse:
        """Keep files, and ask for consent to them."""
        form = await request.post()
        sent = [one for one in form.getall("files", []) if isinstance(one, web.FileField)][:FILES]
        with self.market.begin(self.engine) as db:
            kept = []
            for one in sent:
                path = self.folder / secrets.token_hex(16)
                path.write_bytes(one.file.read())
                kept.append(self.market.keep(db, path, one.filename or "file"))
            until = int(time.time()) + YEAR_S
            hashes = tuple(one.item for one in kept)
            wanted = Wanted(hashes, ("resale", *PURPOSES), until, terms=TERMS)
            asked = self.market.request(db, wanted)
            row = {"title": str(form.get("title", ""))[:200], "token": asked.token}
            number = db.execute(insert(uploads).values(row).returning(uploads.c.id)).scalar_one()
            names = [{"upload": number, "item": one.item, "name": one.name} for one in kept]
            if names:
                db.execute(insert(files), names)
        raise web.HTTPSeeOther(f"/uploads/{asked.token}")

    async def uploader(self, request: web.Request) -> web.Response:
        """Show an upload: the request, its licenses, who bought, and what was taken back."""
        with self.market.begin(self.engine) as db:
            asked = self.market.requested(db, request.match_info["token"])
            title = select(uploads.c.title).where(uploads.c.token == asked.token)
            held = self.market.licenses(db, asked.token)
            buyers = [(name, self.market.buyers(db, name)) for name in held]
            values = {"title": db.execute(title).scalar(), "buyers": buyers}
        return self._page("upload.html", asked=asked, node=self.node, **values)

    async def consent(self, request: web.Request) -> web.Response:
        """Take the answer of the node's page in, as the browser brought it."""
        answer, origin = await request.read(), request.headers.get("Origin")
        with self.market.begin(self.engine) as db:
            _, taken = self.market.take(db, request.match_info["token"], answer, origin)
        return web.json_response({"licenses": [hex_text(one) for one in taken]})

    async def order(self, request: web.Request) -> web.StreamResponse:
        """Sell everything in stock; the order and its sublicenses commit together."""
        form, secret = await request.post(), secrets.token_hex(32)
        buyer, purpose = address_from_text(str(form.get("buyer", ""))), str(form.get("purpose", ""))
        with self.market.begin(self.engine) as db:
            items = tuple({row.item for row in self.market.stock(db, [purpose])})
            row = {"secret": secret, "buyer": buyer, "purpose": purpose}
            db.execute(insert(orders).values(row))
            until = int(time.time()) + YEAR_S // 2
            self.market.sell(db, secret, Offer(buyer, (purpose,), until, items))
        raise web.HTTPSeeOther(f"/orders/{secret}")

    async def buyer(self, request: web.Request) -> web.Response:
        """Show an order: signed addresses of its files, and what was taken back."""
        with self.market.begin(self.engine) as db:
            chosen = select(orders).where(orders.c.secret == request.match_info["secret"])
            row = db.execute(chosen).first()
            if row is None:
                raise web.HTTPNotFound
            gone = [one for one in self.market.withdrawn(db, row.buyer) if one.reference == row.secret]
            sold = self.market.sold(db, row.secret)
        links = [(one, self.storage.url(one, row.buyer, row.purpose)) for one in sold.rows]
        return self._page("order.html", order=row, links=links, gone=gone, sale=sold)

    def _admin(self, request: web.Request) -> None:
        if not secrets.compare_digest(request.match_info["admin"].encode(), self.admin.encode()):
            raise web.HTTPNotFound

    async def desk(self, request: web.Request) -> web.Response:
        """Show what the shop has to remove by when, and what waits for a node."""
        self._admin(request)
        with self.market.begin(self.engine) as db:
            duties, waiting = self.market.duties(db), self.market.outbox(db)
        return self._page("shop.html", duties=duties, waiting=waiting, admin=self.admin)

    async def removed(self, request: web.Request) -> web.StreamResponse:
        """Note what was removed; the courier signs the removals."""
        self._admin(request)
        numbers = [int(str(one)) for one in (await request.post()).getall("number", [])]
        with self.market.begin(self.engine) as db:
            self.market.removed(db, numbers)
        raise web.HTTPSeeOther(f"/shop/{self.admin}")


def _end_if_failed(task: asyncio.Task[None]) -> None:
    if not task.cancelled():
        os.kill(os.getpid(), signal.SIGTERM)


def _day(seconds: float) -> str:
    return time.strftime("%Y-%m-%d", time.gmtime(seconds))
