"""The delivery gate: whether an item may be delivered now, asked by whatever stands before the data.

    GET /sayso/delivery/0xLICENSE/0xITEM?grantee=0x...&purpose=train-ai

The answer is 200 with `active`, 403 with the reason, or another status with a code. A proxy that only
looks at the status delivers nothing but what is active (nginx: `auth_request`).
"""

import asyncio
from dataclasses import dataclass
from typing import Any, Final

from aiohttp import web
from sqlalchemy import Engine, select

from sayso.errors import LedgerFailed, NodeRefused, NodeUnreachable
from sayso.marketplace.market import Marketplace
from sayso.marketplace.stock import are_disputed, split_addresses
from sayso.marketplace.tables import consents, revoked
from sayso.node_client.client import NodeClient
from sayso.node_client.status import StatusQuestion
from sayso_protocol.errors import SaysoError
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import address_from_text, hash_from_text
from sayso_protocol.verdicts.covering import RESALE
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

DELIVERY_PATH: Final = "/sayso/delivery/{license}/{item}"
LATER: Final = (LedgerFailed, NodeRefused, NodeUnreachable)  # the same question may be answered later


@dataclass(frozen=True)
class Delivery:
    """Delivery says whether an item may be delivered now, and until when that may be relied on.

    Attributes:
        reason: The verdict; only `granted` may be delivered.
        until: Until when it may be relied on, seconds since the epoch; 0 if it may not be delivered.
    """

    reason: Reason
    until: int

    @property
    def is_active(self) -> bool:
        """Return whether the item may be delivered."""
        return self.reason is Reason.GRANTED

    def to_json(self) -> dict[str, Any]:
        """Return the body of the route's answer."""
        return {"active": self.is_active, "reason": self.reason.value, "until": self.until}


class DeliveryGate:
    """DeliveryGate asks the shop's database, and then all of its nodes.

    Args:
        market: The marketplace.
        engine: Its database.
        max_age_s: The oldest accepted view of a node, seconds.
    """

    def __init__(self, market: Marketplace, engine: Engine, *, max_age_s: int = 60) -> None:
        self._market, self._engine, self._max_age_s = market, engine, max_age_s

    async def judge(self, row: Row, grantee: bytes, purpose: str) -> Delivery:
        """Judge one delivery; the shop's own knowledge can only refuse.

        Raises:
            NodeUnreachable: A node does not answer. See NodeClient.status for other errors.
            LedgerFailed: The database failed.
        """
        if (known := await asyncio.to_thread(self._known, row, purpose)) is not None:
            return Delivery(known, 0)
        question = StatusQuestion(row, Query(grantee, purpose), self._max_age_s)
        until = []
        for url in self._market.nodes:
            async with NodeClient(url, self._market.trusted, clock=self._market.clock) as node:
                found = await node.status(question)
            if found.reason is not Reason.GRANTED:
                return Delivery(found.reason, 0)
            until.append(found.answer.status.until)
        return Delivery(Reason.GRANTED, min(until))

    def _known(self, row: Row, purpose: str) -> Reason | None:
        """Return why the shop itself refuses: a party took the item back, or the shop disputes one."""
        with self._market.begin(self._engine) as db:
            mine = select(consents.c.parties).where(consents.c.license == row.license)
            parties = db.execute(mine).scalar()
            asked = (
                select(revoked.c.id)
                .join(consents, consents.c.license == revoked.c.license)
                .where(
                    revoked.c.item == row.item,
                    revoked.c.purpose.in_([RESALE, purpose]),
                    (revoked.c.license == row.license) | (consents.c.parties == parties),
                )
            )
            if db.execute(asked.limit(1)).first() is not None:
                return Reason.REVOKED
            is_disputed = are_disputed(db, split_addresses(parties or b""), self._market.clock())
            return Reason.DISPUTED if is_disputed else None

    def routes(self) -> list[web.RouteDef]:
        """Return the route for an aiohttp application."""
        return [web.get(DELIVERY_PATH, self._answer)]

    async def _answer(self, request: web.Request) -> web.Response:
        try:
            names, query = request.match_info, request.query
            row = Row(hash_from_text(names["license"]), hash_from_text(names["item"]))
            grantee = address_from_text(query.get("grantee", ""))
            found = await self.judge(row, grantee, check_purpose(query.get("purpose", "")))
        except SaysoError as error:
            refused = {"active": False, "error": {"code": error.code, "message": str(error)}}
            return _response(refused, 503 if isinstance(error, LATER) else 400)
        return _response(found.to_json(), 200 if found.is_active else 403)


def _response(body: dict[str, Any], status: int) -> web.Response:
    return web.json_response(body, status=status, headers={"Cache-Control": "no-store"})
