"""POST /v1/check: may these items be used for this, by this grantee? Answered with a receipt."""

import asyncio
from typing import Any

from aiohttp import web

from sayso_node.api.responses import read_json
from sayso_node.errors import BadRequest
from sayso_node.judging import Check, Judge
from sayso_node.signing import Signer
from sayso_protocol.primitives import address_from_text, hash_from_text
from sayso_protocol.purposes import check_purpose
from sayso_protocol.receipt_text import receipt_to_json
from sayso_protocol.verdict import Query, Row

_FIELDS = {"grantee": str, "purpose": str, "max_age_s": int, "run_id": str, "rows": list}
RUN_ID_CHARS = 200
MAX_AGE_S = 1 << 32


class CheckRoutes:
    """Judges manifests."""

    def __init__(self, judge: Judge, signer: Signer, *, receipts: bool) -> None:
        self._judge = judge
        self._signer = signer
        self._receipts = receipts

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.post("/v1/check", self.check)]

    async def check(self, request: web.Request) -> web.Response:
        """One reason a row, in the order of the rows, and the receipt."""
        body = await read_json(request)
        # A million rows take seconds to read and to judge: in threads, so that nobody else waits.
        check = await asyncio.to_thread(read_check, body)
        answer = await asyncio.to_thread(self._judge.judge, check)
        receipt = receipt_to_json(await self._signer.receipt(check, answer)) if self._receipts else None
        return web.json_response({"reasons": answer.reasons, "receipt": receipt})


def read_check(body: Any) -> Check:
    """Read a request's JSON; raises BadRequest and what a field's own form raises."""
    if not isinstance(body, dict) or set(body) != set(_FIELDS):
        raise BadRequest(f"the body must be an object with the fields {', '.join(_FIELDS)}")
    for name, kind in _FIELDS.items():
        if type(body[name]) is not kind:
            raise BadRequest(f"{name} must be of type {kind.__name__}")
    if not 0 <= body["max_age_s"] < MAX_AGE_S or len(body["run_id"]) > RUN_ID_CHARS:
        raise BadRequest("max_age_s or run_id is out of range")
    if any("\ud800" <= char <= "\udfff" for char in body["run_id"]):
        raise BadRequest("run_id holds half a character")  # JSON can spell it, a receipt cannot
    query = Query(address_from_text(body["grantee"]), check_purpose(body["purpose"]))
    rows = [_read_row(row) for row in body["rows"]]
    if not rows:
        raise BadRequest("there are no rows to check")
    return Check(query, body["max_age_s"], body["run_id"], rows)


def _read_row(row: Any) -> Row:
    if not isinstance(row, list) or len(row) != 2 or not all(isinstance(one, str) for one in row):
        raise BadRequest("a row must be [license hash, item hash]")
    return Row(hash_from_text(row[0]), hash_from_text(row[1]))
