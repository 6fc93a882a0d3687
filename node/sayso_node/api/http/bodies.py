"""Reads request bodies, with checks of media type, size and time.

A body whose header is already wrong is refused before it is read. The limit of a compressed body counts
its uncompressed bytes. A small body never waits for others: its memory is free, bounded by the number of
connections, and it is decoded at once. What is larger shares one memory limit, of which a source has a
part, and takes turns to be decoded. A body must arrive at a least rate.
"""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from typing import Final, TypeVar

import msgspec
from aiohttp import HttpVersion11, web

from sayso_node.api.http.inflating import Inflater
from sayso_node.api.http.shares import Turns, source_of
from sayso_node.api.schema.operations import Body
from sayso_node.errors import BadRequest, NodeBusy, TooSlow, UnsupportedMediaType
from sayso_protocol.errors import TooLarge

SMALL_BYTES = 65_536  # of each body, which are always free; every revocation is smaller
HELD_BYTES = 536_870_912  # of all bodies together, without those
SOURCE_BYTES = HELD_BYTES // 2  # of one source; the largest body that a route takes
BODY_RATE = 4_096  # bytes per second, on average after BODY_GRACE_S
BODY_GRACE_S = 10.0
BODY_STALL_S = 20.0  # without a byte
BODY_S = 300.0  # from the first byte to the last
ENCODINGS = frozenset({"identity", "gzip", "deflate"})  # encodings that can be decoded within a limit
TAKES: Final = web.RequestKey("takes", Mapping[str, Body])  # by media type, where a route has a body
T = TypeVar("T")


class BodyRoom:
    """The memory held by all request bodies, and the connections that send one, longest first.

    Args:
        size: Bytes of all sources together.
        share: Bytes of one source.
    """

    def __init__(self, size: int, share: int) -> None:
        self.left = size
        self.senders: dict[web.RequestHandler, None] = {}
        self.decoding = Turns(2, waiting=64, share=4, what="large bodies")
        self._share = share
        self._held = Counter[str]()

    def take(self, source: str, size: int) -> None:
        """Reserve memory; raises NodeBusy if too little is left."""
        if self._held[source] + size > self._share:
            raise NodeBusy("requests from your address use their share of the memory; send one by one")
        if self.left < size:
            raise NodeBusy("other requests use all the memory for request bodies; try again soon")
        self.left -= size
        self._held[source] += size

    def give_back(self, source: str, size: int) -> None:
        """Free reserved memory."""
        self.left += size
        self._held[source] -= size
        if not self._held[source]:
            del self._held[source]


ROOM: Final = web.RequestKey("room", BodyRoom)


async def read_value(request: web.BaseRequest, kind: type[T]) -> T:
    """Read a JSON body as a value; raises BadRequest and what read_body raises."""
    async with read_body(request) as body:
        if len(body) <= SMALL_BYTES:  # takes less than a turn in a thread
            return value_of(body, kind)
        async with request[ROOM].decoding.turn(source_of(request)):
            return await asyncio.to_thread(value_of, body, kind)


def value_of(body: bytes | bytearray, kind: type[T]) -> T:
    """Decode JSON as a value, up to the first byte that does not fit; raises BadRequest."""
    try:
        return msgspec.json.decode(body, type=kind)
    except msgspec.ValidationError as error:
        raise BadRequest(f"the body does not have the form of this route: {error}") from error
    except (msgspec.DecodeError, RecursionError) as error:
        raise BadRequest(f"the body is not JSON: {error}") from error


@asynccontextmanager
async def read_body(request: web.BaseRequest) -> AsyncIterator[bytearray]:
    """Read the whole body and hold its memory for the block; its type and size must fit the operation.

    Raises BadRequest, UnsupportedMediaType, TooLarge, TooSlow, NodeBusy.
    """
    limit = _check_head(request)
    await _ask_for(request)
    inflater = Inflater(_encoding(request))
    room, source, body = request[ROOM], source_of(request), bytearray()
    room.senders[request.protocol] = None
    taken, received, began = 0, 0, asyncio.get_running_loop().time()
    try:
        while part := await _part(request, began, received):
            for piece in inflater.feed(part):
                received += len(piece)
                if received > limit:
                    raise TooLarge(f"the body may have {limit:,} bytes at most")
                if (more := received - SMALL_BYTES - taken) > 0:
                    room.take(source, more)
                    taken += more
                body += piece
                await asyncio.sleep(0)  # others have their turn between two pieces
        inflater.finish()
        room.senders.pop(request.protocol)
        yield body
    finally:
        room.senders.pop(request.protocol, None)
        room.give_back(source, taken)


def _check_head(request: web.BaseRequest) -> int:
    """Return the body's limit in bytes if its headers are valid."""
    takes = request[TAKES]
    if (body := takes.get(request.content_type)) is None:
        raise UnsupportedMediaType(f"the body must be {' or '.join(takes)}")
    if _encoding(request) not in ENCODINGS:
        raise UnsupportedMediaType(f"a body may be encoded as {', '.join(sorted(ENCODINGS))}")
    if (request.content_length or 0) > body.limit:
        raise TooLarge(f"the body may have {body.limit:,} bytes at most")
    return body.limit


async def _ask_for(request: web.BaseRequest) -> None:
    """Ask a client for the body that waits to hear whether it may send it (RFC 9110, 10.1.1)."""
    expected = request.headers.get("Expect", "").lower()
    if expected not in {"", "100-continue"}:
        raise BadRequest("a client can expect 100-continue only")
    if expected and request.version >= HttpVersion11:
        await request.writer.write(b"HTTP/1.1 100 Continue\r\n\r\n")
        request.writer.output_size = 0  # the answer has not begun


def _encoding(request: web.BaseRequest) -> str:
    return request.headers.get("Content-Encoding", "identity").lower()


async def _part(request: web.BaseRequest, began: float, received: int) -> bytes:
    """Return the next bytes, none at the end; raises TooSlow when they come too late."""
    now = asyncio.get_running_loop().time()
    least = began + min(BODY_S, BODY_GRACE_S + received / BODY_RATE)
    try:
        async with asyncio.timeout_at(min(now + BODY_STALL_S, least)):
            part: bytes = await request.content.readany()
    except TimeoutError as error:
        raise TooSlow(
            f"a body must arrive within {BODY_S:.0f} s, after {BODY_GRACE_S:.0f} s at {BODY_RATE:,}"
            f" bytes per second on average, and never pause for {BODY_STALL_S:.0f} s"
        ) from error
    return part
