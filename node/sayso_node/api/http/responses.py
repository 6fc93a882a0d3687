"""Errors as answers: one JSON form, {"error": {"code", "message"}}, with a fitting HTTP status."""

from aiohttp import web

from sayso_node.api.http.route import RouteAnswer
from sayso_node.api.schema.operations import Operation
from sayso_node.api.schema.values import Fault, RefusalJson
from sayso_node.errors import (
    BadRequest,
    ChainUnreachable,
    ClockPutBack,
    GossipDown,
    GossipQueueFull,
    IdentityInUse,
    InternalFault,
    MethodNotAllowed,
    NodeBusy,
    NotAcceptable,
    NotFound,
    ProofUnavailable,
    Resync,
    StoreDamaged,
    StoreUnusable,
    TooSlow,
    UnsupportedMediaType,
)
from sayso_node.supervision.logs import logger
from sayso_protocol.errors import SaysoError, TooLarge

HTTP_STATUS: dict[type[SaysoError], int] = {
    NotFound: 404,
    MethodNotAllowed: 405,
    NotAcceptable: 406,
    TooSlow: 408,
    Resync: 410,
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
    StoreDamaged: 503,
    IdentityInUse: 503,
}
RETRY_AFTER_S = "2"

log = logger(__name__)


def fault(error: SaysoError) -> Fault:
    """Return an error's code for programs and its message for people."""
    text = str(error).encode(errors="backslashreplace").decode()  # requests may have lone surrogates
    return Fault(error.code, text)


def refusal(error: SaysoError) -> RouteAnswer:
    """Return the answer to a request that is refused with this error."""
    status = HTTP_STATUS.get(type(error), 400)
    headers = {"Retry-After": RETRY_AFTER_S} if status == 503 else {}  # RFC 9110, 10.2.3
    if isinstance(error, MethodNotAllowed):
        headers = {"Allow": error.allowed}  # RFC 9110, 15.5.6
    return RouteAnswer(RefusalJson(fault(error)), status, headers)


def answer_to(error: Exception, operation: Operation) -> RouteAnswer:
    """Return the answer to an error of a route; one that is not expected shows no details."""
    if isinstance(error, SaysoError):
        return refusal(error)
    if isinstance(error, (ConnectionError, web.RequestPayloadError)):
        return refusal(BadRequest("the body ended early, or is not valid in its encoding"))
    log.error("request-failed", operation=operation.name, exc_info=error)
    return refusal(InternalFault("the node failed to handle the request; its log has details"))
