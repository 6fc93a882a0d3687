"""The stream of a node's events, followed for ever and without gaps.

    async for one in follow(url, after=place, of={"grantee": [shop]}):
        ...  # an Event, or a Gap: look at everything again, then go on from its id

Each event is yielded at least once, in order; whoever keeps `id` after an event's work goes on there.
Nobody signs events: they say when to look, and a check or a statement's envelope is the evidence.
A broken connection is opened again after the last event. If the node no longer has the later events
(`resync`), or there is no last event, the stream yields a Gap, after which the caller checks everything.
A node that may not speak sends `silence`. Then it counts as lost, and its events are heard as before.
"""

import asyncio
from collections.abc import AsyncIterator, Callable, Iterable, Mapping
from dataclasses import dataclass, field
from typing import Any, Final

import aiohttp

from sayso.errors import BadAnswer
from sayso.node_client.transport import CONNECT_S, OK, read_body
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text

AGAIN_S: Final = 1.0  # before a broken connection is opened again
SILENCE_S: Final = 60.0  # a node sends a line at least every fifteen seconds
EVENT_LINE_BYTES: Final = 65_536
REFUSAL_BYTES: Final = 65_536
FIELDS: Final = frozenset({"id", "event", "data"})
RESYNC: Final = "resync"
LISTENED: Final = 16  # addresses that a listener names, in all roles together
FIRST: Final = "0"  # as a place: from the first event on
REVOCATION: Final = "revocation"
DISPUTE: Final = "dispute"
STATED: Final = ("sublicense", "use", "removal", DISPUTE, "withdrawal", "lift")
ROLES: Final = ("contributor", "grantee", "licensor", "holder")
BUSY: Final = frozenset({429, 502, 503, 504})  # from the node, or from a proxy


@dataclass(frozen=True)
class Event:
    """Event is one thing that a node heard: a revocation, or a statement made or withdrawn.

    Attributes:
        id: The position after it.
        name: `revocation`, or one of STATED.
        signer: Whose bits they are, or who signed or withdrew the statement, 20 bytes.
        digest: Digest of the revocation or statement, 32 bytes; None for bits that the chain alone has.
        word: The number of the word; 0 for a statement.
        mask: The bits that became revoked; 0 for a statement.
        data: All that the node sent, as JSON (docs/reference/api.md).
    """

    id: str
    name: str
    signer: bytes
    digest: bytes | None
    word: int = 0
    mask: int = 0
    data: Mapping[str, Any] = field(default_factory=dict)


@dataclass(frozen=True)
class Reached:
    """Reached states that everything up to `id` was yielded, as far as it was asked for."""

    id: str


@dataclass(frozen=True)
class Silence:
    """Silence states that the node may not speak, so revocations may be missing."""


@dataclass(frozen=True)
class Gap:
    """Gap states that the stream may lack events before `id`."""

    id: str


Lost = Callable[[str], object]  # called with the URL of a node that cannot be reached


async def follow(
    url: str,
    after: str | None = None,
    lost: Lost = lambda _url: None,
    of: Mapping[str, Iterable[bytes]] | None = None,
) -> AsyncIterator[Event | Gap | Reached]:
    """Yield the events of a node for ever, across broken connections.

    A Reached follows the last event that there was, and again from time to time while there is none.

    Args:
        url: The URL of the node.
        after: The id of the last event; None starts now, with a Gap; FIRST starts with the first event.
        lost: Called when a connection broke or failed, after which the stream connects again, and each
            time the node states that it may not speak.
        of: Addresses by role (ROLES), at most 16 in all; only events that concern one of them are sent,
            and those that concern too many to note. None for all events.

    Raises:
        BadAnswer: The node sends an invalid event, or refuses the stream.
    """
    asked = {role: ",".join(map(address_text, some)) for role, some in (of or {}).items()}
    place, timeout = after, aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=EVENT_LINE_BYTES) as session:
        while True:
            headers = {"Last-Event-ID": place} if place else {}
            try:
                async with session.get(
                    f"{url}/v1/events", params=asked, headers=headers, allow_redirects=False
                ) as answer:
                    if answer.status != OK:
                        await _check_resync(answer, place)
                        place = None  # the node lacks the later events: start with a Gap
                        continue
                    async for found in _heard(answer.content, place, lambda: lost(url)):
                        place = found.id
                        yield found
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass  # connect again after the last event
            except ValueError as error:
                raise BadAnswer("the node sent a line that is too long") from error
            lost(url)
            await asyncio.sleep(AGAIN_S)


async def _heard(
    stream: aiohttp.StreamReader, place: str | None, silent: Callable[[], object]
) -> AsyncIterator[Event | Gap | Reached]:
    """Yield what one connection sends; its first comment is where it starts."""
    has_begun = False
    async for found in _events(stream):
        if isinstance(found, Event):
            yield found
        elif isinstance(found, Silence):
            silent()
        elif has_begun:
            yield Reached(found)
        else:
            has_begun = True
            if place is None:
                yield Gap(found)


async def _check_resync(answer: aiohttp.ClientResponse, place: str | None) -> None:
    """Raise BadAnswer unless the node answers that it cannot continue after `place`.

    Raises TimeoutError, as without an answer, if the node is busy.
    """
    if answer.status in BUSY:
        raise TimeoutError(f"the node answered {answer.status}")
    try:
        code = parse_json(await read_body(answer, REFUSAL_BYTES))["error"]["code"]
    except (SaysoError, KeyError, TypeError):
        code = None
    if code != RESYNC or place is None:
        raise BadAnswer(f"the node answered {answer.status} to a listener")


async def _events(stream: aiohttp.StreamReader) -> AsyncIterator[Event | Silence | str]:
    """Parse the events of one connection (WHATWG HTML, 9.2.6); comments hold positions."""
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
            elif fields.get("event") == "error":
                raise TimeoutError("the node ended the stream")  # like a closed connection
            else:
                yield _event(fields)
            fields = {}


def _event(fields: dict[str, str]) -> Event:
    try:
        data: dict[str, Any] = parse_json(fields["data"].encode(errors="replace"))
        place, name = fields["id"], fields["event"]
        digest = hash_from_text(data["digest"]) if data["digest"] is not None else None
        if name == REVOCATION:
            signer, bits = data["contributor"], (int(data["word"]), int(data["mask"]))
        elif name in STATED and digest is not None:
            signer, bits = data["signer"], (0, 0)
        else:
            raise BadAnswer(f"the node sent an unknown event: {name[:40]!r}")
        return Event(place, name, address_from_text(signer), digest, *bits, data)
    except (KeyError, ValueError, TypeError, SaysoError) as error:
        raise BadAnswer(f"the node sent an invalid event: {error}") from error
