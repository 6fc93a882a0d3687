"""What providers of chain endpoints do besides answering: each habit stands before an honest endpoint.

A habit is asked with a JSON-RPC request and a way to ask on, and gives the answer. Several stand one
behind the other. What is late is late by the clock of the node under test.
"""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count
from random import Random
from typing import Any, Final

import aiohttp
from aiohttp import web

from support.serving import served

Ask = Callable[[str, list[Any]], Awaitable[Any]]  # the whole answer: "result" or "error"
Clock = Callable[[], float]

LATE_S: Final = 60.0
NARROW_BLOCKS: Final = 10
LAG_BLOCKS: Final = 3
LAG_SHARE: Final = 0.4  # of the requests
SLOW_EVERY, SLOW_FIRST = 150, 20  # requests, of which one is refused
STATE: Final = frozenset(  # methods whose last parameter is a block
    {
        "eth_call",
        "eth_estimateGas",
        "eth_getBalance",
        "eth_getCode",
        "eth_getProof",
        "eth_getTransactionCount",
    }
)

# How twelve providers refuse a range of blocks, as of 2025.
REFUSALS: Final = (
    (-32_005, "query returned more than 10000 results"),
    (-32_602, "eth_getLogs is limited to a 10,000 range"),
    (-32_000, "exceed maximum block range: 5000"),
    (-32_600, "You can make eth_getLogs requests with up to a 10 block range"),
    (-32_614, "eth_getLogs and eth_newFilter are limited to a 10,000 blocks range"),
    (-32_000, "block range is too wide"),
    (
        -32_701,
        "Please specify an address in your request or, to remove restrictions, order a dedicated node",
    ),
    (-32_005, "Log response size exceeded. this block range should work: [0x1, 0x9]"),
    (-32_062, "Block range is too large"),
    (-32_600, "ranges over 10000 blocks are not supported on freetier"),
    (-32_000, "Block range limit exceeded. See more details at our docs"),
    (-32_012, "requested too many blocks from 1 to 5000, maximum is set to 10"),
)


class TooFast(Exception):
    """Status 429."""


class Habit:
    """None at all."""

    def __init__(self, clock: Clock) -> None:
        self.clock = clock
        self.did = 0  # how often it was other than honest

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        return await ask(method, params)

    def refuse(self, code: int, message: str) -> Any:
        self.did += 1
        return {"error": {"code": code, "message": message}}


class NarrowRanges(Habit):
    """Logs of ten blocks at once, and refusals of more in the words of each provider in turn."""

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if method == "eth_getLogs" and "blockHash" not in params[0]:
            width = int(params[0]["toBlock"], 16) - int(params[0]["fromBlock"], 16) + 1
            if width > NARROW_BLOCKS:
                return self.refuse(*REFUSALS[self.did % len(REFUSALS)])
        return await ask(method, params)


class TooManyRequests(Habit):
    """Status 429 with Retry-After, now and then."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._numbers = count(1)

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if next(self._numbers) % SLOW_EVERY == SLOW_FIRST:
            self.did += 1
            raise TooFast
        return await ask(method, params)


class LateLogs(Habit):
    """A block's logs come a minute after the block, in ranges and by its hash alike."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._since: dict[str, float] = {}  # when logs of a block were first asked for

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        answer = await ask(method, params)
        if method == "eth_getLogs" and "result" in answer:
            there = [one for one in answer["result"] if self._has_come(one["blockHash"])]
            self.did += len(answer["result"]) - len(there)
            return answer | {"result": there}
        return answer

    def _has_come(self, block: str) -> bool:
        return self.clock() - self._since.setdefault(block, self.clock()) >= LATE_S


class LateReceipts(Habit):
    """A receipt comes a minute after it was first asked for, alone or with those of its block."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._since: dict[str, float] = {}

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if method in {"eth_getTransactionReceipt", "eth_getBlockReceipts"} and self._is_late(params[0]):
            self.did += 1
            return {"result": None}
        return await ask(method, params)

    def _is_late(self, asked: str) -> bool:
        return self.clock() - self._since.setdefault(asked, self.clock()) < LATE_S


class NoProofs(Habit):
    """No eth_getProof, as with most providers' free plans."""

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if method == "eth_getProof":
            return self.refuse(-32_601, "the method eth_getProof does not exist/is not available")
        return await ask(method, params)


class NoTags(Habit):
    """No `finalized` and no `safe`, as before the merge and on many other chains."""

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if any(one in {"finalized", "safe"} for one in params if isinstance(one, str)):
            return self.refuse(-39_001, "unknown block")
        return await ask(method, params)


