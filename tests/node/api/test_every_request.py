"""Every route, asked in a way that HTTP itself, or our limits, forbid: a stable code, nothing kept."""

import asyncio
import gzip
from typing import Final

import pytest

from node.api.routes import (
    GOOD,
    JSON,
    MSGPACK,
    PATHS,
    Asked,
    outcome,
    send,
    status_of,
)
from node.api.wrong_requests import BAD, TAKING, Cases, expect, form_of
from sayso_node.api.http import bodies, connections
from sayso_node.api.routes.document import operations as all_operations
from sayso_node.api.routes.messages import BODY_BYTES
from sayso_node.api.schema.operations import MEDIA_TYPES
from support.running_node import RunningNode

DECLARED: Final = {one.path: one for one in all_operations()}


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
            other = "image/png" if DECLARED[one.path].offers is MEDIA_TYPES else JSON
            yield f"{one.path} for {other}", one.bytes(f"Accept: {other}"), (406, "not-acceptable")


async def test_other_content_types(full: RunningNode) -> None:
    await expect(full, wrong_kinds())


def too_large() -> Cases:
    large = 413, "too-large"
    for one in TAKING:
        limit = DECLARED[one.path].takes[one.kind].limit
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


SLOW = 8  # at once: fewer than a source may send


async def test_too_slow(unwatched: RunningNode, monkeypatch: pytest.MonkeyPatch) -> None:
    """A body that stalls is told so; a head that stalls is hung up on."""
    monkeypatch.setattr(bodies, "BODY_STALL_S", 0.4)
    monkeypatch.setattr(connections, "HEAD_S", 0.4)

    async def stall(one: Asked) -> None:
        assert await send(unwatched, one.bytes()[:20]) == b"", one
        if one.kind:
            stalled = one._replace(body=one.body + b" ").bytes()[:-1]
            assert outcome(await send(unwatched, stalled)) == (408, "too-slow"), one

    for at in range(0, len(GOOD), SLOW):
        await asyncio.gather(*map(stall, GOOD[at : at + SLOW]))


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
