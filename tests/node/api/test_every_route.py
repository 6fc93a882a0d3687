"""Every route of the OpenAPI document, wrong in one thing at a time: a stable code, nothing kept.

The node answers /healthz all the while. What only one route takes is tried in test_refusals.py.
"""

import gzip
import json
from collections.abc import AsyncIterator, Iterator
from typing import Any, Final, NamedTuple

import pytest

from node.api.routes import (
    BODIES,
    GOOD,
    JSON,
    MSGPACK,
    STATUS,
    Asked,
    full_node,
    outcome,
    schema_of_body,
    send,
    status_of,
)
from sayso_node.api import bodies, connections
from sayso_node.api.checks import BINARY_BYTES
from sayso_node.api.messages import BODY_BYTES
from sayso_node.api.negotiation import SPECIAL
from sayso_node.api.openapi import PATHS
from support.node_rig import ManualClock
from support.running_node import RunningNode

TAKING: Final = [one for one in GOOD if one.kind]
METHODS: Final = ("GET", "POST", "PUT", "PATCH", "DELETE", "OPTIONS", "TRACE")
LIMITS: Final = {"/v1/messages": BODY_BYTES, "/v1/check": BINARY_BYTES}
UNLIKE: Final[tuple[Any, ...]] = (None, True, 7, 7.5, "x", [], {}, [7], [None], [[]], [{}])
TYPES: Final = {"string": str, "integer": int, "array": list}
BAD: Final = 400, "bad-request"
Cases = Iterator[tuple[str, bytes, tuple[int, str]]]


class Form(NamedTuple):
    """The code for a parameter that is not in its form, and texts that are not."""

    code: str
    texts: tuple[str, ...]
    status: int = 400


HASH: Final = "0x" + "ab" * 32
FORMS: Final = {
    "Hash": Form(
        "malformed",
        ("zz", HASH[:-1], HASH.upper(), f"{HASH}%0A", f"{HASH}%00", "%FF%FE", "0x" * 3_000),
    ),
    "Address": Form(
        "invalid-address",
        ("ada", "0x00", "0x" + "aB" * 20, "0x" + "ab" * 20 + "%00", "%FF"),
    ),
    "Cursor": Form("bad-cursor", ("x", "A" * 27, "A" * 5_000, "%FF", "-1", "0")),
    "purpose": Form(
        "invalid-purpose",
        ("Train-AI", "", "train-ai%0A", "train-ai+for+x", "%FF", "x" * 5_000),
    ),
    "integer": Form("bad-request", ("x", "-1", "1.0", "1e1", "%D9%A1", "", "9" * 5_000, "+1", "0x1")),
    "name": Form("not-found", ("x", "node.toml", "1-0.delta", "%FF", "x" * 3_000), 404),
    "after": Form("bad-request", ("x", "-1", "0-0", "1", "0" * 32 + "-01", "%FF")),
}


@pytest.fixture
async def full(node: RunningNode, clock: ManualClock) -> AsyncIterator[RunningNode]:
    async with full_node(node, clock):
        yield node


async def expect(node: RunningNode, cases: Cases) -> None:
    """Send every case; all must end as they should."""
    tried, wrong = 0, {}
    for name, request, expected in cases:
        found = outcome(await send(node, request))
        tried += 1
        if found != expected:
            wrong[name] = found, expected
    assert not wrong, "\n".join(
        f"{name}: {found}, not {expected}" for name, (found, expected) in wrong.items()
    )
    assert tried


def test_the_document_and_the_good_requests_are_the_same_list() -> None:
    written = {(path, method.upper()) for path, methods in PATHS.items() for method in methods}
    assert {(one.path, one.method) for one in GOOD} == written
    assert len(written) > 15
    assert {one.path for one in TAKING} == {path for path, _ in BODIES}
    assert STATUS.keys() <= PATHS.keys()


def wrong_methods() -> Cases:
    for one in GOOD:
        others = {method.lower() for method in METHODS} - PATHS[one.path].keys()
        for method in sorted(others):
            other = one._replace(method=method.upper())
            yield f"{method} {one.path}", other.bytes(), (405, "method-not-allowed")
        yield f"FROB {one.path}", one._replace(method="FROB").bytes(), BAD


