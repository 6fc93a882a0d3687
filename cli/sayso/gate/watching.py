"""Watching: revocations that hit a manifest, from whichever node hears of them first, each once, no gap.

The streams of all nodes are followed at the same time, each from a place that is remembered. Where a
stream may have a gap, the whole manifest is checked again, and the place is remembered only after that.
"""

import asyncio
from collections.abc import Callable, Coroutine, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sayso.errors import NodeRefused, NodeUnreachable
from sayso.gate import streams
from sayso.gate.streams import Event, Gap, Lost, follow
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.bulk import row_at
from sayso_protocol.verdicts.verdict import License, Query, Reason, Row, is_revoked

WAITING: Final = 1_024  # events that were heard and not yet looked at; then their streams wait


@dataclass(frozen=True)
class Hit:
    """Rows of the manifest that are revoked now and were not before.

    Attributes:
        rows: Each once; none after a check of all rows that found nothing new.
        after: Where to go on: give it to Gate.watch after a restart. URL -> id of an event; a node that
            is not in it may have said more than was looked at, and all rows are checked again.
    """

    rows: tuple[Row, ...]
    after: dict[str, str]


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
            if mine is None or mine.position_of(row.item) is None:
                continue  # it was never clear
            for person in _people([mine, *on_item.get(row.item, ())]):
                self._rows.setdefault(person, []).append(row)
        self._on_item = on_item

    def bits(self, address: bytes) -> Masks:
        """What was heard of somebody (sayso_protocol.verdicts.verdict.KnownBits)."""
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
        return any(is_revoked(self, one, row.item, self._query) for one in (mine, *others))


def _people(licenses: list[License]) -> set[bytes]:
    return {address for one in licenses for address in one.consent.revokers}


@dataclass(frozen=True)
class _Checked:
    """All rows were checked, after these gaps began."""

    gaps: dict[str, str]
    numbers: bytes


class Watch:
    """Watch follows nodes and calls back with rows as they become revoked.

    Args:
        urls: Of the nodes.
        watched: What events are looked up in.
        rows: Joined rows.
        check: The number of each row's reason, from all nodes; may block.
        call: Is given each hit.
        lost: As for follow.
    """

    def __init__(
        self,
        urls: Sequence[str],
        watched: Watched,
        rows: bytes,
        check: Callable[[bytes], bytes],
        call: Callable[[Hit], object],
        lost: Lost,
    ) -> None:
        self._urls, self._watched, self._rows = urls, watched, rows
        self._check, self._call, self._lost = check, call, lost
        self._places: dict[str, str] = {}
        self._gaps: dict[str, str] = {}  # URL -> where its gap ends; not yet checked
        self._checking = self._has_checked = False
        self._heard: asyncio.Queue[Any] = asyncio.Queue(WAITING)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, after: Mapping[str, str]) -> None:
        """For ever; raises what follow raises, and what the first check raises."""
        try:
            for url in self._urls:
                self._start(self._listen(url, after.get(url)))
            while True:
                self._take(await self._heard.get())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(self._told(work)))
        task.add_done_callback(self._tasks.discard)

    async def _told(self, work: Coroutine[Any, Any, None]) -> None:
        """An error of any task ends the watch."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - raised again by run
            await self._heard.put(error)

    async def _listen(self, url: str, after: str | None) -> None:
        if after is not None:
            await self._heard.put((url, after))
        async for found in follow(url, after, self._lost):
            await self._heard.put((url, found))

    def _take(self, found: Any) -> None:
        if isinstance(found, Exception):
            raise found
        if isinstance(found, _Checked):
            self._close_gaps(found)
            return
        url, what = found
        if isinstance(what, Event):
            self._places[url] = what.id
            self._tell(self._watched.hear(what))
        elif isinstance(what, Gap):
            self._places[url] = self._gaps[url] = what.id
            self._check_again()
        else:
            self._places[url] = what

    def _close_gaps(self, checked: _Checked) -> None:
        """Those that began before that check; one that came meanwhile needs another."""
        self._checking, self._has_checked = False, True
        news = self._watched.recheck(self._rows, checked.numbers)
        for url, place in checked.gaps.items():
            if self._gaps[url] == place:
                del self._gaps[url]
        self._tell(news, even_none=not self._gaps)
        self._check_again()

    def _check_again(self) -> None:
        if self._gaps and not self._checking:
            self._checking = True
            self._start(self._check_all(dict(self._gaps)))

    async def _check_all(self, gaps: dict[str, str]) -> None:
        while True:
            try:
                numbers = await asyncio.to_thread(self._check, self._rows)
            except (NodeUnreachable, NodeRefused):
                if not self._has_checked:
                    raise  # perhaps a slip in what was asked: it is said at once
                await asyncio.sleep(streams.AGAIN_S)
                continue
            await self._heard.put(_Checked(gaps, numbers))
            return

    def _tell(self, news: Sequence[Row], *, even_none: bool = False) -> None:
        if news or even_none:
            after = {url: place for url, place in self._places.items() if url not in self._gaps}
            self._call(Hit(tuple(news), after))
