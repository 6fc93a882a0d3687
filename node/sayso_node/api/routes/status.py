"""GET /v1/status/{license}/{item}: a signed answer whether one item may be used now.

Clients ask it at every use, so parts that many questions or answers share are read and written once.
"""

import re
from functools import lru_cache
from typing import Final

from aiohttp import web
from yarl import URL

from sayso_node.api.http.queries import split_nonce
from sayso_node.api.http.route import PLACE, Route
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.requests import MAX_AGE_S, NO_NONCE, StatusQuery
from sayso_node.errors import BadRequest
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.primitives import address_from_text, hash_from_text
from sayso_protocol.receipts.json_values import Json, heed_of, nonce_from_text
from sayso_protocol.receipts.receipt import Signed, StatusHead
from sayso_protocol.receipts.status import StatusAnswer, StatusJson, head_fields, status_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Row

STATUS: Final = Operation(
    "GET",
    "/v1/status/{license}/{item}",
    "status",
    "May this one row be used now?",
    StatusJson,
    query=StatusQuery,
    is_kept=False,  # valid for one moment only
)
_AGE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)


class StatusRoutes:
    """Answers about single rows."""

    def __init__(self, desk: StatusDesk) -> None:
        self._desk = desk
        self._head: Signed[StatusHead] | None = None
        self._shared: Json = {}  # the encoded shared parts of the latest answers

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(STATUS, self.status)]

    async def status(self, request: web.BaseRequest) -> StatusJson:
        """Return one row's reason, under a signature shared with other rows of the moment."""
        return self._written(await self._desk.ask(read_question(request)))

    def _written(self, answer: StatusAnswer) -> StatusJson:
        if answer.head is not self._head:
            self._head, self._shared = answer.head, head_fields(answer.head)
        return status_json(answer, self._shared)


def read_question(request: web.BaseRequest) -> StatusQuestion:
    """Read path and query; raises BadRequest and the errors of their fields."""
    place = request[PLACE]
    row = Row(hash_from_text(place["license"]), hash_from_text(place["item"]))
    text, nonce = split_nonce(request.rel_url.raw_query_string)
    query, age, earlier = _read_query(text)
    return StatusQuestion(row, query, age, nonce_from_text(earlier if nonce is None else nonce))


@lru_cache(256)  # clients ask the same about many rows, each time with another nonce
def _read_query(text: str) -> tuple[Query, int, str]:
    values = URL.build(path="/", query_string=text, encoded=True).query
    age = values["max_age_s"]
    if not _AGE.fullmatch(age) or int(age) >= MAX_AGE_S:
        raise BadRequest("max_age_s is out of range")
    heed = values.get("heed")
    listed = None if heed is None else heed_of(heed.split(",") if heed else [])
    query = Query(address_from_text(values["grantee"]), values["purpose"], listed)
    return query, int(age), values.get("nonce", NO_NONCE)
