"""POST /v1/check: may these items be used for this, by this grantee? Answered with a receipt.

In JSON for a few rows, in msgpack for a million: the same fields, the same judge, the same receipt.
"""

import asyncio
from typing import Any

import msgpack
from aiohttp import web

from sayso_node.api.http.bodies import MSGPACK, read_body, read_json
from sayso_node.errors import BadRequest
from sayso_node.verdicts.judge import Answer, Check, Judge
from sayso_node.verdicts.signer import Signer
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import TooLarge
from sayso_protocol.primitives import ADDRESS_BYTES, address_from_text, hash_from_text
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import REASONS, Query

_JSON = {"grantee": str, "purpose": str, "max_age_s": int, "run_id": str, "rows": list}
_BINARY = _JSON | {"grantee": bytes, "rows": bytes}
ROWS = 1 << 20  # of one check
BINARY_BYTES = ROWS * ROW_BYTES + 4_096
RUN_ID_CHARS = 200
MAX_AGE_S = 1 << 32
MANY_ROWS = 10_000  # such checks are judged one after the other: they take the whole machine anyway


class CheckRoutes:
    """Judges manifests."""

    def __init__(self, judge: Judge, signer: Signer, *, receipts: bool) -> None:
        self._judge = judge
        self._signer = signer
        self._receipts = receipts
        self._many = asyncio.Lock()

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.post("/v1/check", self.check)]

    async def check(self, request: web.Request) -> web.Response:
        """One reason a row, in the order of the rows, and the receipt."""
        if request.content_type == MSGPACK:
            return await self._check_binary(request)
        body = await read_json(request)
        # A million rows take seconds to read and to judge: in threads, so that nobody else waits.
        check = await asyncio.to_thread(read_check, body)
        answer, receipt = await self._answer(check)
        reasons = [REASONS[number] for number in answer.reasons]
        return web.json_response({"reasons": reasons, "receipt": receipt})

    async def _check_binary(self, request: web.Request) -> web.Response:
        async with read_body(request, MSGPACK, BINARY_BYTES) as body:
            check = await asyncio.to_thread(read_binary_check, body)
            body.clear()  # the check has its own copy of the rows, and takes its place
            answer, receipt = await self._answer(check)
        packed: bytes = msgpack.packb({"reasons": answer.reasons, "receipt": receipt})
        return web.Response(body=packed, content_type=MSGPACK)

    async def _answer(self, check: Check) -> tuple[Answer, dict[str, Any] | None]:
        if len(check.rows) <= MANY_ROWS * ROW_BYTES:
            return await self._judged(check)
        async with self._many:
            return await self._judged(check)

    async def _judged(self, check: Check) -> tuple[Answer, dict[str, Any] | None]:
        answer = await asyncio.to_thread(self._judge.judge, check)
        if not self._receipts:
            return answer, None
        return answer, receipt_to_json(await self._signer.receipt(check, answer))


def read_check(body: Any) -> Check:
    """Read a request's JSON; raises BadRequest, TooLarge and what a field's own form raises."""
    _check_fields(body, _JSON)
    if any("\ud800" <= char <= "\udfff" for char in body["run_id"]):
        raise BadRequest("run_id holds half a character")  # JSON can spell it, a receipt cannot
    grantee = address_from_text(body["grantee"])
    return _checked(body, grantee, b"".join([_read_row(row) for row in body["rows"]]))


def read_binary_check(body: bytearray) -> Check:
    """Read a request's msgpack; raises BadRequest, TooLarge and InvalidPurpose."""
    try:
        fields = msgpack.unpackb(
            body, max_map_len=len(_BINARY), max_array_len=0, max_ext_len=0, max_bin_len=BINARY_BYTES
        )
    except (ValueError, msgpack.UnpackException) as error:
        raise BadRequest("the body is not msgpack, or not a check") from error
    _check_fields(fields, _BINARY)
    if len(fields["grantee"]) != ADDRESS_BYTES or len(fields["rows"]) % ROW_BYTES:
        raise BadRequest(f"grantee has {ADDRESS_BYTES} bytes, and a row {ROW_BYTES}: license and item")
    return _checked(fields, fields["grantee"], fields["rows"])


def _check_fields(body: Any, kinds: dict[str, type]) -> None:
    if not isinstance(body, dict) or set(body) != set(kinds):
        raise BadRequest(f"the body must be an object with the fields {', '.join(kinds)}")
    for name, kind in kinds.items():
        if type(body[name]) is not kind:
            raise BadRequest(f"{name} must be of type {kind.__name__}")


def _checked(body: dict[str, Any], grantee: bytes, rows: bytes) -> Check:
    """What both forms have in common."""
    if not 0 <= body["max_age_s"] < MAX_AGE_S or len(body["run_id"]) > RUN_ID_CHARS:
        raise BadRequest("max_age_s or run_id is out of range")
    if not rows:
        raise BadRequest("there are no rows to check")
    if len(rows) > ROWS * ROW_BYTES:
        raise TooLarge(f"a check has at most {ROWS:,} rows")
    query = Query(grantee, body["purpose"])
    return Check(query, body["max_age_s"], body["run_id"], rows)


def _read_row(row: Any) -> bytes:
    if not isinstance(row, list) or len(row) != 2 or not all(isinstance(one, str) for one in row):
        raise BadRequest("a row must be [license hash, item hash]")
    return hash_from_text(row[0]) + hash_from_text(row[1])
