"""Content negotiation: media type, compression, caching and CORS of answers.

Routes answer with values, and their operations declare the media types. The media type is chosen before
the route runs, so that no change is made whose result the client cannot read (RFC 9110, section 12.5).
"""

import asyncio
import gzip
from collections.abc import Mapping
from functools import lru_cache
from hashlib import sha256
from typing import Final

import msgspec
from aiohttp import ETag, web
from msgspec import Struct
from multidict import CIMultiDict

from sayso_node.api.http.bodies import TAKES
from sayso_node.api.http.queries import check_query
from sayso_node.api.http.responses import answer_to, refusal
from sayso_node.api.http.route import Handler, Result, RouteAnswer
from sayso_node.api.schema.operations import JSON, MEDIA_TYPES, MSGPACK, Operation
from sayso_node.errors import NotAcceptable

COMPRESS_BYTES: Final = 4_096  # smaller answers gain too little from compression
LONG_BYTES: Final = 65_536  # larger answers are compressed in a thread

# Nothing depends on a browser's user, so any page may send what everybody may send.
ORIGIN: Final = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Expose-Headers": "ETag, Allow, Content-Range, Accept-Ranges",
    "X-Content-Type-Options": "nosniff",
}
DRESS: Final = ORIGIN | {"Vary": "Accept, Accept-Encoding"}
Headers = Mapping[str, CIMultiDict[str]]  # by media type; a response copies this type fastest
KEPT: Final[Headers] = {
    JSON: CIMultiDict({"Content-Type": f"{JSON}; charset=utf-8", **DRESS}),
    MSGPACK: CIMultiDict({"Content-Type": MSGPACK, **DRESS}),
}
NOT_KEPT: Final[Headers] = {
    form: CIMultiDict({**headers, "Cache-Control": "no-store"}) for form, headers in KEPT.items()
}
PREFLIGHT: Final = {
    "Access-Control-Allow-Methods": "GET, HEAD, POST",
    "Access-Control-Allow-Headers": (
        "Accept, Content-Type, If-None-Match, If-Range, Last-Event-ID, Range"
    ),
    "Access-Control-Max-Age": "86400",
}


async def negotiated(
    request: web.BaseRequest, operation: Operation, handler: Handler
) -> web.StreamResponse:
    """Answer in a media type that the client accepts, or refuse before the route runs."""
    if request.method == "OPTIONS" and "Access-Control-Request-Method" in request.headers:
        return web.Response(status=204, headers=ORIGIN | PREFLIGHT)
    offers = operation.offers
    if operation.takes:  # only then, because reading the type costs as much as all the rest here
        request[TAKES] = operation.takes
        offers = operation.offers_to(request.content_type)
    accept = request.headers.get("Accept", "*/*")
    form = choose(accept, offers) if offers else JSON
    if not form:
        result: Result = refusal(NotAcceptable(f"this route answers as {' or '.join(offers)}"))
    else:
        try:
            check_query(operation, request.rel_url.raw_query_string)
            result = await handler(request)
        except Exception as error:  # noqa: BLE001 - answered, and logged if nobody expected it
            result = answer_to(error, operation)
    if isinstance(result, Struct):
        result = RouteAnswer(result)
    if isinstance(result, RouteAnswer):
        if form not in MEDIA_TYPES or result.status >= 400:
            form = choose(accept, MEDIA_TYPES) or JSON
        result = rendered(result, form, KEPT if operation.is_kept else NOT_KEPT)
        if not operation.is_kept and len(_bytes(result)) < COMPRESS_BYTES:
            return result  # there is nothing to add
    elif result.prepared or not isinstance(result, web.Response) or not offers:
        return result
    else:
        result.headers.update(DRESS)
    return await _dressed(request, operation, result)


def rendered(answer: RouteAnswer, form: str = JSON, headers: Headers = KEPT) -> web.Response:
    """Encode a value in a media type; all headers are set at once, because later ones cost more."""
    value, status, more = answer
    body = msgspec.msgpack.encode(value) if form == MSGPACK else written(value)
    return web.Response(
        body=body, status=status, headers={**headers[form], **more} if more else headers[form]
    )


def written(value: Struct) -> bytes:
    """Encode a value as JSON on one line, with spaces for readability."""
    return msgspec.json.format(msgspec.json.encode(value), indent=0)


async def _dressed(
    request: web.BaseRequest, operation: Operation, response: web.Response
) -> web.Response:
    """Add ETag and compression to an answer."""
    headers = response.headers
    if operation.is_kept and response.status == 200 and request.method in {"GET", "HEAD"}:
        headers["Cache-Control"] = "no-cache"  # keep it, but ask each time (RFC 9111, 5.2.2.4)
        # Weak: content may be compressed or not.
        response.etag = tag = ETag(sha256(_bytes(response)).hexdigest()[:32], is_weak=True)
        if _has(request, tag):
            kept = {"ETag": headers["ETag"], "Vary": headers["Vary"]}
            return web.Response(status=304, headers=ORIGIN | kept | {"Cache-Control": "no-cache"})
    if len(_bytes(response)) >= COMPRESS_BYTES:
        await _compress(request, response)
    return response


def _bytes(response: web.Response) -> bytes:
    body = response.body
    return body if isinstance(body, bytes) else b""


def _has(request: web.BaseRequest, tag: ETag) -> bool:
    known = request.if_none_match or ()
    return any(one.value in {tag.value, "*"} for one in known)


async def _compress(request: web.BaseRequest, response: web.Response) -> None:
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
    """Return the offer that `Accept` prefers, the first of equals; None if it accepts none."""
    ranges = _weights(accept or "*/*")

    def weight(offer: str) -> float:
        names = (offer, offer.split("/", maxsplit=1)[0] + "/*", "*/*")
        return next((ranges[name] for name in names if name in ranges), 0.0)

    best = max(offers, key=weight)
    return best if weight(best) > 0 else None


@lru_cache(256)
def takes_gzip(accept: str) -> bool:
    """Return whether the header `Accept-Encoding` allows gzip."""
    weights = _weights(accept)
    return weights.get("gzip", weights.get("*", 0.0)) > 0


def _weights(header: str) -> dict[str, float]:
    """Parse a header's list with weights (RFC 9110, section 12.4.2); an invalid weight counts as 0."""
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