async def test_wrong_methods(full: RunningNode) -> None:
    await expect(full, wrong_methods())


async def test_a_wrong_method_is_told_the_right_ones(full: RunningNode) -> None:
    for one in GOOD:
        answer = await send(full, one._replace(method="DELETE", kind="").bytes())
        [line] = [part for part in answer.split(b"\r\n") if part.lower().startswith(b"allow:")]
        methods = {method.upper() for method in PATHS[one.path]}
        if "GET" in methods and one.path != "/v1/events":
            methods.add("HEAD")
        assert line[7:].decode() == ", ".join(sorted(methods)), one.path


def form_of(name: str, schema: dict[str, Any]) -> Form:
    """By what it refers to, by its type, or by its name."""
    reference = str(schema.get("$ref", "")).rsplit("/", 1)[-1]
    return FORMS.get(reference) or FORMS.get(str(schema.get("type"))) or FORMS[name]


def wrong_parameters() -> Cases:
    for one in GOOD:
        for name, schema in one.parameters("path").items():
            form = form_of(name, schema)
            for text in form.texts:
                target = _with_path(one, name, text)
                yield (
                    f"{one.path} {name} {text[:80]}",
                    one._replace(target=target).bytes(),
                    (form.status, form.code),
                )
        for name, schema in one.parameters("query").items():
            form = form_of(name, schema)
            for text in form.texts:
                target = _with_query(one, name, text)
                yield (
                    f"{one.path}?{name}={text[:80]}",
                    one._replace(target=target).bytes(),
                    (form.status, form.code),
                )


def _with_path(one: Asked, name: str, text: str) -> str:
    """The target with another text at the place of a parameter."""
    places, parts = one.path.split("/"), one.target.split("?")
    path = parts[0].split("/")
    path[places.index(f"{{{name}}}")] = text
    return "?".join(["/".join(path), *parts[1:]])


def _with_query(one: Asked, name: str, text: str) -> str:
    path, _, query = one.target.partition("?")
    others = [pair for pair in query.split("&") if pair and not pair.startswith(f"{name}=")]
    return f"{path}?{'&'.join([*others, f'{name}={text}'])}"


async def test_parameters_in_another_form(full: RunningNode) -> None:
    await expect(full, wrong_parameters())


def wrong_queries() -> Cases:
    for one in GOOD:
        joint = "&" if "?" in one.target else "?"
        extra = ["extra=1", "cursor=x", "limit=1&limit=1", "=", "a", "__proto__=1", "%00=1", "q[]=1"]
        for query in extra:
            if query.partition("=")[0] not in one.parameters("query") or "&" in query:
                target = f"{one.target}{joint}{query}"
                yield f"{one.path}?{query}", one._replace(target=target).bytes(), BAD
        for pair in one.target.partition("?")[2].split("&") if "?" in one.target else ():
            twice = f"{one.target}&{pair}"
            yield f"{one.path} {pair} twice", one._replace(target=twice).bytes(), BAD
            path, _, query = one.target.partition("?")
            others = "&".join(other for other in query.split("&") if other != pair)
            yield f"{one.path} without {pair}", one._replace(target=f"{path}?{others}").bytes(), BAD


async def test_queries_with_unknown_double_or_missing_names(full: RunningNode) -> None:
    await expect(full, wrong_queries())


def wrong_fields() -> Cases:
    for one in (one for one in TAKING if one.kind == JSON):
        fields, body = schema_of_body(one), json.loads(one.body)
        required = {name for name in fields if name in body}
        for name in fields:
            for value in UNLIKE:
                if not _is_like(fields[name], value):
                    yield _changed(one, f"{name}={value!r}", body | {name: value})
        yield _changed(one, "a field too many", body | {"extra": 1})
        yield _changed(one, "a name in capitals", {k.capitalize(): v for k, v in body.items()})
        for name in required - _optional(one):
            yield _changed(one, f"without {name}", {k: v for k, v in body.items() if k != name})
        for value in UNLIKE:
            yield _changed(one, f"body {value!r}", value)


def _changed(one: Asked, what: str, value: Any) -> tuple[str, bytes, tuple[int, str]]:
    return f"{one.path} {what}", one._replace(body=json.dumps(value).encode()).bytes(), BAD


