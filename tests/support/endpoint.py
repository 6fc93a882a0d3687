"""A chain endpoint (JSON-RPC over HTTP) that answers what a test says, one method at a time.

async with endpoint() as rpc:
    rpc.answers["eth_chainId"] = "0x2"
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from aiohttp import web

from sayso_contracts.registry import artifact
from sayso_protocol.primitives import hex_text
from support.serving import served

CHAIN_ID = 31_337
HASH = "0x" + "ab" * 32
SILENT = object()  # never answers
CUT = object()  # hangs up in the middle


@dataclass(frozen=True)
class Raw:
    """An HTTP answer that is no JSON-RPC."""

    body: bytes
    status: int = 200
    headers: dict[str, str] = field(default_factory=dict)


@dataclass(frozen=True)
class Failure:
    """A JSON-RPC error; `error` is what stands under that name."""

    error: Any


def block(height: int = 7, /, **changes: Any) -> dict[str, Any]:
    """A block as eth_getBlockByNumber answers it."""
    values: dict[str, Any] = {
        "number": hex(height),
        "hash": HASH,
        "parentHash": HASH,
        "timestamp": hex(1_750_000_000),
        "baseFeePerGas": hex(10**9),
        "gasLimit": hex(30_000_000),
        "gasUsed": "0x0",
        "transactions": [],
    }
    return {name: value for name, value in (values | changes).items() if value is not None}


def honest() -> dict[str, Any]:
    """What an endpoint says of a quiet chain; a function gets the parameters."""
    return {
        "eth_chainId": hex(CHAIN_ID),
        "eth_getCode": hex_text(artifact.runtime_code()),
        "eth_getBlockByNumber": lambda asked: block(7 if asked[0] == "latest" else int(asked[0], 16)),
        "eth_getLogs": [],
        "eth_estimateGas": hex(60_000),
        "eth_maxPriorityFeePerGas": hex(10**9),
        "eth_gasPrice": hex(2 * 10**9),
        "eth_getTransactionCount": "0x0",
        "eth_getTransactionByHash": None,
        "eth_getTransactionReceipt": None,
        "eth_getBalance": hex(10**18),
        "eth_sendRawTransaction": HASH,
    }


@dataclass
class Endpoint:
    url: str = ""
    answers: dict[str, Any] = field(default_factory=honest)
    asked: list[str] = field(default_factory=list)

    async def handle(self, request: web.Request) -> web.StreamResponse:
        call = await request.json()
        self.asked.append(call["method"])
        answer = self.answers[call["method"]]
        if isinstance(answer, Callable):  # type: ignore[arg-type]
            answer = answer(call["params"])
        if answer is SILENT:
            await asyncio.Event().wait()
        if answer is CUT:
            return await _cut(request)
        if isinstance(answer, Raw):
            headers = {"Content-Type": "application/json"} | answer.headers
            return web.Response(body=answer.body, status=answer.status, headers=headers)
        key, value = ("error", answer.error) if isinstance(answer, Failure) else ("result", answer)
        return web.json_response({"jsonrpc": "2.0", "id": call["id"], key: value})


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b'{"jsonrpc"')
    assert request.transport
    request.transport.close()
    return response


@asynccontextmanager
async def endpoint() -> AsyncIterator[Endpoint]:
    rpc = Endpoint()
    app = web.Application()
    app.router.add_post("/", rpc.handle)
    async with served(app, handler_cancellation=True) as address:
        rpc.url = f"http://{address}"
        yield rpc
