"""The page as a node serves it: its headers, its compression, and files that never change."""

import re
from typing import Any

import aiohttp

from support.running_node import RunningNode


async def head(node: RunningNode, path: str, **headers: str) -> tuple[int, Any, bytes]:
    asked = {"Accept-Encoding": "identity", **headers}
    async with (
        aiohttp.ClientSession(auto_decompress=False) as http,
        http.get(node.url + path, headers=asked) as answer,
    ):
        return answer.status, answer.headers, await answer.read()


async def test_the_page_is_strict(node: RunningNode) -> None:
    status, headers, body = await head(node, "/", Accept="text/html")
    assert (status, headers["Content-Type"]) == (200, "text/html; charset=utf-8")
    policy = dict(rule.split(" ", 1) for rule in headers["Content-Security-Policy"].split("; "))
    assert policy["default-src"] == policy["frame-ancestors"] == "'none'"
    assert policy["script-src"] == policy["style-src"] == "'self'"
    assert headers["Cache-Control"] == "no-cache"
    assert headers["Referrer-Policy"] == "no-referrer"
    assert "Access-Control-Allow-Origin" not in headers
    assert b'<div id="page">' in body


async def test_the_page_is_asked_for_again_and_answered_in_a_word(node: RunningNode) -> None:
    _, headers, _ = await head(node, "/")
    status, again, body = await head(node, "/", **{"If-None-Match": headers["ETag"]})
    assert (status, body, again["ETag"]) == (304, b"", headers["ETag"])


async def test_assets_are_compressed_and_never_change(node: RunningNode) -> None:
    _, _, page = await head(node, "/")
    names = re.findall(r"/assets/[\w.-]+", page.decode())
    assert len(names) == 4
    for name in names:
        status, headers, packed = await head(node, name, **{"Accept-Encoding": "gzip, br"})
        _, plain_headers, plain = await head(node, name)
        assert (status, headers["Content-Encoding"]) == (200, "gzip")
        assert headers["Cache-Control"] == "public, max-age=31536000, immutable"
        assert "Content-Encoding" not in plain_headers
        assert len(packed) < len(plain)


async def test_the_service_worker_is_at_the_root_and_asked_for_again(node: RunningNode) -> None:
    status, headers, worker = await head(node, "/sw.js")
    assert (status, headers["Content-Type"]) == (200, "text/javascript; charset=utf-8")
    assert headers["Cache-Control"] == "no-cache"
    _, _, page = await head(node, "/")
    kept = set(re.findall(rb"/assets/[\w.-]+", worker))
    assert set(re.findall(rb"/assets/[\w.-]+", page)) <= kept
    for name in kept:
        status, headers, _ = await head(node, name.decode())
        assert status == 200
        if name.endswith(b".webmanifest"):
            assert headers["Content-Type"].startswith("application/manifest+json")
    status, body = await node.get("/assets/sw.js")
    assert (status, body["error"]["code"]) == (404, "not-found")


async def test_there_is_nothing_else(node: RunningNode) -> None:
    for path in ("/assets/index.html", "/assets/..%2Fpage.py", "/assets/main.js", "/index.html"):
        status, body = await node.get(path)
        assert (status, body["error"]["code"]) == (404, "not-found")