def _is_like(schema: dict[str, Any], value: Any) -> bool:
    """Whether only the content may be wrong, which another code says."""
    kind = TYPES[schema.get("type", "string")]
    return type(value) is kind and (kind is not list or value == [])


def _optional(one: Asked) -> set[str]:
    from sayso_node.api.schemas import COMPONENTS

    reference = one.operation["requestBody"]["content"][JSON]["schema"]["$ref"].rsplit("/", 1)[1]
    return set(COMPONENTS[reference]["properties"]) - set(COMPONENTS[reference]["required"])


async def test_fields_of_another_type_unknown_or_missing(full: RunningNode) -> None:
    await expect(full, wrong_fields())


def wrong_bodies() -> Cases:
    for one in TAKING:
        code = "malformed" if one.path == "/v1/messages" else "bad-request"
        nested = b"[" * 200_000 if one.kind == JSON else b"\x91" * 200_000
        objects = b'{"rows":' * 50_000 if one.kind == JSON else b"\x81\xa1a" * 50_000
        for name, body in {
            "nothing": b"",
            "deep": nested,
            "deep objects": objects,
            "cut": one.body[:-1],
            "two": one.body * 2,
            "no text": b"\xff\xfe\x00",
            "NUL": b"\x00",
            "a mark of the byte order": b"\xef\xbb\xbf" + one.body,
        }.items():
            yield f"{one.path} {one.kind} {name}", one._replace(body=body).bytes(), (400, code)


async def test_bodies_that_are_too_deep_cut_or_no_message(full: RunningNode) -> None:
    await expect(full, wrong_bodies())


def wrong_kinds() -> Cases:
    refused = 415, "unsupported-media-type"
    for one in TAKING:
        for kind in (
            "text/plain",
            "application/x-www-form-urlencoded",
            "multipart/form-data",
            "x",
            "*/*",
        ):
            yield f"{one.path} {kind}", one._replace(kind=kind).bytes(), refused
        length = f"Content-Length: {len(one.body)}"
        yield f"{one.path} no kind", one._replace(kind="").bytes(length) + one.body, refused
        for coding in ("br", "zstd", "compress", "x"):
            yield f"{one.path} {coding}", one.bytes(f"Content-Encoding: {coding}"), refused
    for one in GOOD:
        if (one.path, one.kind) != ("/v1/check", MSGPACK):
            form = SPECIAL.get(one.path)
            other = JSON if form else "image/png"
            yield f"{one.path} for {other}", one.bytes(f"Accept: {other}"), (406, "not-acceptable")


async def test_other_content_types(full: RunningNode) -> None:
    await expect(full, wrong_kinds())


def too_large() -> Cases:
    large = 413, "too-large"
    for one in TAKING:
        limit = LIMITS.get(one.path, bodies.JSON_BYTES) if one.kind == JSON or one.path in LIMITS else 0
        if (one.path, one.kind) == ("/v1/check", JSON):
            limit = bodies.CHECK_BYTES
        bare = one._replace(kind="", body=b"")
        kind = f"Content-Type: {one.kind}"
        for length in (limit + 1, 1 << 62):
            yield f"{one.path} {length}", bare.bytes(kind, f"Content-Length: {length}"), large
        if limit <= BODY_BYTES:
            packed = gzip.compress(b" " * (limit + 1))
            lines = (kind, "Content-Encoding: gzip", f"Content-Length: {len(packed)}")
            yield f"{one.path} a bomb", bare.bytes(*lines) + packed, large
            chunk = f"{limit + 1:x}\r\n".encode() + b" " * (limit + 1) + b"\r\n0\r\n\r\n"
            yield f"{one.path} in chunks", bare.bytes(kind, "Transfer-Encoding: chunked") + chunk, large
    for one in GOOD:
        long = one.target + ("&" if "?" in one.target else "?") + "x" * 9_000
        yield f"{one.path} a long target", one._replace(target=long).bytes(), BAD
        yield f"{one.path} a long header", one.bytes(f"X: {'x' * 9_000}"), BAD
        many = [f"X-{number}: x" for number in range(connections.HEADERS + 1)]
        yield f"{one.path} many headers", one.bytes(*many), BAD


