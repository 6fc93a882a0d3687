"""One JSON shape for every refusal: {"error": {"code", "message"}}, with a status that fits."""

import logging
from collections.abc import Awaitable, Callable
from typing import Any

from aiohttp import web

from sayso_node.errors import (
    BadRequest,
    ChainUnreachable,
    ClockPutBack,
    GossipDown,
    GossipQueueFull,
    InternalFault,
    MethodNotAllowed,
    NodeBusy,
    NotAcceptable,
    NotFound,
    ProofUnavailable,
    Resync,
    SnapshotsEnded,
    StoreUnusable,
    TooSlow,
    UnsupportedMediaType,
)
from sayso_protocol.errors import SaysoError, TooLarge

STATUS: dict[type[SaysoError], int] = {
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    TooSlow: 408,
    Resync: 410,
    SnapshotsEnded: 410,
    TooLarge: 413,
    UnsupportedMediaType: 415,
    InternalFault: 500,
    ProofUnavailable: 501,
    GossipQueueFull: 503,
    GossipDown: 503,
    NodeBusy: 503,
    ClockPutBack: 503,
    ChainUnreachable: 503,
    StoreUnusable: 503,
}
RETRY_AFTER_S = "2"
_OF_STATUS = {status: error for error, status in STATUS.items() if status < 500}
Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]

log = logging.getLogger(__name__)


def error_body(error: SaysoError) -> dict[str, Any]:
    """What is wrong, for a script and for a person."""
    return {"code": error.code, "message": str(error)}


def refusal(error: SaysoError) -> web.Response:
    """The answer to a request that is refused for this."""
    response = web.json_response({"error": error_body(error)}, status=STATUS.get(type(error), 400))
    if response.status == 503:
        response.headers["Retry-After"] = RETRY_AFTER_S  # RFC 9110, 10.2.3
    return response


def _http_refusal(error: web.HTTPException) -> web.Response:
    """What aiohttp itself refuses: a path, a method, a size."""
    response = refusal(_OF_STATUS.get(error.status, BadRequest)(error.reason))
    if isinstance(error, web.HTTPMethodNotAllowed):
        response.headers["Allow"] = ", ".join(sorted(error.allowed_methods))  # RFC 9110, 15.5.6
    return response


@web.middleware
async def errors_as_json(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Turn everything raised below into the one shape; an unforeseen fault says nothing of itself."""
    try:
        return await handler(request)
    except SaysoError as error:
        return refusal(error)
    except web.HTTPException as error:
        return _http_refusal(error)
    except (ConnectionError, web.RequestPayloadError):
        return refusal(BadRequest("the body ended early, or is not in the encoding it names"))
    except Exception:
        log.exception("unforeseen fault in %s %s", request.method, request.path)
        return refusal(InternalFault("this is a fault of the node; its log says more"))
