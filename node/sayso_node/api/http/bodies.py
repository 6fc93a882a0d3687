"""The bodies of requests: of a type that was asked for, of bounded size, and in time.

What a header already shows to be wrong is refused before a byte of the body is read. A compressed body
is bounded by what it unpacks to. All bodies that are being read or parsed share a bounded memory.
"""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from aiohttp import web

from sayso_node.errors import BadRequest, NodeBusy, TooSlow, UnsupportedMediaType
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed, TooLarge

JSON, MSGPACK = "application/json", "application/msgpack"
JSON_BYTES = 1_048_576  # of a request that is no check
CHECK_BYTES = 256 * 1_048_576  # a million rows of JSON
HELD_BYTES = 2 * CHECK_BYTES  # of all bodies at once
STALL_S = 20.0  # without a byte
BODY_S = 300.0  # from the first byte to the last
ENCODINGS = frozenset({"identity", "gzip", "deflate"})  # those that are unpacked within bounds


class Room:
    """How much of all bodies together is held, and which connections send one, the longest first."""

    def __init__(self, size: int) -> None:
        self.left = size
        self.senders: dict[web.RequestHandler, None] = {}

    def take(self, size: int) -> None:
        """Hold so much more; raises NodeBusy when there is no room for it."""
        if self.left < size:
            raise NodeBusy("other requests fill the memory that there is for them; try again soon")
        self.left -= size


ROOM: web.AppKey[Room] = web.AppKey("room", Room)


async def read_json(request: web.Request, limit: int = CHECK_BYTES) -> Any:
    """The JSON in a request's body; raises BadRequest, TooLarge and what read_body raises."""
    async with read_body(request, JSON, limit) as body:
        try:
            # Beside the loop: a million rows take seconds.
            return await asyncio.to_thread(parse_json, bytes(body))
        except Malformed as error:
            raise BadRequest("the body is not JSON") from error


@asynccontextmanager
async def read_body(request: web.Request, kind: str, limit: int) -> AsyncIterator[bytearray]:
    """The whole body, for as long as the block lasts.

    Raises UnsupportedMediaType, TooLarge, TooSlow, NodeBusy.
    """
    _check_head(request, kind, limit)
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
        raise TooSlow(f"nothing came for {STALL_S:.0f} s, or not all within {BODY_S:.0f} s") from error
    else:
        room.senders.pop(request.protocol)
        yield body
    finally:
        room.senders.pop(request.protocol, None)
        room.left += taken


def _check_head(request: web.Request, kind: str, limit: int) -> None:
    if request.content_type != kind:
        raise UnsupportedMediaType(f"the body must be {kind}")
    if request.headers.get("Content-Encoding", "identity").lower() not in ENCODINGS:
        raise UnsupportedMediaType(f"a body may be encoded as {', '.join(sorted(ENCODINGS))}")
    if (request.content_length or 0) > limit:
        raise TooLarge(f"the body may have {limit:,} bytes at most")


async def _part(request: web.Request) -> bytes:
    async with asyncio.timeout(STALL_S):
        part: bytes = await request.content.readany()
    return part
