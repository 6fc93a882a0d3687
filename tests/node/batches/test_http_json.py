"""JSON from other operators: whatever they answer, it is a document or PeerUnreachable."""

import asyncio
import contextlib
from collections.abc import AsyncIterator

import aiohttp
import pytest
from aiohttp import web

from sayso_node.batches import http_json
from sayso_node.batches.http_json import DOCUMENT_BYTES, HttpJson
from sayso_node.errors import PeerUnreachable
from support.serving import served

LARGEST = b'"' + b"x" * (DOCUMENT_BYTES - 2) + b'"'
ANSWERS = {
    "no JSON": web.Response(text="these are words"),
    "nothing": web.Response(body=b""),
    "no UTF-8": web.Response(body=b'"\xff\xfe"'),
    "nested deeply": web.Response(text="[" * 200_000),
    "a number of too many digits": web.Response(text="9" * 10_000),
    "too much": web.Response(body=LARGEST + b" "),
    "not found": web.Response(status=404, text="{}"),
    "a fault": web.Response(status=500, text="{}"),
    "no content": web.Response(status=204),
    "elsewhere": web.Response(status=302, headers={"Location": "/good"}),
    "a lie about its encoding": web.Response(body=b"{}", headers={"Content-Encoding": "gzip"}),
}


async def _good(_request: web.Request) -> web.Response:
    return web.json_response({"a": [1]})


async def _largest(_request: web.Request) -> web.Response:
    return web.Response(body=LARGEST)


async def _silent(_request: web.Request) -> web.Response:
    await asyncio.Event().wait()
    raise AssertionError


async def _cut(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"[1,")
    assert request.transport
    request.transport.close()
    return response


async def _answer(request: web.Request) -> web.StreamResponse:
    return ANSWERS[request.match_info["name"]]


@pytest.fixture
async def url() -> AsyncIterator[str]:
    app = web.Application()
    for path, handler in {
        "/good": _good,
        "/largest": _largest,
        "/silent": _silent,
        "/cut": _cut,
        "/answer/{name}": _answer,
    }.items():
        app.router.add_get(path, handler)
    async with served(app, handler_cancellation=True) as address:
        yield f"http://{address}"


@pytest.fixture
async def fetcher() -> AsyncIterator[HttpJson]:
    fetcher = HttpJson()
    yield fetcher
    await fetcher.close()


async def test_documents_up_to_the_limit(fetcher: HttpJson, url: str) -> None:
    assert await fetcher.get(f"{url}/good") == {"a": [1]}
    assert len(await fetcher.get(f"{url}/largest")) == DOCUMENT_BYTES - 2


@pytest.mark.parametrize("name", ANSWERS)
async def test_what_is_no_document(fetcher: HttpJson, url: str, name: str) -> None:
    with pytest.raises(PeerUnreachable):
        await fetcher.get(f"{url}/answer/{name}")


async def test_an_operator_that_hangs_up_or_stays_silent(
    fetcher: HttpJson, url: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(http_json, "TIMEOUT_S", 0.2)
    for path in ("cut", "silent"):
        with pytest.raises(PeerUnreachable):
            await fetcher.get(f"{url}/{path}")
    assert await fetcher.get(f"{url}/good") == {"a": [1]}


@pytest.mark.parametrize(
    "address", ["http://127.0.0.1:1", "http://", "nonsense", "ftp://127.0.0.1/", "http://[::1/", ""]
)
async def test_an_operator_that_is_not_there(fetcher: HttpJson, address: str) -> None:
    with pytest.raises(PeerUnreachable):
        await fetcher.get(f"{address}/v1/batches/0x00")


async def test_closing_without_use_and_twice() -> None:
    fetcher = HttpJson()
    for _ in range(2):
        with contextlib.suppress(aiohttp.ClientError):
            await fetcher.close()