async def test_too_large(full: RunningNode) -> None:
    await expect(full, too_large())


async def test_too_slow(full: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that stalls is told so; a head that stalls is hung up on."""
    monkeypatch.setattr(bodies, "STALL_S", 0.05)
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    for one in GOOD:
        assert await send(full, one.bytes()[:20]) == b"", one
        if one.kind:
            stalled = one._replace(body=one.body + b" ").bytes()[:-1]
            assert outcome(await send(full, stalled)) == (408, "too-slow"), one


def odd_paths() -> Cases:
    for one in GOOD:
        path, mark, query = one.target.partition("?")
        none = 404, "not-found"
        for odd in (
            path + "/",
            "/" + path,
            "/." + path,
            path.replace("/", "/x/../", 1),
            "/%2e%2e" + path,
            "/%2F" + path[1:],
            "/" + path[1:].upper(),
        ):
            yield odd, one._replace(target=odd + mark + query).bytes(), none
        below = one.method == "POST" and any(other.startswith(f"{one.path}/{{") for other in PATHS)
        for odd in (path + "/..%2f..%2fnode.toml", path + "/%00"):
            expected = (405, "method-not-allowed") if below else none
            yield odd, one._replace(target=odd + mark + query).bytes(), expected
        last = one.path.rsplit("/", 1)[1].strip("{}")
        places = one.parameters("path")
        form = form_of(last, places[last]) if last in places else None
        expected = (form.status, form.code) if form else none
        for odd in (path + ";x=1", path + "%20", path + "%00", path + "%2F"):
            yield odd, one._replace(target=odd + mark + query).bytes(), expected


async def test_odd_paths(full: RunningNode) -> None:
    await expect(full, odd_paths())


HARMLESS: Final = (
    "X-HTTP-Method-Override: DELETE",
    "X-Original-URL: /v1/node",
    "X-Forwarded-For: 127.0.0.1",
    "Range: bytes=0-1",
    "If-None-Match: x",
    "If-Modified-Since: yesterday",
    "Authorization: Basic eDp4",
    "Cookie: a=b; c=;=;",
    "Origin: null",
    "Upgrade: h2c",
    "Accept-Encoding: ;q=x,,;",
    "Accept-Language: %s%n",
)


async def test_headers_that_change_nothing(full: RunningNode) -> None:
    wrong = {}
    for one in GOOD:
        for line in HARMLESS:
            answer = await send(full, one.bytes(line))
            if status_of(answer) != one.status:
                wrong[one.path, line] = answer[:200]
    assert wrong == {}


def smuggled() -> Cases:
    for one in GOOD:
        bare = one._replace(kind="", body=b"")
        lines = {
            "two lengths": ("Content-Length: 1", "Content-Length: 2"),
            "length and chunks": ("Content-Length: 5", "Transfer-Encoding: chunked"),
            "a coding that is none": ("Transfer-Encoding: xchunked",),
            "chunks twice": ("Transfer-Encoding: chunked, chunked",),
            "a length below zero": ("Content-Length: -1",),
            "a length with a sign": ("Content-Length: +1",),
            "a length in words": ("Content-Length: one",),
            "a space before the colon": ("X : 1",),
            "no colon": ("X",),
            "no name": (": x",),
            "a zero byte": ("X: a\0b",),
            "a control character": ("X: a\x7fb",),
            "a folded line": ("X: a", " b"),
            "a bare line end": ("X: a\rY: b",),
        }
        for name, more in lines.items():
            yield f"{one.path} {name}", bare.bytes(*more) + b"0\r\n\r\n", BAD
        yield (
            f"{one.path} a huge chunk",
            bare.bytes("Transfer-Encoding: chunked") + b"f" * 17 + b"\r\n",
            BAD,
        )
        request = bare.bytes()
        yield f"{one.path} HTTP/9.9", request.replace(b"HTTP/1.1", b"HTTP/9.9"), BAD
        yield f"{one.path} a tab", request.replace(b" HTTP", b"\tHTTP"), BAD


async def test_requests_that_two_readers_would_read_differently(full: RunningNode) -> None:
    await expect(full, smuggled())
