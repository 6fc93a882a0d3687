"""POST /v1/check: judges the rows of a manifest for a grantee and purpose, and signs a receipt.

JSON is for a few rows, msgpack for a million; fields, verdicts and receipt are the same.
"""

import asyncio
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from typing import Final, TypeVar

import msgspec
from aiohttp import web
from msgspec import UNSET

from sayso_node.api.http.bodies import read_body, read_value
from sayso_node.api.http.route import Route
from sayso_node.api.http.shares import Turns, source_of
from sayso_node.api.schema.operations import JSON, MSGPACK, Body, Operation
from sayso_node.api.schema.requests import ROWS, CheckFields, CheckRequest, PackedCheck
from sayso_node.api.schema.values import Checked, CheckedPacked
from sayso_node.errors import BadRequest
from sayso_node.verdicts.judge import Check, CheckResult, Judge
from sayso_node.verdicts.signer import Signer
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import TooLarge
from sayso_protocol.primitives import ADDRESS_BYTES, address_from_text, hash_from_text
from sayso_protocol.receipts.json_values import heed_of, nonce_from_text
from sayso_protocol.receipts.text import ReceiptJson, receipt_json
from sayso_protocol.verdicts.query import Heed, Query
from sayso_protocol.verdicts.verdict import REASONS

T = TypeVar("T")
_Asked = TypeVar("_Asked")
CHECK_JSON_BYTES: Final = 256 * 1_048_576  # a million rows of JSON
BINARY_BYTES: Final = ROWS * ROW_BYTES + 4_096
MANY_ROWS = 10_000  # larger checks are judged one after the other, because one uses all cores
PACKED: Final = (
    "The fields of CheckRequest; addresses 20 bytes, nonce 0 to 32 bytes, rows 64 bytes each."
)
CHECK: Final = Operation(
    "POST",
    "/v1/check",
    "check",
    "Check the rows of a manifest; in msgpack up to a million.",
    Checked,
    {200: "A reason for each row, and the receipt."},
    takes={
        JSON: Body(CheckRequest, CHECK_JSON_BYTES),
        MSGPACK: Body(PACKED, BINARY_BYTES, offers=(MSGPACK,)),
    },
)


class CheckRoutes:
    """Answers checks."""

    def __init__(self, judge: Judge, signer: Signer, *, receipts: bool) -> None:
        self._judge = judge
        self._signer = signer
        self._receipts = receipts
        self._few = _Class(4, waiting=512, share=64, what="checks")
        self._many = _Class(1, waiting=64, share=4, what="large checks")

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(CHECK, self.check)]

    async def check(self, request: web.BaseRequest) -> Checked | CheckedPacked:
        """Return a reason for each row, in the order of the rows, and the receipt."""
        if request.content_type == MSGPACK:
            return await self._check_packed(request)
        asked = await read_value(request, CheckRequest)
        check = await self._class_of(len(asked.rows)).run(read_check, asked)
        answer, receipt = await self._answer(source_of(request), check)
        return Checked([REASONS[number] for number in answer.reasons], receipt)

    async def _check_packed(self, request: web.BaseRequest) -> CheckedPacked:
        async with read_body(request) as body:
            check = await self._class_of(len(body) // ROW_BYTES).run(read_packed_check, body)
            body.clear()  # the check has its own copy of the rows, so this memory is reused
            answer, receipt = await self._answer(source_of(request), check)
        return CheckedPacked(answer.reasons, receipt)

    async def _answer(self, source: str, check: Check) -> tuple[CheckResult, ReceiptJson | None]:
        mine = self._class_of(len(check.rows) // ROW_BYTES)
        async with mine.turns.turn(source):
            return await self._judged(check, mine)

    def _class_of(self, rows: int) -> "_Class":
        return self._few if rows <= MANY_ROWS else self._many

    async def _judged(self, check: Check, mine: "_Class") -> tuple[CheckResult, ReceiptJson | None]:
        answer = await mine.run(self._judge.judge, check)
        if not self._receipts:
            return answer, None
        return answer, receipt_json(await self._signer.receipt(check, answer))


class _Class:
    """The checks of one class of sizes; no other class uses their turns and threads.

    A million rows take seconds to read and to judge, so large checks could occupy all threads of a
    common pool, and small ones would wait for them.
    """

    def __init__(self, at_once: int, *, waiting: int, share: int, what: str) -> None:
        self.turns = Turns(at_once, waiting=waiting, share=share, what=what)
        self._threads = ThreadPoolExecutor(at_once, what)

    async def run(self, work: Callable[[_Asked], T], asked: _Asked) -> T:
        """Do a part of a check in a thread of the class."""
        return await asyncio.get_running_loop().run_in_executor(self._threads, work, asked)


def read_check(asked: CheckRequest) -> Check:
    """Read a JSON request; raises BadRequest, TooLarge and the errors of its fields."""
    grantee = address_from_text(asked.grantee)
    rows = [hash_from_text(license_) + hash_from_text(item) for license_, item in asked.rows]
    heed = None if asked.heed is UNSET else heed_of(asked.heed)
    return _checked(asked, (grantee, heed), nonce_from_text(asked.nonce), b"".join(rows))


def read_packed_check(body: bytearray) -> Check:
    """Read a msgpack request; raises BadRequest, TooLarge and InvalidPurpose."""
    try:
        asked = msgspec.msgpack.decode(body, type=PackedCheck)
    except ValueError as error:
        raise BadRequest(f"the body is not a check in msgpack: {error}") from error
    if len(asked.grantee) != ADDRESS_BYTES or len(asked.rows) % ROW_BYTES:
        raise BadRequest(
            f"grantee must have {ADDRESS_BYTES} bytes, and each row {ROW_BYTES}: license and item"
        )
    heed = None if asked.heed is UNSET else tuple(asked.heed)
    return _checked(asked, (asked.grantee, heed), asked.nonce, asked.rows)


def _checked(asked: CheckFields, who: tuple[bytes, Heed | None], nonce: bytes, rows: bytes) -> Check:
    """Check the fields that both forms share."""
    if not rows:
        raise BadRequest("the check has no rows")
    if len(rows) > ROWS * ROW_BYTES:
        raise TooLarge(f"a check may have {ROWS:,} rows at most")
    grantee, heed = who
    query = Query(grantee, asked.purpose, heed)
    return Check(query, asked.max_age_s, asked.run_id, rows, nonce, run_until=asked.run_until)
