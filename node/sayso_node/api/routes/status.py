"""GET /v1/status/{license}/{item}: may this one item be used for this, now? A signed answer.

It is asked at every use, so what many questions or answers have in common is read and written once.
"""

import json
import re
from functools import lru_cache
from typing import Final

from aiohttp import web
from yarl import URL

from sayso_node.api.http.bodies import JSON
from sayso_node.api.http.negotiation import DRESS
from sayso_node.api.routes.checks import MAX_AGE_S
from sayso_node.errors import BadRequest
from sayso_node.verdicts.status_desk import StatusDesk, StatusQuestion
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text
from sayso_protocol.receipts.receipt import Signed, StatusHead
from sayso_protocol.receipts.status import StatusAnswer, head_to_json
from sayso_protocol.verdicts.verdict import Query, Row

_FIELDS: Final = {"grantee", "purpose", "max_age_s"}
_AGE: Final = re.compile(r"[0-9]{1,10}", re.ASCII)
# All that belongs to it, so that nobody has to look what is missing. It speaks for one moment.
_HEADERS: Final = {"Content-Type": f"{JSON}; charset=utf-8", "Cache-Control": "no-store", **DRESS}


class StatusRoutes:
    """Answers about single rows."""

    def __init__(self, desk: StatusDesk) -> None:
        self._desk = desk
        self._text = StatusText()

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.get("/v1/status/{license}/{item}", self.status)]

    async def status(self, request: web.Request) -> web.Response:
        """One row's reason, under a signature that it shares with others of the moment."""
        answer = await self._desk.ask(read_question(request))
        return web.Response(body=self._text.of(answer).encode(), headers=_HEADERS)


class StatusText:
    """Writes answers as JSON (rule 9.10); the text of a head is kept for the next answer under it."""

    def __init__(self) -> None:
        self._head: Signed[StatusHead] | None = None
        self._before = self._after = ""

    def of(self, answer: StatusAnswer) -> str:
        """What `json.dumps` makes of `status_to_json`."""
        if answer.head is not self._head:
            before, after = head_to_json(answer.head)
            self._before, self._after = json.dumps(before)[:-1], json.dumps(after)[1:]
            self._head = answer.head
        return f"{self._before}, {_row_text(answer)}, {self._after}"


def _row_text(answer: StatusAnswer) -> str:
    """As `json.dumps` writes `row_to_json`, in a third of the time: none of it needs escaping."""
    (license_, item), query, max_age_s, reason = answer.status
    steps = ", ".join([f'"0x{step.hex()}"' for step in answer.path])
    return (
        f'"license": "0x{license_.hex()}", "item": "0x{item.hex()}", '
        f'"grantee": "{address_text(query.grantee)}", "purpose": "{query.purpose}", '
        f'"max_age_s": {max_age_s}, "reason": "{reason}", '
        f'"index": {answer.index}, "path": [{steps}]'
    )


def read_question(request: web.Request) -> StatusQuestion:
    """Read the path and the query; raises BadRequest and what a field's own form raises."""
    place = request.match_info
    row = Row(hash_from_text(place["license"]), hash_from_text(place["item"]))
    return StatusQuestion(row, *_read_query(request.rel_url.raw_query_string))


@lru_cache(256)  # who asks, asks the same about many rows
def _read_query(text: str) -> tuple[Query, int]:
    asked = URL.build(path="/", query_string=text, encoded=True).query
    if len(asked) != len(_FIELDS) or set(asked) != _FIELDS:
        raise BadRequest(f"the query must have {', '.join(sorted(_FIELDS))}, each once")
    age = asked["max_age_s"]
    if not _AGE.fullmatch(age) or int(age) >= MAX_AGE_S:
        raise BadRequest("max_age_s is out of range")
    return Query(address_from_text(asked["grantee"]), asked["purpose"]), int(age)
