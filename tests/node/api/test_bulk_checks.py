"""POST /v1/check in msgpack: the same answers as in JSON, within bounds."""

import asyncio
import threading
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any, cast
from urllib.parse import urlsplit

import msgpack
import pytest
from aiohttp import web

from sayso_node.api.http import bodies, server
from sayso_node.api.routes import checks
from sayso_node.api.schema.operations import MSGPACK as PACKED
from sayso_node.api.schema.operations import Body
from sayso_node.verdicts.judge import Check
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_text, hex_text
from sayso_protocol.receipts.receipt import check_results, join_rows
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import REASONS, Row
from support.node_rig import ManualClock, consent, node_key, revocation
from support.protocol_strategies import BEN, NETWORK
from support.running_node import MSGPACK, RunningNode, running_node
from support.waiting import DEADLINE_S, until

TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))
MORE_THAN_THREADS = 40  # of the event loop's own pool
SOME = [consent(number, count=3) for number in range(1, 4)]
ROWS = [Row(one.digest, item) for one in (*SOME, consent(9)) for item in one.items]
GOOD: dict[str, Any] = {
    "grantee": BEN,
    "purpose": "train-ai",
    "max_age_s": 600,
    "run_id": "run 7 ü",
    "rows": join_rows(ROWS),
}


async def ask(node: RunningNode, body: bytes) -> tuple[int, Any]:
    """Status, and the answer: JSON only when it is an error."""
    async with node.http.post(node.url + "/v1/check", data=body, headers=MSGPACK) as answer:
        if answer.content_type == "application/msgpack":
            return answer.status, msgpack.unpackb(await answer.read())
        return answer.status, await answer.json()


def packed(**changes: Any) -> bytes:
    body: bytes = msgpack.packb(
        {name: value for name, value in (GOOD | changes).items() if value is not ...}
    )
    return body


@pytest.fixture
async def held(node: RunningNode, clock: ManualClock) -> RunningNode:
    """A node that holds the consents, one item revoked, and has read the chain since."""
    await node.submit(*SOME, revocation(f"file {hex_text(SOME[0].items[1])}"))
    clock.time += 1
    node.chain.time = clock.time
    node.chain.mine()
    head = len(node.chain.blocks) - 1
    await until(lambda: node.node._freshness.head.point.number >= head)
    return node


async def test_the_answer_is_that_of_json_and_its_receipt_verifies(held: RunningNode) -> None:
    status, body = await ask(held, packed())
    assert status == 200
    assert set(body) == {"reasons", "receipt"}
    signed = receipt_from_json(body["receipt"])
    assert signed.check(TRUSTED).name == "rig"
    check_results(signed.statement, GOOD["rows"], body["reasons"])
    statement = signed.statement
    assert (statement.grantee, statement.purpose) == (BEN, "train-ai")
    assert (statement.max_age_s, statement.run_id) == (600, "run 7 ü")
    as_json = GOOD | {
        "grantee": address_text(BEN),
        "rows": [[hex_text(row.license), hex_text(row.item)] for row in ROWS],
    }
    _, other = await held.ask("POST", "/v1/check", json=as_json)
    assert [REASONS[number].value for number in body["reasons"]] == other["reasons"]
    assert set(other["reasons"]) == {"granted", "revoked", "unknown"}


