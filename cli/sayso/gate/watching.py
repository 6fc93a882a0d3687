"""Watching: revocations that hit a manifest, as a node hears of them, each once and without a gap.

The stream of events is followed from a place that is remembered. A connection that breaks is made again
from there; where the node no longer has what came since (`resync`), the whole manifest is checked again,
so that nothing that fell into the gap is missed.
"""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

import aiohttp

from sayso.errors import BadAnswer
from sayso.transport import CONNECT_S, OK
from sayso_protocol.bits import merged
from sayso_protocol.bulk import row_at
from sayso_protocol.errors import SaysoError
from sayso_protocol.json_text import parse_json
from sayso_protocol.primitives import NOBODY, address_from_text
from sayso_protocol.row_tree import ROW_BYTES
from sayso_protocol.verdict import License, Query, Reason, Row, is_revoked
from sayso_protocol.words import Masks

AGAIN_S: Final = 1.0  # before a connection that broke is made again
SILENCE_S: Final = 60.0  # a node says something every fifteen seconds, or it has gone
LINE_BYTES: Final = 1 << 20
RESYNC: Final = "resync"


@dataclass(frozen=True)
class Event:
    """A revocation as the stream tells it; `id` is where to go on after it."""

    id: str
    contributor: bytes
    word: int
    mask: int


@dataclass(frozen=True)
class Hit:
    """Rows of the manifest that are revoked now and were not before.

    Attributes:
        rows: Each once.
        after: Where to go on: give it to Gate.watch after a restart; None: after a check of all rows.
    """

    rows: tuple[Row, ...]
    after: str | None


class Watched:
    """Watched holds which rows are still clear, and says which of them an event hits.

    Args:
        rows: Joined rows, license . item.
        licenses: What they rely on, by license hash, other parties' consents included.
        query: Grantee and purpose.
    """

    def __init__(self, rows: bytes, licenses: Mapping[bytes, License], query: Query) -> None:
        self._licenses, self._query = licenses, query
        self._bits: dict[bytes, Masks] = {}
        self._told: set[Row] = set()
        self._rows: dict[bytes, list[Row]] = {}  # by whoever can revoke it
        on_item: dict[bytes, list[License]] = {}
        for one in licenses.values():
            for item in one.items if len(one.consent.parties) > 1 else ():
                on_item.setdefault(item, []).append(one)
        for at in range(0, len(rows), ROW_BYTES):
            row = Row(rows[at : at + 32], rows[at + 32 : at + ROW_BYTES])
            mine = licenses.get(row.license)
            if mine is None or row.item not in mine.positions:
                continue  # it was never clear
            for person in _people([mine, *on_item.get(row.item, ())]):
                self._rows.setdefault(person, []).append(row)
        self._on_item = on_item

    def bits(self, address: bytes) -> Masks:
        """What was heard of somebody (sayso_protocol.verdict.KnownBits)."""
        return self._bits.get(address, {})

    def recheck(self, rows: bytes, numbers: bytes) -> list[Row]:
        """The rows that a check of all calls revoked and that were not told yet."""
        places = (at for at, number in enumerate(numbers) if number == Reason.REVOKED.number)
        hit = {row_at(rows, at): None for at in places}
        news = [row for row in hit if row not in self._told]
        self._told.update(news)
        return news

    def hear(self, event: Event) -> list[Row]:
        """The rows that are revoked by this and were not before, each once."""
        who = event.contributor
        if who not in self._rows:
            return []
        self._bits[who] = merged(self.bits(who), {event.word: event.mask})
        hit = [
            row for row in dict.fromkeys(self._rows[who]) if row not in self._told and self._is_hit(row)
        ]
        self._told.update(hit)
        return hit

    def _is_hit(self, row: Row) -> bool:
        mine = self._licenses[row.license]
        parties = mine.consent.parties
        others = (one for one in self._on_item.get(row.item, ()) if one.consent.parties == parties)
        # Another consent of that party may still allow it: told all the same, to be looked at.
        return any(is_revoked(self, one, row.item, self._query.purpose) for one in (mine, *others))


def _people(licenses: list[License]) -> set[bytes]:
    people = {one.consent.contributor for one in licenses} | {one.consent.guardian for one in licenses}
    return people - {NOBODY}


async def follow(url: str, after: str | None = None) -> AsyncIterator[Event | None]:
    """Events for ever, through broken connections; None where earlier ones may be missing.

    Args:
        url: Of a node.
        after: The id of an event; None: from now on, and the first thing said is None.

    Raises:
        BadAnswer: The node says something that is no event, or refuses to go on.
    """
    place, timeout = after, aiohttp.ClientTimeout(sock_connect=CONNECT_S, sock_read=SILENCE_S)
    async with aiohttp.ClientSession(timeout=timeout, read_bufsize=LINE_BYTES) as session:
        while True:
            headers = {"Last-Event-ID": place} if place else {}
            try:
                async with session.get(f"{url.rstrip('/')}/v1/events", headers=headers) as answer:
                    if answer.status != OK:
                        await _check_resync(answer)
                        place = None  # the node has not what came after it: begin again
                        continue
                    async for found in _events(answer.content):
                        if isinstance(found, Event):
                            place = found.id
                            yield found
                        elif place is None:
                            place = found
                            yield None
            except (aiohttp.ClientError, OSError, TimeoutError):
                pass  # it is asked again, from where it was
            await asyncio.sleep(AGAIN_S)


async def _check_resync(answer: aiohttp.ClientResponse) -> None:
    """Raise BadAnswer unless the node says that it cannot go on from there."""
    try:
        code = parse_json(await answer.read())["error"]["code"]
    except (SaysoError, KeyError, TypeError):
        code = None
    if code != RESYNC:
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
