"""A million rows in one check of a real node, over one license, a thousand, and a million.

The store is filled past its door, because the door takes minutes for so many. BULK_LICENSES names other
numbers, such as `BULK_LICENSES=1,100000 make bench`.
"""

import asyncio
import os
import random
import statistics
import time
from collections.abc import Iterable, Iterator
from functools import partial
from typing import Final

import aiohttp
import msgpack

from bench.consents import current
from bench.figure import Figure
from bench.real_node import MeasuredNode, measured_node
from sayso_node.store.interface import Writing
from sayso_protocol.encoding.row_tree import ROW_BYTES, roots
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.network import Network
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import check_results
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason
from support.filled_store import change_store

LICENSES: Final = (1, 1_000, 1_000_000)
ROWS: Final = 1_000_000
MOST_ITEMS: Final = 1_000  # of a license
MAX_AGE_S: Final = 3_600
ROUNDS: Final = 3
INSERT: Final = """
INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, ?, ?, 0)
"""
QUERY: Final = Query(bytes(20), "train-ai")


def figures() -> Iterator[Figure]:
    """api.bulk_*"""
    named = os.environ.get("BULK_LICENSES")
    for count in map(int, named.split(",")) if named else LICENSES:
        yield from asyncio.run(_measure(count))


async def _measure(licenses: int) -> list[Figure]:
    rows = list[bytes]()
    async with measured_node(partial(_fill, rows, licenses)) as node:
        random.Random(1).shuffle(rows)
        joined = b"".join(rows)
        await _is_current(node, rows[0])
        before = node.memory_mb("VmRSS")
        cold, *warm = [await _seconds(node, joined) for _ in range(ROUNDS + 1)]
        most = node.memory_mb("VmHWM")
    begun = time.perf_counter()
    roots(joined, bytes([Reason.GRANTED.number]) * ROWS)
    hashing = ROWS / (time.perf_counter() - begun)
    peers = {"the first request, licenses not yet in memory": ROWS / cold}
    limit = f"both roots over {ROWS:,} rows alone: {hashing:,.0f} rows/s"
    name, rate = f"over_{licenses}", ROWS / statistics.median(warm)
    return [
        Figure(f"api.bulk_rows_per_s.{name}", rate, "rows/s", "higher", peers, limit),
        Figure(f"api.bulk_rss_mb.{name}", most, "MB", "lower", {"before the first request": before}),
    ]


def _fill(rows: list[bytes], licenses: int, location: str, network: Network) -> None:
    """Fill a store with licenses like one that is really signed, and note a million rows of them."""
    items = min(MOST_ITEMS, ROWS // licenses)
    like = current(0, items, network)
    body, contributor = encode(like), like.message.signer

    def insert(db: Writing) -> None:
        for number in range(licenses):
            own = [sha256(b"%d/%d" % (number, at)) for at in range(items)]
            who = sha256(b"%d" % number)[:20]
            mine = body.replace(contributor, who)
            mine = mine.replace(b"".join(_packed(like.items)), b"".join(_packed(own)))
            name = sha256(mine)
            db.execute(INSERT, (name, CONSENT, who, mine))
            rows.extend(name + item for item in own)

    change_store(location, insert)
    rows *= ROWS // len(rows)


def _packed(items: Iterable[bytes]) -> Iterator[bytes]:
    return (b"\xc4\x20" + item for item in items)


async def _is_current(node: MeasuredNode, row: bytes) -> None:
    """Wait until the node speaks for this moment."""
    while True:
        if (await _ask(node, row))["reasons"] == bytes([Reason.GRANTED.number]):
            return
        await asyncio.sleep(0.1)


async def _seconds(node: MeasuredNode, rows: bytes) -> float:
    """Seconds from sending to the last byte of the answer, which is then checked."""
    begun = time.perf_counter()
    read = await _ask(node, rows)
    seconds = time.perf_counter() - begun
    signed = receipt_from_json(read["receipt"])
    signed.check(node.trusted)
    check_results(signed.statement, rows, read["reasons"])
    assert dict(signed.statement.counts) == {"granted": len(rows) // ROW_BYTES}
    return seconds


async def _ask(node: MeasuredNode, rows: bytes) -> dict[str, bytes]:
    asked = {
        "grantee": QUERY.grantee,
        "purpose": QUERY.purpose,
        "max_age_s": MAX_AGE_S,
        "run_id": "bench",
        "rows": rows,
    }
    body: bytes = msgpack.packb(asked)
    headers = {"Content-Type": "application/msgpack"}
    async with (
        aiohttp.ClientSession() as http,
        http.post(node.node.url + "/v1/check", data=body, headers=headers) as answer,
    ):
        text = await answer.read()
    assert answer.status == 200, text[:500]
    read: dict[str, bytes] = msgpack.unpackb(text)
    return read
