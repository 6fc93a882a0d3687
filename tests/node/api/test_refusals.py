"""Bad input that some routes take: a stable code, nothing kept; test_every_route.py has the rest."""

import asyncio
import gzip
import json
from collections.abc import Mapping
from types import MappingProxyType
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec
import pytest

from node.api.routes import outcome, send
from sayso_node.api.routes.messages import BODY_BYTES
from sayso_protocol.encoding.packing import pack
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import address_text
from support.node_rig import consent
from support.protocol_strategies import ADA, BEN
from support.running_node import MSGPACK, RunningNode
from support.waiting import DEADLINE_S

JSON = {"Content-Type": "application/json"}
HASH = "0x" + "ab" * 32
GOOD: dict[str, Any] = {
    "grantee": address_text(BEN),
    "purpose": "train-ai",
    "max_age_s": 60,
    "run_id": "run 7",
    "rows": [[HASH, HASH]],
}


class Case(NamedTuple):
    status: int
    code: str
    method: str
    path: str
    body: bytes | str | None = None
    headers: Mapping[str, str] = MappingProxyType({})


def check(code: str = "bad-request", /, **changes: Any) -> Case:
    body = json.dumps({name: value for name, value in (GOOD | changes).items() if value is not ...})
    return Case(400, code, "POST", "/v1/check", body, JSON)


def raw_check(body: bytes | str, headers: dict[str, str] | None = None) -> Case:
    return Case(400, "bad-request", "POST", "/v1/check", body, headers or JSON)


def messages(code: str, body: bytes, status: int = 400) -> Case:
    return Case(status, code, "POST", "/v1/messages", body, MSGPACK)