class NumbersOnly(Habit):
    """State by a block's number, and never by its hash (EIP-1898)."""

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if method in STATE and "blockHash" in params[-1]:
            text = "invalid argument 1: json: cannot unmarshal object into Go value of type string"
            return self.refuse(-32_602, text)
        return await ask(method, params)


class LaggingBalancer(Habit):
    """Some requests are answered by a machine that lacks the newest blocks, and does not say so."""

    def __init__(self, clock: Clock) -> None:
        super().__init__(clock)
        self._choice = Random(1)

    async def __call__(self, method: str, params: list[Any], ask: Ask) -> Any:
        if self._choice.random() > LAG_SHARE or method == "eth_sendRawTransaction":
            return await ask(method, params)
        head = int((await ask("eth_blockNumber", []))["result"], 16)
        return await self._behind(max(head - LAG_BLOCKS, 0), method, params, ask)

    async def _behind(self, head: int, method: str, params: list[Any], ask: Ask) -> Any:
        self.did += 1
        if method == "eth_blockNumber":
            return {"result": hex(head)}
        if method == "eth_getBlockByNumber":
            number = int(params[0], 16) if params[0].startswith("0x") else head
            return await ask(method, [hex(number), params[1]]) if number <= head else {"result": None}
        if method == "eth_getLogs":
            return await self._logs(head, params[0], ask)
        if method in STATE:
            return await self._state(head, method, params, ask)
        answer = await ask(method, params)
        return {"result": None} if _height(answer.get("result")) > head else answer

    async def _state(self, head: int, method: str, params: list[Any], ask: Ask) -> Any:
        block = params[-1]
        if isinstance(block, dict):
            number = await self._number(block["blockHash"], ask)
        elif block.startswith("0x"):
            number = int(block, 16)
        else:
            return await ask(method, [*params[:-1], hex(head)])
        if number > head:
            return {"error": {"code": -32_000, "message": "header not found"}}
        return await ask(method, params)

    async def _number(self, block_hash: str, ask: Ask) -> int:
        return _height((await ask("eth_getBlockByHash", [block_hash, False])).get("result"))

    async def _logs(self, head: int, asked: Any, ask: Ask) -> Any:
        if "blockHash" in asked:
            if await self._number(asked["blockHash"], ask) > head:
                return {"error": {"code": -32_000, "message": "unknown block"}}
            return await ask("eth_getLogs", [asked])
        last = min(int(asked["toBlock"], 16), head)
        if last < int(asked["fromBlock"], 16):
            return {"result": []}
        return await ask("eth_getLogs", [asked | {"toBlock": hex(last)}])


def _height(result: Any) -> int:
    """Where a block, a receipt or a transaction is; -1 for everything else."""
    if isinstance(result, list) and result:  # receipts of a block
        result = result[0]
    if not isinstance(result, dict):
        return -1
    found = result.get("number") or result.get("blockNumber")
    return int(found, 16) if found else -1


HABITS: Final[dict[str, type[Habit]]] = {
    "none": Habit,
    "narrow ranges": NarrowRanges,
    "429": TooManyRequests,
    "late logs": LateLogs,
    "late receipts": LateReceipts,
    "no finalized": NoTags,
    "numbers only": NumbersOnly,
    "no getProof": NoProofs,
    "lagging balancer": LaggingBalancer,
}


class Provider:
    """An endpoint with habits; the first of them is asked first."""

    def __init__(self, target: str, habits: list[Habit], http: aiohttp.ClientSession) -> None:
        self.url, self.habits = "", habits
        self._target, self._http = target, http

    async def handle(self, request: web.Request) -> web.StreamResponse:
        question = await request.json()
        try:
            answer = await self._ask(0, question["method"], question["params"])
        except TooFast:
            return web.Response(status=429, headers={"Retry-After": "1"}, text="slow down")
        return web.json_response({"jsonrpc": "2.0"} | answer | {"id": question["id"]})

    async def _ask(self, place: int, method: str, params: list[Any]) -> Any:
        if place < len(self.habits):
            habit = self.habits[place]
            return await habit(method, params, lambda *more: self._ask(place + 1, *more))
        question = {"jsonrpc": "2.0", "id": 1, "method": method, "params": params}
        async with self._http.post(self._target, json=question) as response:
            return await response.json()


@asynccontextmanager
async def provider(target: str, habits: list[Habit]) -> AsyncIterator[Provider]:
    """Serve an endpoint with these habits."""
    async with aiohttp.ClientSession() as http:
        made = Provider(target, habits, http)
        app = web.Application()
        app.router.add_post("/", made.handle)
        async with served(app) as address:
            made.url = f"http://{address}"
            yield made
