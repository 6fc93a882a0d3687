"""JSON-RPC 2.0 framing, which answers any bytes in the specified form.

The body is one request or a batch. A notification, which has no id, is executed and not answered.
"""

import json
import logging
from collections.abc import Callable
from typing import Any

from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed

MAX_BATCH = 1000  # requests
BODY_BYTES = 16_777_216
PARSE_ERROR, INVALID_REQUEST, INTERNAL_ERROR = -32700, -32600, -32603

Json = Any
Rpc = Callable[..., Json]  # (method, *params) -> result; raises RPCError

_log = logging.getLogger(__name__)


def answer(rpc: Rpc, body: bytes) -> bytes | None:
    """Return the JSON-RPC response to a request body; None if there is nothing to answer."""
    response = _answer(rpc, body)
    return None if response is None else json.dumps(response).encode()


def _answer(rpc: Rpc, body: bytes) -> Json:
    try:
        request = parse_json(body, most=BODY_BYTES)
    except Malformed:
        return _error(None, PARSE_ERROR, "the body is not JSON")
    if not isinstance(request, list):
        return _answer_one(rpc, request)
    if not 0 < len(request) <= MAX_BATCH:
        return _error(None, INVALID_REQUEST, f"a batch must have 1 to {MAX_BATCH} requests")
    answers = [_answer_one(rpc, one) for one in request]
    return [one for one in answers if one is not None] or None


def _answer_one(rpc: Rpc, request: Json) -> Json:
    if not isinstance(request, dict) or not isinstance(request.get("method"), str):
        return _error(None, INVALID_REQUEST, "a request must be an object with a method")
    params = request.get("params", [])
    if not isinstance(params, list):
        return _error(request.get("id"), INVALID_REQUEST, "params must be a list")
    response = _carry_out(rpc, request.get("id"), request["method"], params)
    return response if "id" in request else None


def _carry_out(rpc: Rpc, request_id: Json, method: str, params: list[Json]) -> Json:
    from ethereum_rpc import RPCError  # noqa: PLC0415  # in the demo extra only

    try:
        return {"jsonrpc": "2.0", "id": request_id, "result": rpc(method, *params)}
    except RPCError as error:
        return _error(request_id, error.code, error.message, error.data)
    except Exception as error:  # noqa: BLE001
        # py-evm and alysis raise many types for bad parameters, which must not stop the chain.
        _log.exception("%s failed", method)
        return _error(request_id, INTERNAL_ERROR, f"{type(error).__name__}: {error}")


def _error(request_id: Json, code: int, message: str, data: bytes | None = None) -> Json:
    error: dict[str, Json] = {"code": code, "message": message}
    if data is not None:
        error["data"] = "0x" + data.hex()
    return {"jsonrpc": "2.0", "id": request_id, "error": error}
