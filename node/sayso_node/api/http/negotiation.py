"""What a client wants of an answer beyond its content: its form, its size, its age, its origin.

Routes answer in JSON. Who asks for msgpack gets the same values in msgpack; it is settled before the
route runs, so that nothing is done whose outcome could not be told (RFC 9110, section 12.5).
"""

import asyncio
import gzip
import json
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgpack
from aiohttp import ETag, web

from sayso_node.api.http.bodies import JSON, MSGPACK
from sayso_node.api.http.responses import Handler, refusal
from sayso_node.errors import NotAcceptable

FORMS: Final = (JSON, MSGPACK)
EVENTS: Final = "text/event-stream"
OCTETS: Final = "application/octet-stream"
FILES: Final = "/v1/snapshots/"
ASSETS: Final = "/assets/"
SPECIAL: Final = {"/metrics": ("text/plain",), "/v1/events": (EVENTS,)}
COMPRESS_BYTES: Final = 4_096  # below, packing costs more than it saves
LONG_BYTES: Final = 65_536  # from here on beside the loop

# Nothing rests on who the browser's user is: every page may ask what everybody may ask.
ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Allow, Content-Range, Accept-Ranges",
    "X-Content-Type-Options": "nosniff",
}
DRESS: Final = ORIGIN | {"Vary": "Accept, Accept-Encoding"}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, If-None-Match, If-Range, Last-Event-ID, Range"
    ),
    "Access-Control-Max-Age": "86400",
}


@web.middleware
async def negotiated(request: web.Request, handler: Handler) -> web.StreamResponse:
    """Answer in a form that the client takes, or refuse before anything is done."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return web.Response(status=204, headers=ORIGIN | PREFLIGHT)
    path = request.rel_url.path_safe
    if path == "/" or path.startswith(ASSETS):
        return await handler(request)  # the page, which is for browsers and dressed by itself
    accept, offers = request.headers.get("Accept", "*/*"), _offers(request)
    form = choose(accept, offers)
    if form:
        response = await handler(request)
    else:
        response = refusal(NotAcceptable(f"this is answered as {' or '.join(offers)}"))
    if form is JSON and "Vary" in response.headers:
        return response  # its route has dressed it
    if response.prepared or not isinstance(response, web.Response):
        return response
    if offers is not FORMS:
        form = choose(accept, FORMS) or JSON
    return await _dressed(request, response, form or JSON)


def _offers(request: web.Request) -> tuple[str, ...]:
    path = request.rel_url.path_safe
    if path == "/v1/check" and request.content_type == MSGPACK:
        return (MSGPACK,)  # a check is answered in the form in which it was asked
    if path.startswith(FILES):
        return (OCTETS,)
    return SPECIAL.get(path, FORMS)


async def _dressed(request: web.Request, response: web.Response, form: str) -> web.Response:
    """The answer as it goes out: form, ETag, compression, headers."""
    if form == MSGPACK and response.content_type == JSON:
        body = _bytes(response)
        pack = _packed if len(body) < LONG_BYTES else _packed_beside
        response.body = await pack(body)
        response.content_type, response.charset = MSGPACK, None
    headers = response.headers
    headers.update(DRESS)
    is_kept = response.status == 200 and request.method in {"GET", "HEAD"}
    if is_kept and "Cache-Control" not in headers:
        headers["Cache-Control"] = "no-cache"  # keep it, and ask each time (RFC 9111, 5.2.2.4)
        # Weak: the same content may be compressed or not.
        response.etag = tag = ETag(sha256(_bytes(response)).hexdigest()[:32], is_weak=True)
        if _has(request, tag):
            kept = {"ETag": headers["ETag"], "Vary": headers["Vary"]}
            return web.Response(status=304, headers=ORIGIN | kept | {"Cache-Control": "no-cache"})
    if len(_bytes(response)) >= COMPRESS_BYTES:
        await _compress(request, response)
    return response


def _bytes(response: web.Response) -> bytes:
    body = response.body
    return bytes(body) if isinstance(body, bytes | bytearray) else b""


async def _packed(body: bytes) -> bytes:
    packed: bytes = msgpack.packb(json.loads(body))
    return packed


async def _packed_beside(body: bytes) -> bytes:
    return await asyncio.to_thread(lambda: msgpack.packb(json.loads(body)))


def _has(request: web.Request, tag: ETag) -> bool:
    known = request.if_none_match or ()
    return any(one.value in {tag.value, "*"} for one in known)


async def _compress(request: web.Request, response: web.Response) -> None:
    if not takes_gzip(request.headers.get("Accept-Encoding", "")):
        return
    body = _bytes(response)
    if len(body) < LONG_BYTES:
        response.body = gzip.compress(body, 6, mtime=0)
    else:
        response.body = await asyncio.to_thread(gzip.compress, body, 6, mtime=0)
    response.headers["Content-Encoding"] = "gzip"


@lru_cache(256)
def choose(accept: str, offers: tuple[str, ...]) -> str | None:
    """The offer that the header `Accept` likes best, the first of equals; None if it takes none."""
    ranges = _weights(accept or "*/*")

    def weight(offer: str) -> float:
        names = (offer, offer.split("/", maxsplit=1)[0] + "/*", "*/*")
        return next((ranges[name] for name in names if name in ranges), 0.0)

    best = max(offers, key=weight)
    return best if weight(best) > 0 else None


@lru_cache(256)
def takes_gzip(accept: str) -> bool:
    """Whether the header `Accept-Encoding` allows gzip."""
    weights = _weights(accept)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weights(header: str) -> dict[str, float]:
    """What a header lists, with weights (RFC 9110, section 12.4.2); what is no weight counts 0."""
    found: dict[str, float] = {}
    for part in header.split(","):
        name, *parameters = (one.strip().lower() for one in part.split(";"))
        if name:
            weights = (one[2:] for one in parameters if one.startswith("q="))
            found[name] = max(found.get(name, 0.0), _weight(next(weights, "1")))
    return found


def _weight(text: str) -> float:
    try:
        weight = float(text)
    except ValueError:
        return 0.0
    return weight if 0 < weight <= 1 else 0.0