ROUTES = {
    "no such path": Case(404, "not-found", "GET", "/v1/nothing"),
    "a path that climbs": Case(404, "not-found", "GET", "/v1/../../node.toml"),
    "get messages": Case(405, "method-not-allowed", "GET", "/v1/messages"),
    "get check": Case(405, "method-not-allowed", "GET", "/v1/check"),
    "post node": Case(405, "method-not-allowed", "POST", "/v1/node", "{}", JSON),
    "post metrics": Case(405, "method-not-allowed", "POST", "/metrics"),
    "delete a license": Case(405, "method-not-allowed", "DELETE", f"/v1/licenses/{HASH}"),
    "put a batch": Case(405, "method-not-allowed", "PUT", f"/v1/batches/{HASH}"),
    "another method": Case(405, "method-not-allowed", "PATCH", "/v1/peers"),
    "a license of words": Case(400, "malformed", "GET", "/v1/licenses/zz"),
    "a short license": Case(400, "malformed", "GET", f"/v1/licenses/{HASH[:-2]}"),
    "a license in capitals": Case(400, "malformed", "GET", f"/v1/licenses/0x{'AB' * 32}"),
    "a license with a line end": Case(400, "malformed", "GET", f"/v1/licenses/{HASH}%0A"),
    "a license with a zero byte": Case(400, "malformed", "GET", f"/v1/licenses/{HASH}%00"),
    "no UTF-8 in the path": Case(400, "malformed", "GET", "/v1/licenses/%ff%fe"),
    "an unknown license": Case(404, "not-found", "GET", f"/v1/licenses/{HASH}"),
    "no license": Case(404, "not-found", "GET", "/v1/licenses/"),
    "a contributor of words": Case(400, "invalid-address", "GET", "/v1/contributors/ada/licenses"),
    "a wrong checksum": Case(
        400, "invalid-address", "GET", f"/v1/contributors/{address_text(ADA).swapcase()}/licenses"
    ),
    "a short address": Case(400, "invalid-address", "GET", "/v1/contributors/0x00/licenses"),
    "a batch of words": Case(400, "malformed", "GET", "/v1/batches/zz"),
    "an unknown batch": Case(404, "not-found", "GET", f"/v1/batches/{HASH}"),
}
CHECKS = {
    "nothing": raw_check(b""),
    "no JSON": raw_check("these are words"),
    "cut JSON": raw_check(json.dumps(GOOD)[:-1]),
    "two values": raw_check(json.dumps(GOOD) * 2),
    "no UTF-8": raw_check(b'{"grantee": "\xff\xfe"}'),
    "nested deeply": raw_check("[" * 100_000),
    "nested deeply in objects": raw_check('{"rows":' * 50_000),
    "a number of too many digits": raw_check('{"max_age_s": ' + "9" * 10_000 + "}"),
    "an unknown character set": raw_check(b"{", {"Content-Type": "application/json; charset=nope"}),
    "a lie about its encoding": raw_check(b"{}", {**JSON, "Content-Encoding": "gzip"}),
    "cut in its encoding": raw_check(
        gzip.compress(b"{}" * 99)[:-9], {**JSON, "Content-Encoding": "gzip"}
    ),
    "a list": raw_check("[]"),
    "null": raw_check("null"),
    "a number": raw_check("7"),
    "an empty object": raw_check("{}"),
    "msgpack": raw_check(pack([1]), MSGPACK),
    "a field missing": check(run_id=...),
    "a field too many": check(extra=1),
    "age as text": check(max_age_s="60"),
    "age as a fraction": check(max_age_s=60.0),
    "age as yes": check(max_age_s=True),
    "age null": check(max_age_s=None),
    "age below zero": check(max_age_s=-1),
    "age too large": check(max_age_s=1 << 32),
    "age no number": raw_check(json.dumps(GOOD).replace("60", "NaN")),
    "run id too long": check(run_id="x" * 201),
    "run id a number": check(run_id=7),
    "run id half a character": check(run_id="\ud800"),
    "grantee a number": check(grantee=7),
    "grantee of words": check("invalid-address", grantee="ben"),
    "grantee empty": check("invalid-address", grantee=""),
    "grantee with a wrong checksum": check("invalid-address", grantee=GOOD["grantee"].swapcase()),
    "grantee half a character": check(grantee="0x\ud800"),
    "purpose in capitals": check("invalid-purpose", purpose="Train-AI"),
    "purpose empty": check("invalid-purpose", purpose=""),
    "purpose with a line end": check("invalid-purpose", purpose="train-ai\n"),
    "purpose half a character": check(purpose="\ud800"),
    "purpose that is a scope": check("invalid-purpose", purpose="train-ai for research"),
    "purpose a list": check(purpose=["train-ai"]),
    "no rows": check(rows=[]),
    "rows null": check(rows=None),
    "rows an object": check(rows={HASH: HASH}),
    "rows of texts": check(rows=[HASH, HASH]),
    "a row of one": check(rows=[[HASH]]),
    "a row of three": check(rows=[[HASH, HASH, HASH]]),
    "a row of numbers": check(rows=[[1, 2]]),
    "a row of nulls": check(rows=[[None, None]]),
    "a row of lists": check(rows=[[[HASH], [HASH]]]),
    "a short hash": check(rows=[[HASH, HASH[:-1]]]),
    "a hash in capitals": check("malformed", rows=[["0x" + "AB" * 32, HASH]]),
    "a hash half a character": check(rows=[["\ud800", HASH]]),
    "a bad row among good ones": check(rows=[[HASH, HASH]] * 99 + [[HASH, ""]]),
}
MESSAGES = {
    "no type": Case(
        415, "unsupported-media-type", "POST", "/v1/messages", encode_bundle([encode(consent(1))])
    ),
    "as JSON": Case(415, "unsupported-media-type", "POST", "/v1/messages", "[]", JSON),
    "as a form": Case(
        415,
        "unsupported-media-type",
        "POST",
        "/v1/messages",
        "a=b",
        {"Content-Type": "multipart/form-data"},
    ),
    "nothing": messages("malformed", b""),
    "garbage": messages("malformed", b"\xc1\xc1"),
    "no bundle": messages("malformed", pack(7)),
    "an empty bundle": messages("malformed", pack([])),
    "a bundle of numbers": messages("malformed", pack([1])),
    "an envelope without bundle": messages("malformed", encode(consent(1))),
    "cut": messages("malformed", encode_bundle([encode(consent(1))])[:-1]),
    "too many": messages("malformed", encode_bundle([b""] * 1_025)),
    "a huge array": messages("malformed", b"\xdd\xff\xff\xff\xff"),
    "not canonical": messages("not-canonical", b"\xdc\x00\x01" + encode_bundle([b"x"])[1:]),
    "too large": messages("too-large", bytes(BODY_BYTES + 1), 413),
}
GROUPS = {"routes": ROUTES, "checks": CHECKS, "messages": MESSAGES}


def faults_of_the_node(caplog: pytest.LogCaptureFixture) -> list[str]:
    """What our own code complained of; the HTTP layer below us logs what is no HTTP."""
    records = (one for one in caplog.records if one.name.startswith("sayso_node"))
    return [one.message for one in records if one.levelname in ("ERROR", "CRITICAL")]


@pytest.mark.parametrize("group", GROUPS)
async def test_bad_input(node: RunningNode, group: str, caplog: pytest.LogCaptureFixture) -> None:
    before = node.stored()
    wrong = {}
    for name, case in GROUPS[group].items():
        caplog.clear()
        status, body = await node.ask(case.method, case.path, data=case.body, headers=case.headers)
        shape = isinstance(body, dict) and set(body) == {"error"} and set(body["error"])
        code = body["error"].get("code") if shape == {"code", "message"} else body
        faults = faults_of_the_node(caplog)
        if (status, code, faults) != (case.status, case.code, []):
            wrong[name] = status, code, faults
        assert await node.get("/healthz") == (200, {"ok": True})
    assert wrong == {}
    assert node.stored() == before


