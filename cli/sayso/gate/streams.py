"""The streams of revocations of nodes, each followed for ever and from where it was.

A connection that breaks is made again from the last event. Where the node no longer has what came since
(`resync`), or nobody says where to begin, that is told: a Gap, behind which everything has to be asked.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from sayso.errors import BadAnswer
from sayso.node_client.transport import CONNECT_S, OK
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text

AGAIN_S: Final = 1.0  # before a connection that broke is made again
SILENCE_S: Final = 60.0  # a node says something every fifteen seconds, or it has gone
EVENT_LINE_BYTES: Final = 1 << 20
RESYNC: Final = "resync"
BUSY: Final = frozenset({429, 502, 503, 504})  # of the node, or of what stands before it


@dataclass(frozen=True)
class Event:
    """A revocation as a stream tells it; `id` is where to go on after it."""

    id: str
    contributor: bytes
    word: int
    mask: int


@dataclass(frozen=True)
class Gap:
    """What came before `id` may not have been told."""

    id: str


Lost = Callable[[str], object]  # told the URL of a node that could not be heard just now


async def follow(
    url: str, after: str | None = None, lost: Lost = lambda _url: None
) -> AsyncIterator[Event | Gap]:
    """Events for ever, through broken connections.

    Args:
        url: Of a node.
        after: The id of an event; None: from now on, and the first thing said is a Gap.
        lost: Told when a connection broke or could not be made; it is made again.

    Raises:
        BadAnswer: The node says something that is no event, or refuses to go on.
    """
    place, timeout = after, aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=EVENT_LINE_BYTES) as session:
        while True:
            headers = {"Last-Event-ID": place} if place else {}
            try:
                async with session.get(f"{url}/v1/events", headers=headers) as answer:
                    if answer.status != OK:
                        await _check_resync(answer, place)
                        place = None  # the node has not what came after it: begin again
                        continue
                    async for found in _events(answer.content):
                        if isinstance(found, Event):
                            place = found.id
                            yield found
                        elif place is None:
                            place = found
                            yield Gap(found)
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass  # it is asked again, from where it was
            lost(url)
            await asyncio.sleep(AGAIN_S)


async def _check_resync(answer: aiohttp.ClientResponse, place: str | None) -> None:
    """Raise BadAnswer unless the node says that it cannot go on from a place that it was told.

    Raises TimeoutError, as if it had not answered, if it only has no time for us.
    """
    if answer.status in BUSY:
        raise TimeoutError(f"the node answered {answer.status}")
    try:
        code = parse_json(await answer.read())["error"]["code"]
    except (SaysoError, KeyError, TypeError):
        code = None
    if code != RESYNC or place is None:
        raise BadAnswer(f"the node answered {answer.status} to a listener")


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[Event | str]:
    """Events of one connection (WHATWG HTML, 9.2.6); a comment with an id says where it begins."""
    fields: dict[str, str] = {}
    async for raw in stream:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and not name and value:
            yield value
        elif line:
            fields[name] = value
        elif fields:
            if fields.get("event") != "revocation":
                raise TimeoutError("the node ended the stream")  # as if it had hung up
            yield _event(fields)
            fields = {}


def _event(fields: dict[str, str]) -> Event:
    try:
        data: dict[str, Any] = json.loads(fields["data"])
        return Event(
            fields["id"], address_from_text(data["contributor"]), int(data["word"]), int(data["mask"])
        )
    except (KeyError, ValueError, TypeError, SaysoError) as error:
        raise BadAnswer(f"the node sent an event that is none: {error}") from error