async def test_many_rows_are_judged_like_few(held: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(checks, "MANY_ROWS", 5)
    few, many = packed(rows=GOOD["rows"][: 5 * 64]), packed(rows=GOOD["rows"] * 1_000)
    (_, some), (_, all_), (_, again) = await asyncio.gather(
        *(ask(held, one) for one in (few, many, many))
    )
    assert all_["reasons"] == again["reasons"] == all_["reasons"][: len(ROWS)] * 1_000
    assert all_["reasons"].startswith(some["reasons"])


async def test_a_small_check_waits_for_no_large_ones(
    held: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Neither for those that are judged nor for those that are read, however many they are."""
    few, many = packed(rows=GOOD["rows"][:64]), packed(rows=GOOD["rows"] * 100)
    monkeypatch.setattr(checks, "MANY_ROWS", 50)
    read, read_body, leave, arrived = checks.read_packed_check, bodies.read_body, threading.Event(), []

    @asynccontextmanager
    async def counted(request: web.Request) -> AsyncIterator[bytearray]:
        async with read_body(request) as body:
            arrived.append(len(body))
            yield body

    def slow(body: bytearray) -> Check:
        assert len(body) < len(many) or leave.wait(DEADLINE_S)
        return read(body)

    monkeypatch.setattr(checks, "read_body", counted)
    monkeypatch.setattr(checks, "read_packed_check", slow)
    large = [asyncio.create_task(ask(held, many)) for _ in range(MORE_THAN_THREADS)]
    try:
        await until(lambda: len(arrived) == MORE_THAN_THREADS)
        status, _ = await asyncio.wait_for(ask(held, few), DEADLINE_S)
        assert status == 200
        assert not any(one.done() for one in large)
    finally:
        leave.set()
        await asyncio.gather(*large)


ROW = bytes(64)
REFUSED: dict[str, tuple[str, bytes]] = {
    "nothing": ("bad-request", b""),
    "no msgpack": ("bad-request", b"\xc1"),
    "cut": ("bad-request", packed()[:-1]),
    "followed by more": ("bad-request", packed() + b"\0"),
    "a list": ("bad-request", b"\x90"),
    "nil": ("bad-request", b"\xc0"),
    "an empty map": ("bad-request", b"\x80"),
    "a map that says it is large": ("bad-request", b"\xdf\xff\xff\xff\xff"),
    "bytes that say they are many": ("bad-request", b"\x81\xa4rows\xc6\xff\xff\xff\xff"),
    "maps in maps": ("bad-request", b"\x81\xa1a" * 100_000),
    "a field missing": ("bad-request", packed(run_id=...)),
    "a field too many": ("bad-request", packed(extra=1)),
    "a name twice": (
        "bad-request",
        packed(run_id=...).replace(b"\x84", b"\x85", 1) + b"\xa7purpose\xa1x",
    ),
    "names in bytes": ("bad-request", msgpack.packb({k.encode(): v for k, v in GOOD.items()})),
    "a grantee in text": ("bad-request", packed(grantee=address_text(BEN))),
    "a nonce of 33 bytes": ("bad-request", packed(nonce=bytes(33))),
    "a nonce in text": ("bad-request", packed(nonce="0x")),
    "a short grantee": ("bad-request", packed(grantee=bytes(19))),
    "heeded in text": ("bad-request", packed(heed=[address_text(BEN)])),
    "heeded as one": ("bad-request", packed(heed=BEN)),
    "a short address heeded": ("malformed", packed(heed=[bytes(19)])),
    "nobody heeded as zero": ("malformed", packed(heed=[bytes(20)])),
    "heeded twice": ("malformed", packed(heed=[BEN, BEN])),
    "heeded in another order": ("malformed", packed(heed=[b"\2" * 20, b"\1" * 20])),
    "17 heeded": ("bad-request", packed(heed=[bytes([n]) * 20 for n in range(1, 18)])),
    "nil heeded": ("bad-request", packed(heed=None)),
    "rows in a list": ("bad-request", packed(rows=[])),
    "no rows": ("bad-request", packed(rows=b"")),
    "half a row": ("bad-request", packed(rows=bytes(96))),
    "an age of the past": ("bad-request", packed(max_age_s=-1)),
    "an age for ever": ("bad-request", packed(max_age_s=1 << 32)),
    "an age as yes": ("bad-request", packed(max_age_s=True)),
    "an age as a fraction": ("bad-request", packed(max_age_s=60.0)),
    "a long run id": ("bad-request", packed(run_id="r" * 201)),
    "a run id that is no UTF-8": ("bad-request", packed(run_id="xx").replace(b"xx", b"\xff\xfe")),
    "half a character": ("bad-request", packed(run_id="xxx").replace(b"xxx", b"\xed\xa0\x80")),
    "a purpose in capitals": ("invalid-purpose", packed(purpose="Train")),
    "an extension": ("bad-request", packed(run_id=msgpack.ExtType(1, b"x"))),
    "a time": ("bad-request", packed(run_id=msgpack.Timestamp(1))),
}


@pytest.mark.parametrize("name", REFUSED)
async def test_bad_input_is_refused(node: RunningNode, name: str) -> None:
    code, body = REFUSED[name]
    before = node.stored()
    status, answer = await ask(node, body)
    assert (status, answer["error"]["code"]) == (400, code)
    assert node.stored() == before
    assert await node.get("/healthz") == (200, {"ok": True})


@pytest.fixture
async def small(
    tmp_path: Path, clock: ManualClock, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[RunningNode]:
    """A node with room for bodies of 10 rows, two at a time."""
    monkeypatch.setattr(checks, "ROWS", 10)
    body = checks.CHECK.takes[PACKED]._replace(limit=10 * 64 + 200)
    monkeypatch.setitem(cast("dict[str, Body]", checks.CHECK.takes), PACKED, body)
    monkeypatch.setattr(bodies, "SMALL_BYTES", 0)
    for name in ("HELD_BYTES", "SOURCE_BYTES"):
        monkeypatch.setattr(server, name, 2 * (10 * 64 + 200))
    async with running_node(tmp_path, clock=clock) as node:
        yield node


@pytest.mark.parametrize("rows", [11, 100, 10_000])
async def test_too_many_rows_are_refused(small: RunningNode, rows: int) -> None:
    status, body = await ask(small, packed(rows=ROW * rows))
    assert (status, body["error"]["code"]) == (413, "too-large")
    assert (await ask(small, packed(rows=ROW * 10)))[0] == 200


async def test_too_many_rows_are_refused_in_json(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(checks, "ROWS", 10)
    row = [hex_text(bytes(32)), hex_text(bytes(32))]
    for rows, expected in ((10, 200), (11, 413)):
        as_json = GOOD | {"grantee": address_text(BEN), "rows": [row] * rows}
        assert (await node.ask("POST", "/v1/check", json=as_json))[0] == expected


async def begun(node: RunningNode, body: bytes, sent: int) -> tuple[asyncio.StreamReader, Any]:
    """Send the beginning of a check and keep the connection."""
    place = urlsplit(node.url)
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    head = f"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Type: {PACKED}\r\n"
    writer.write(f"{head}Content-Length: {len(body)}\r\n\r\n".encode() + body[:sent])
    await writer.drain()
    return reader, writer


def room(node: RunningNode) -> int:
    left: int = node.node._http._room.left
    return left


async def test_what_all_hold_is_bounded_and_comes_back(small: RunningNode) -> None:
    body, full = packed(rows=ROW * 10), room(small)
    open_ = [await begun(small, body, len(body) - 1) for _ in range(2)]
    await until(lambda: room(small) <= full - 2 * (len(body) - 1))
    status, answer = await ask(small, body)
    assert (status, answer["error"]["code"]) == (503, "node-busy")
    for _, writer in open_:
        writer.close()
    await until(lambda: room(small) == full)
    assert (await ask(small, body))[0] == 200


async def test_who_stops_sending_is_told_so(small: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(bodies, "BODY_STALL_S", 0.01)
    body, full = packed(rows=ROW * 10), room(small)
    reader, writer = await begun(small, body, len(body) - 1)
    assert (await asyncio.wait_for(reader.readline(), DEADLINE_S)).startswith(b"HTTP/1.1 408")
    writer.close()
    await until(lambda: room(small) == full)


async def test_the_query_is_judged_by_the_same_rules(held: RunningNode) -> None:
    _, body = await ask(held, packed(purpose="resale"))
    reasons = {REASONS[number].value for number in body["reasons"]}
    assert reasons == {"purpose-not-granted", "revoked", "unknown"}
    assert receipt_from_json(body["receipt"]).statement.purpose == Query(BEN, "resale").purpose