@pytest.mark.parametrize(
    ("method", "headers"), [("FROB", JSON), ("POST", {**MSGPACK, "Content-Encoding": "deflate"})]
)
async def test_what_is_no_http_is_answered_below_us(
    node: RunningNode, method: str, headers: dict[str, str]
) -> None:
    status, body = await node.ask(method, "/v1/messages", data=b"x", headers=headers)
    assert (status, body["error"]["code"]) == (400, "bad-request")
    assert await node.get("/healthz") == (200, {"ok": True})


@pytest.mark.parametrize(
    ("head", "expected"),
    [
        ("OPTIONS *", (404, "not-found")),
        ("CONNECT example.com:80", (404, "not-found")),
        ("GET /v1/node%0A", (404, "not-found")),
        ("GET http://x/v1/nodes", (404, "not-found")),
    ],
)
async def test_what_matches_no_route_is_refused_in_the_same_form(
    node: RunningNode, head: str, expected: tuple[int, str]
) -> None:
    request = f"{head} HTTP/1.1\r\nHost: x\r\n\r\n"
    assert outcome(await send(node, request.encode())) == expected


@pytest.mark.parametrize(
    ("version", "kind", "expected", "answers"),
    [
        ("1.1", "msgpack", "100-Continue", [100, 200]),
        ("1.0", "msgpack", "100-continue", [200]),
        ("1.1", "x", "100-continue", [415]),
        ("1.1", "msgpack", "wonders", [400]),
    ],
)
async def test_a_body_is_asked_for_only_if_it_may_come(
    node: RunningNode, version: str, kind: str, expected: str, answers: list[int]
) -> None:
    """RFC 9110, 10.1.1."""
    body = encode_bundle([encode(consent(1))])
    head = f"POST /v1/messages HTTP/{version}\r\nHost: x\r\nContent-Type: application/{kind}\r\n"
    head += f"Content-Length: {len(body)}\r\nExpect: {expected}\r\nConnection: close\r\n\r\n"
    place, seen = urlsplit(node.url), list[int]()
    reader, writer = await asyncio.open_connection(place.hostname, place.port)
    writer.write(head.encode())
    if answers == [200]:
        writer.write(body)
    async with asyncio.timeout(DEADLINE_S):
        while line := await reader.readline():
            seen.append(int(line.split()[1]))
            while line.strip():
                line = await reader.readline()
            if seen != [100]:
                break
            writer.write(body)
    writer.close()
    assert seen == answers


@pytest.mark.parametrize("packing", [{}, {"Content-Encoding": "gzip"}])
async def test_a_body_larger_than_a_route_takes(node: RunningNode, packing: dict[str, str]) -> None:
    """A bomb is measured by what it unpacks to."""
    body = b" " * (BODY_BYTES + 1)
    data = gzip.compress(body) if packing else body
    status, answer = await node.ask("POST", "/v1/messages", data=data, headers=MSGPACK | packing)
    assert (status, answer["error"]["code"]) == (413, "too-large")


CHUNKED = b"Transfer-Encoding: chunked\r\nContent-Type: application/msgpack\r\n\r\n"
HALVES = (
    b"POST /v1/check HTTP/1.1\r\nHost: x\r\nContent-Length: 100\r\n\r\n{",
    b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + CHUNKED + b"5\r\nab",
    b"GET /v1/no",
    b"\x16\x03\x01\x02\x00\x01\x00",  # TLS
)


@pytest.mark.parametrize("half", HALVES)
async def test_a_client_that_hangs_up_in_the_middle(
    node: RunningNode, half: bytes, caplog: pytest.LogCaptureFixture
) -> None:
    host, port = node.url.removeprefix("http://").split(":")
    _, writer = await asyncio.open_connection(host, int(port))
    writer.write(half)
    await writer.drain()
    writer.close()
    await writer.wait_closed()
    assert await node.get("/healthz") == (200, {"ok": True})
    assert sum(node.stored().values()) == 0
    assert faults_of_the_node(caplog) == []


def test_the_good_check_is_good() -> None:
    """Otherwise the cases above would prove nothing."""
    from sayso_node.api.routes.checks import read_check
    from sayso_node.api.schema.requests import CheckRequest

    assert read_check(msgspec.convert(GOOD, CheckRequest)).rows == bytes.fromhex(HASH[2:]) * 2
