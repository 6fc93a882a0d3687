"""One JSON shape for every refusal: {"error": {"code", "message"}}, with a status that fits."""

import asyncio
import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sayso_node.errors import (
    BadRequest,
    ChainUnreachable,
    GossipDown,
    GossipQueueFull,
    NotFound,
    StoreUnusable,
)
from sayso_protocol.errors import Malformed, SaysoError, TooLarge
from sayso_protocol.json_text import parse_json

_STATUS: dict[type[SaysoError], int] = {
    NotFound: 404,
    TooLarge: 413,
    GossipQueueFull: 503,
    GossipDown: 503,
    ChainUnreachable: 503,
    StoreUnusable: 503,
}
_HTTP_CODES = {404: "not-found", 405: "method-not-allowed", 413: "too-large"}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


async def read_json(request: web.Request) -> Any:
    """The JSON in a request's body; raises BadRequest."""
    try:
        # Beside the loop: a million rows take seconds.
        return await asyncio.to_thread(parse_json, await request.read())
    except Malformed as error:
        raise BadRequest("the body is not JSON") from error


def error_body(error: SaysoError) -> dict[str, Any]:
    """What is wrong, for a script and for a person."""
    return {"code": error.code, "message": str(error)}


def _refusal(status: int, code: str, message: str) -> web.Response:
    return web.json_response({"error": {"code": code, "message": message}}, status=status)


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything raised below into the one shape; an unforeseen fault says nothing of itself."""
    try:
        return await handler(request)
    except SaysoError as error:
        return _refusal(_STATUS.get(type(error), 400), error.code, str(error))
    except web.HTTPException as error:
        code = _HTTP_CODES.get(error.status, "bad-request")
        return _refusal(error.status, code, error.reason)
    except (ConnectionError, web.RequestPayloadError):
        return _refusal(400, "bad-request", "the body ended early, or is not in the encoding it names")
    except Exception:
        log.exception("unforeseen fault in %s %s", request.method, request.path)
        return _refusal(500, "internal", "this is a fault of the node; its log says more")
