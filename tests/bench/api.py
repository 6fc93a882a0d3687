"""The HTTP API of a real node: looks at single rows beside bare aiohttp, and large checks."""

import asyncio
import json
import statistics
import subprocess
import sys
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from secrets import token_bytes

import aiohttp

from bench import bulk
from bench.consents import current
from bench.figure import Figure
from bench.load import Seen, load
from bench.real_node import MeasuredNode, measured_node
from sayso.demo.ports import LOOPBACK, free_ports
from sayso.demo.waiting import until
from sayso.node_client.client import NONCE_BYTES
from sayso.node_client.status import StatusQuestion
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row

LICENSES = 1_000
ITEMS = 1_000
MAX_AGE_S = 3_600
CONNECTIONS = 32
REQUESTS = 6_000
ROUNDS = 3
CURRENT_S = 60.0
OURS = "ours"
PEERS = {
    "aiohttp, a bare handler with the same bytes": ("asyncio", "same"),
    "the same on uvloop, which the node runs on": ("uvloop", "same"),
    "on uvloop, and each answer packed, signed and written": ("uvloop", "signed"),
}
BY_AIOHTTP = {"Content-Length", "Date", "Server"}
QUERY = Query(bytes(20), "train-ai")


def figures() -> Iterator[Figure]:
    """api.*"""
    yield from asyncio.run(_measure())
    yield from bulk.figures()


async def _measure() -> list[Figure]:
    async with measured_node() as node:
        envelopes = [current(number, ITEMS, node.trusted.network) for number in range(LICENSES)]
        await node.take(envelopes)
        rows = [Row(one.digest, item) for one in envelopes for item in one.items]
        await confirmed(node, rows[-1])
        return await _statuses(node, rows)


async def confirmed(node: MeasuredNode, row: Row) -> None:
    """Wait until the node has read the chain since the last consent arrived."""
    async with node.node.client(node.trusted) as client:

        async def granted() -> bool:
            found = await client.status(StatusQuestion(row, QUERY, MAX_AGE_S))
            return found.reason is Reason.GRANTED

        await until("the node speaks for this moment", granted, CURRENT_S)


async def _statuses(node: MeasuredNode, rows: Sequence[Row]) -> list[Figure]:
    asked = rows[:: len(rows) // REQUESTS]
    paths = [StatusQuestion(row, QUERY, MAX_AGE_S).path(token_bytes(NONCE_BYTES)) for row in asked]
    async with aiohttp.ClientSession() as http, http.get(node.node.url + paths[0]) as answer:
        head = {name: value for name, value in answer.headers.items() if name not in BY_AIOHTTP}
        same = json.dumps([head, await answer.text()])
    seen: dict[str, list[Seen]] = {OURS: [], **{peer: [] for peer in PEERS}}
    async with AsyncExitStack() as stack:
        urls = {OURS: node.node.url}
        for peer, how in PEERS.items():
            urls[peer] = await stack.enter_async_context(_bare(same, how))
        for turn in range(ROUNDS + 1):
            for name, url in urls.items():
                round_ = await load(url, paths, connections=CONNECTIONS, requests=REQUESTS)
                if turn:  # the first is for warming up
                    seen[name].append(round_)
    rates = {name: statistics.median([one.per_s for one in some]) for name, some in seen.items()}
    late = {name: statistics.median(map(_p99_ms, some)) for name, some in seen.items()}
    limit = f"{CONNECTIONS} connections, each waits for its answer"
    return [
        Figure("api.status_per_s", rates.pop(OURS), "answers/s", "higher", rates, limit),
        Figure("api.status_p99_ms", late.pop(OURS), "ms", "lower", late, limit),
    ]


def _p99_ms(seen: Seen) -> float:
    return seen.waits_s[int(len(seen.waits_s) * 0.99)] * 1_000


@asynccontextmanager
async def _bare(same: str, how: tuple[str, str]) -> AsyncIterator[str]:
    (port,) = free_ports(1)
    command = (sys.executable, "-m", "bench.bare", str(port), *how)
    process = await asyncio.create_subprocess_exec(*command, stdin=subprocess.PIPE)
    try:
        assert process.stdin
        process.stdin.write(same.encode())
        process.stdin.close()
        await until("bare aiohttp answers", lambda: _listens(port), CURRENT_S)
        yield f"http://{LOOPBACK}:{port}"
    finally:
        process.terminate()
        await process.wait()


async def _listens(port: int) -> bool:
    try:
        _, writer = await asyncio.open_connection(LOOPBACK, port)
    except ConnectionRefusedError:
        return False
    writer.close()
    return True
