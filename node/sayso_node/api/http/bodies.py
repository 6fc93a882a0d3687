"""Reads request bodies, with checks of media type, size and time.

A body whose header is already wrong is refused before it is read. The limit of a compressed body counts
its uncompressed bytes. All bodies that are read or parsed share one memory limit.
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

HELD_BYTES = 536_870_912  # of all bodies together
BODY_STALL_S = 20.0  # without a byte
BODY_S = 300.0  # from the first byte to the last
ENCODINGS = frozenset({"identity", "gzip", "deflate"})  # encodings that can be decoded within a limit
T = TypeVar("T")


class BodyRoom:
    """The memory held by all request bodies, and the connections that send one, longest first."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.senders: dict[web.RequestHandler, None] = {}

    def take(self, size: int) -> None:
        """Reserve memory; raises NodeBusy if too little is left."""
        if self.left < size:
            raise NodeBusy("other requests use all the memory for request bodies; try again soon")
        self.left -= size


ROOM: web.AppKey[BodyRoom] = web.AppKey("room", BodyRoom)


async def read_value(request: web.Request, kind: type[T]) -> T:
    """Read a JSON body as a value; raises BadRequest and what read_body raises."""
    async with read_body(request) as body:
        # In a thread, because a million rows take seconds.
        return await asyncio.to_thread(value_of, bytes(body), kind)


def value_of(body: bytes, kind: type[T]) -> T:
    """Decode JSON as a value; raises BadRequest, which names the wrong field."""
    try:
        return msgspec.convert(parse_json(body), kind)
    except Malformed as error:
        raise BadRequest("the body is not JSON") from error
    except msgspec.ValidationError as error:
        raise BadRequest(f"the body does not have the form of this route: {error}") from error


@asynccontextmanager
async def read_body(request: web.Request) -> AsyncIterator[bytearray]:
    """Read the whole body and hold its memory for the block; its type and size must fit the operation.

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
            f"no byte arrived for {BODY_STALL_S:.0f} s, or the body took longer than {BODY_S:.0f} s"
        ) from error
    else:
        room.senders.pop(request.protocol)
        yield body
    finally:
        room.senders.pop(request.protocol, None)
        room.left += taken


def _check_head(request: web.Request) -> int:
    """Return the body's limit in bytes if its headers are valid."""
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
