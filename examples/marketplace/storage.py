"""Storage in front of the data: a signed URL opens one file for one order, and the gate decides last.

The signature says who may ask until when. It cannot know of a revocation that came after it was made, so
each delivery is judged by the delivery gate of the library.
"""

import hashlib
import hmac
import time
from collections.abc import Callable
from urllib.parse import urlencode

from aiohttp import web
from sqlalchemy import Engine

from sayso import DeliveryGate, Marketplace
from sayso.marketplace.items import kept
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.verdicts.verdict import Row

VALID_S = 600


class Storage:
    """Storage makes signed URLs and serves what they name."""

    def __init__(
        self,
        market: Marketplace,
        engine: Engine,
        gate: DeliveryGate,
        key: bytes,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._market, self._engine, self._gate, self._key = market, engine, gate, key
        self._clock = clock

    def url(self, row: Row, buyer: bytes, purpose: str) -> str:
        """Return a URL of one file for one buyer, valid for ten minutes."""
        until = int(self._clock()) + VALID_S
        path = f"/files/{hex_text(row.license)}/{hex_text(row.item)}"
        query = {"buyer": address_text(buyer), "purpose": purpose, "until": str(until)}
        return f"{path}?{urlencode(query | {'mac': self._mac(path, query)})}"

    def _mac(self, path: str, query: dict[str, str]) -> str:
        text = "\n".join([path, query["buyer"], query["purpose"], query["until"]])
        return hmac.new(self._key, text.encode(), hashlib.sha256).hexdigest()

    async def serve(self, request: web.Request) -> web.StreamResponse:
        """Send a file if the URL is genuine and the gate says that the file may be delivered now."""
        query = {name: request.query.get(name, "") for name in ("buyer", "purpose", "until")}
        mac = request.query.get("mac", "").encode(errors="replace")
        if not hmac.compare_digest(self._mac(request.path, query).encode(), mac):
            raise web.HTTPForbidden(text="this address was not signed by the shop")
        if int(query["until"]) < self._clock():
            raise web.HTTPGone(text="this address is over; open the order again")
        names = request.match_info
        row = Row(hash_from_text(names["license"]), hash_from_text(names["item"]))
        found = await self._gate.judge(row, address_from_text(query["buyer"]), query["purpose"])
        if not found.is_active:
            raise web.HTTPForbidden(text=f"not delivered: {found.reason.value}")
        with self._market.begin(self._engine) as db:
            file = kept(db, [row.item])[row.item]
        headers = {"Cache-Control": "no-store", "X-Sayso-Until": str(found.until)}
        headers["Content-Disposition"] = "attachment"
        if file.salt:
            headers["X-Sayso-Salt"] = hex_text(file.salt)
        return web.FileResponse(file.path, headers=headers)
