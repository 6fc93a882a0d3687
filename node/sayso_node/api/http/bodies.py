"""The bodies of requests: of a type that was asked for, of bounded size, and in time.

What a header already shows to be wrong is refused before a byte of the body is read. A compressed body
is bounded by what it unpacks to. All bodies that are being read or parsed share a bounded memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import msgspec
from aiohttp import web

from sayso_node.api.http.route import operation_of
from sayso_node.errors import BadRequest, NodeBusy, TooSlow, UnsupportedMediaType
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed, TooLarge

HELD_BYTES = 536_870_912  # of all bodies at once
BODY_STALL_S = 20.0  # without a byte
BODY_S = 300.0  # from the first byte to the last
ENCODINGS = frozenset({"identity", "gzip", "deflate"})  # those that are unpacked within bounds
T = TypeVar("T")


class BodyRoom:
    """How much of all bodies together is held, and which connections send one, the longest first."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.senders: dict[web.RequestHandler, None] = {}

    def take(self, size: int) -> None:
        """Hold so much more; raises NodeBusy when there is no room for it."""
        if self.left < size:
            raise NodeBusy("other requests fill the memory that there is for them; try again soon")
        self.left -= size


ROOM: web.AppKey[BodyRoom] = web.AppKey("room", BodyRoom)


async def read_value(request: web.Request, kind: type[T]) -> T:
    """The value in a body of JSON; raises BadRequest and what read_body raises."""
    async with read_body(request) as body:
        # Beside the loop: a million rows take seconds.
        return await asyncio.to_thread(value_of, bytes(body), kind)


def value_of(body: bytes, kind: type[T]) -> T:
    """The value in JSON; raises BadRequest, which names the field."""
    try:
        return msgspec.convert(parse_json(body), kind)
    except Malformed as error:
        raise BadRequest("the body is not JSON") from error
    except msgspec.ValidationError as error:
        raise BadRequest(f"the body is not what this route takes: {error}") from error


@asynccontextmanager
async def read_body(request: web.Request) -> AsyncIterator[bytearray]:
    """The whole body, of a type and size that the operation takes, for as long as the block lasts.

    Raises UnsupportedMediaType, TooLarge, TooSlow, NodeBusy.
    """
    limit = _check_head(request)
    room, taken, body = request.app[ROOM], 0, bytearray()
    room.senders[request.protocol] = None
    try:
        async with asyncio.timeout(BODY_S):
            while part := await _part(request):
                room.take(len(part))
                taken += len(part)
                if taken > limit:
                    raise TooLarge(f"the body may have {limit:,} bytes at most")
                body += part
    except TimeoutError as error:
        raise TooSlow(
            f"nothing came for {BODY_STALL_S:.0f} s, or not all within {BODY_S:.0f} s"
        ) from error
    else:
        room.senders.pop(request.protocol)
        yield body
    finally:
        room.senders.pop(request.protocol, None)
        room.left += taken


def _check_head(request: web.Request) -> int:
    """The limit of the body in bytes, if its head is right."""
    takes = operation_of(request).takes
    if (body := takes.get(request.content_type)) is None:
        raise UnsupportedMediaType(f"the body must be {' or '.join(takes)}")
    if request.headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
        raise UnsupportedMediaType(f"a body may be encoded as {', '.join(sorted(ENCODINGS))}")
    if (request.content_length or 0) > body.limit:
        raise TooLarge(f"the body may have {body.limit:,} bytes at most")
    return body.limit


async def _part(request: web.Request) -> bytes:
    async with asyncio.timeout(BODY_STALL_S):
        part: bytes = await request.content.readany()
    return part
