"""The streams of revocations of nodes, followed for ever.

A broken connection is opened again after the last event. If the node no longer has the later events
(`resync`), or there is no last event, the stream yields a Gap, after which the caller checks everything.
A node that may not speak sends `silence`. Then it counts as lost, and its events are heard as before.
"""

import asyncio
from collections.abc import AsyncIterator, Callable
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from sayso.errors import BadAnswer
from sayso.node_client.transport import CONNECT_S, OK
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text

AGAIN_S: Final = 1.0  # before a broken connection is opened again
SILENCE_S: Final = 60.0  # a node sends a line at least every fifteen seconds
EVENT_LINE_BYTES: Final = 65_536
REFUSAL_BYTES: Final = 65_536
FIELDS: Final = frozenset({"id", "event", "data"})
RESYNC: Final = "resync"
BUSY: Final = frozenset({429, 502, 503, 504})  # from the node, or from a proxy


@dataclass(frozen=True)
class Event:
    """Event is a revocation in a stream; `id` is the position after it."""

    id: str
    contributor: bytes
    word: int
    mask: int


@dataclass(frozen=True)
class Silence:
    """Silence states that the node may not speak, so revocations may be missing."""


@dataclass(frozen=True)
class Gap:
    """Gap states that the stream may lack events before `id`."""

    id: str


Lost = Callable[[str], object]  # called with the URL of a node that cannot be reached


async def follow(
    url: str, after: str | None = None, lost: Lost = lambda _url: None
) -> AsyncIterator[Event | Gap]:
    """Yield the events of a node for ever, across broken connections.

    Args:
        url: The URL of the node.
        after: The id of the last event; None starts now, with a Gap.
        lost: Called when a connection broke or failed, after which the stream connects again, and each
            time the node states that it may not speak.

    Raises:
        BadAnswer: The node sends an invalid event, or refuses the stream.
    """
    place, timeout = after, aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=EVENT_LINE_BYTES) as session:
        while True:
            headers = {"Last-Event-ID": place} if place else {}
            try:
                async with session.get(f"{url}/v1/events", headers=headers) as answer:
                    if answer.status != OK:
                        await _check_resync(answer, place)
                        place = None  # the node lacks the later events: start with a Gap
                        continue
                    async for found in _events(answer.content):
                        if isinstance(found, Event):
                            place = found.id
                            yield found
                        elif isinstance(found, Silence):
                            lost(url)
                        elif place is None:
                            place = found
                            yield Gap(found)
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass  # connect again after the last event
            lost(url)
            await asyncio.sleep(AGAIN_S)


async def _check_resync(answer: aiohttp.ClientResponse, place: str | None) -> None:
    """Raise BadAnswer unless the node answers that it cannot continue after `place`.

    Raises TimeoutError, as without an answer, if the node is busy.
    """
    if answer.status in BUSY:
        raise TimeoutError(f"the node answered {answer.status}")
    try:
        code = parse_json(await answer.content.read(REFUSAL_BYTES))["error"]["code"]
    except (SaysoError, KeyError, TypeError):
        code = None
    if code != RESYNC or place is None:
        raise BadAnswer(f"the node answered {answer.status} to a listener")


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[Event | Silence | str]:
    """Parse the events of one connection (WHATWG HTML, 9.2.6); a comment holds the start position."""
    fields: dict[str, str] = {}
    async for raw in stream:
        line = raw.decode("utf-8", "replace").rstrip("\r\n")
        name, _, value = line.partition(":")
        value = value.removeprefix(" ")
        if line and not name and value:
            yield value
        elif line:
            if name in FIELDS:  # a node may not fill the memory with others
                fields[name] = value
        elif fields:
            if fields.get("event") == "silence":
                yield Silence()
            elif fields.get("event") == "revocation":
                yield _event(fields)
            else:
                raise TimeoutError("the node ended the stream")  # like a closed connection
            fields = {}


def _event(fields: dict[str, str]) -> Event:
    try:
        data: dict[str, Any] = parse_json(fields["data"].encode(errors="replace"))
        return Event(
            fields["id"], address_from_text(data["contributor"]), int(data["word"]), int(data["mask"])
        )
    except (KeyError, ValueError, TypeError, SaysoError) as error:
        raise BadAnswer(f"the node sent an invalid event: {error}") from error
