"""A proxy before a chain endpoint, which does wrong as a test says."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import aiohttp
from aiohttp import web

from support.serving import served


class Proxy:
    """Stands before an endpoint and does wrong as a test says."""

    def __init__(self, target: str) -> None:
        self.target, self.url = target, ""
        self.lags = 0  # blocks
        self.widest: int | None = None
        self.hides_events = False
        self.drops_after: int | None = None  # answers about events
        self.dead = False
        self.forged = False
        self.asked: list[str] = []

    async def handle(self, request: web.Request) -> web.StreamResponse:
        question = await request.json()
        method, params = question["method"], question["params"]
        self.asked.append(method)
        if self.dead or self._drops(method):
            assert request.transport
            request.transport.close()
            raise web.HTTPServiceUnavailable
        if method == "eth_getLogs" and (wrong := self._wrong_events(params[0])) is not None:
            return web.json_response({"jsonrpc": "2.0", "id": question["id"]} | wrong)
        if method == "eth_getBlockByNumber" and params[0] == "latest" and self.lags:
            head = await self._forward({**question, "method": "eth_blockNumber", "params": []})
            params[0] = hex(max(int(head["result"], 16) - self.lags, 0))
        answer = await self._forward(question)
        if method == "eth_getBlockByNumber" and self.forged and answer["result"]:
            answer["result"]["hash"] = "0x" + "f0" * 32
        return web.json_response(answer)

    def _drops(self, method: str) -> bool:
        if method != "eth_getLogs" or self.drops_after is None:
            return False
        self.drops_after -= 1
        return self.drops_after < 0

    def _wrong_events(self, asked: dict[str, Any]) -> dict[str, Any] | None:
        if self.hides_events:
            return {"result": []}
        if self.widest is not None and "blockHash" not in asked:
            width = int(asked["toBlock"], 16) - int(asked["fromBlock"], 16) + 1
            if width > self.widest:
                return {"error": {"code": -32005, "message": f"at most {self.widest} blocks"}}
        return None

    async def _forward(self, question: Any) -> Any:
        async with (
            aiohttp.ClientSession() as http,
            http.post(self.target, json=question) as response,
        ):
            return await response.json()


@asynccontextmanager
async def proxy(target: str, kind: type[Proxy] = Proxy) -> AsyncIterator[Proxy]:
    made = kind(target)
    app = web.Application()
    app.router.add_post("/", made.handle)
    async with served(app) as address:
        made.url = f"http://{address}"
        yield made
