"""Watching of a manifest: a row that stops being clear is reported once, by the first node that says so.

The watch follows the streams of all nodes and remembers the position of each. A revocation that covers a
row is reported at once. Whatever else can stop a row (a sublicense is withdrawn, a holder between is
stopped, somebody disputes) makes the watch ask the nodes about the rows in question again, because
another way to the row can be open. What a dispute names, the watch asks the node that told of it. If
that node cannot say, or if a stream has a gap, it asks about the whole manifest. It remembers the new
position of a stream only after that.
"""

import asyncio
from collections.abc import Callable, Coroutine, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sayso.errors import NodeRefused, NodeUnreachable
from sayso.node_client import following
from sayso.node_client.client import NodeClient
from sayso.node_client.following import DISPUTE, REVOCATION, Event, Gap, Lost, Reached, follow
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import of_kind
from sayso_protocol.messages.statements.dispute import contributor_hash
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.verdicts.chains import Hop, stopping, withdrawing
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.known_bits import HeldBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.shared_licenses import SharedLicenses
from sayso_protocol.verdicts.verdict import License, LicenseView, Reason, Row, is_revoked

WAITING: Final = 1_024  # events in the queue; the streams wait when it is full
_STOPPED: Final = frozenset(one.number for one in (Reason.REVOKED, Reason.WITHDRAWN, Reason.DISPUTED))


@dataclass(frozen=True)
class Hit:
    """Hit holds rows of the manifest that are newly revoked, withdrawn or disputed.

    Attributes:
        rows: The rows, each once; empty after a check that found nothing new.
        after: The position for Gate.watch after a restart: URL -> id of an event. If a node is missing
            from it, all rows are checked again.
    """

    rows: tuple[Row, ...]
    after: dict[str, str]


class Watched(HeldBits):
    """Watched finds the rows that an event revokes, and those that it may stop in another way.

    Args:
        rows: Joined rows, license . item.
        licenses: The consents that the rows rely on, by license hash, with those of other parties.
        passed: The sublicenses by which the licenses reached the asker.
        query: Grantee and purpose.
    """

    def __init__(
        self, rows: bytes, licenses: Mapping[bytes, License], passed: Iterable[Envelope], query: Query
    ) -> None:
        super().__init__()
        self._licenses, self._query = licenses, query
        self._reported: set[Row] = set()
        self._rows: dict[bytes, list[Row]] = {}  # by the people who can revoke the row
        self._at: dict[tuple[bytes, int], dict[Row, None]] = {}  # by the bit that can close a chain
        self._named: dict[bytes, list[Row]] = {}  # by the hashes by which a dispute can name the row
        hops = _hops(passed)
        self._shared = SharedLicenses()
        for name, one in licenses.items():
            self._shared.add(name, one, one.items)
        for at in range(0, len(rows), ROW_BYTES):
            row = Row(rows[at : at + 32], rows[at + 32 : at + ROW_BYTES])
            mine = licenses.get(row.license)
            if mine is None or mine.position_of(row.item) is None:
                continue  # it was never clear
            about = self._about(row, mine)
            for name in (row.item, *map(contributor_hash, mine.consent.parties)):
                self._named.setdefault(name, []).append(row)
            for person in _people(about.values()):
                self._rows.setdefault(person, []).append(row)
            for name, held in about.items():
                for place in _closing(held.consent, hops.get(name, ()), query):
                    self._at.setdefault((place.address, place.word), {})[row] = None

    def recheck(self, rows: bytes, numbers: bytes) -> list[Row]:
        """Return the rows that a check calls stopped and that are not yet reported."""
        places = (at for at, number in enumerate(numbers) if number in _STOPPED)
        hit = {row_at(rows, at): None for at in places}
        news = [row for row in hit if row not in self._reported]
        self._reported.update(news)
        return news

    def hear(self, event: Event) -> list[Row]:
        """Return the rows that an event newly revokes, each once."""
        who = event.signer
        if event.name != REVOCATION or who not in self._rows:
            return []
        self.add(who, {event.word: event.mask})
        waiting = (row for row in dict.fromkeys(self._rows[who]) if row not in self._reported)
        hit = [row for row in waiting if self._is_hit(row)]
        self._reported.update(hit)
        return hit

    def doubts(self, event: Event, named: Iterable[bytes] | None = None) -> list[Row]:
        """Return the rows that an event may stop, without revoking them, and that are not reported.

        Args:
            event: The event.
            named: The hashes that the dispute of the event names; None if they are not known.
        """
        found: Iterable[Row] = self._at.get((event.signer, event.word), ())
        if self.may_be_heeded(event):
            about = self._rows.values() if named is None else (self._named.get(one, ()) for one in named)
            found = dict.fromkeys(row for some in about for row in some)
        return [row for row in found if row not in self._reported]

    def may_be_heeded(self, event: Event) -> bool:
        """Return whether an event is a dispute that counts, as far as the query says."""
        heed = self._query.heed
        return event.name == DISPUTE and (heed is None or event.signer in heed)

    def _is_hit(self, row: Row) -> bool:
        # Reported even if another consent of that party still allows the row.
        about = self._about(row, self._licenses[row.license])
        return any(is_revoked(self, one, row.item, self._query) for one in about.values())

    def _about(self, row: Row, mine: LicenseView) -> dict[bytes, LicenseView]:
        """Return the licenses that the row may rely on, by hash."""
        others = self._shared.on(row.item, mine.consent.parties)
        return {row.license: mine} | {one.name: one.held for one in others}


def _people(licenses: Iterable[LicenseView]) -> set[bytes]:
    return {address for one in licenses for address in one.consent.revokers}


def _hops(passed: Iterable[Envelope]) -> dict[bytes, list[Hop]]:
    """Return the sublicenses by the license that they pass on."""
    found: dict[bytes, list[Hop]] = {}
    for one, terms in of_kind(passed, Sublicense):
        for name in one.items:
            found.setdefault(name, []).append(Hop(one.digest, terms))
    return found


def _closing(consent: Consent, hops: Sequence[Hop], query: Query) -> Iterator[Place]:
    """Yield the bits that withdraw one of some sublicenses, or stop one of their holders."""
    for hop in hops:
        yield from withdrawing(hop)
        yield from stopping(consent, (hop.terms.signer,), query.purpose)


@dataclass(frozen=True)
class _Checked:
    """_Checked is the result of a check of some rows that started after these gaps began."""

    gaps: dict[str, str]
    rows: bytes
    numbers: bytes


class Watch:
    """Watch follows nodes and reports rows as they become revoked.

    Args:
        urls: The URLs of the nodes.
        trusted: The network file.
        watched: Finds the rows of an event.
        rows: Joined rows.
        check: Returns the number of each row's reason, from all nodes; may block.
        call: Called with each hit.
        lost: See follow.
    """

    def __init__(
        self,
        urls: Sequence[str],
        trusted: NetworkFile,
        watched: Watched,
        rows: bytes,
        check: Callable[[bytes], bytes],
        call: Callable[[Hit], object],
        lost: Lost,
    ) -> None:
        self._urls, self._trusted, self._watched, self._rows = urls, trusted, watched, rows
        self._check, self._call, self._lost = check, call, lost
        self._places: dict[str, str] = {}
        self._gaps: dict[str, str] = {}  # URL -> end of a gap that is not yet checked
        self._doubted: dict[Row, None] = {}  # rows in question, if it is not all of them
        self._doubts_all = False
        self._checking = self._has_checked = False
        self._queue: asyncio.Queue[Any] = asyncio.Queue(WAITING)
        self._tasks: set[asyncio.Task[None]] = set()

    async def run(self, after: Mapping[str, str]) -> None:
        """Run for ever; raises the errors of follow and of the first check."""
        try:
            for url in self._urls:
                self._start(self._listen(url, after.get(url)))
            while True:
                self._take(await self._queue.get())
        finally:
            for task in self._tasks:
                task.cancel()
            await asyncio.gather(*self._tasks, return_exceptions=True)

    def _start(self, work: Coroutine[Any, Any, None]) -> None:
        self._tasks.add(task := asyncio.create_task(self._report_error(work)))
        task.add_done_callback(self._tasks.discard)

    async def _report_error(self, work: Coroutine[Any, Any, None]) -> None:
        """Put an error of a task into the queue, which ends the watch."""
        try:
            await work
        except Exception as error:  # noqa: BLE001 - run raises it again
            await self._queue.put(error)

    async def _listen(self, url: str, after: str | None) -> None:
        if after is not None:
            await self._queue.put((url, after, None))
        async for found in follow(url, after, self._lost):
            named = None
            if isinstance(found, Event) and self._watched.may_be_heeded(found):
                named = await self._hashes_of(url, found)
            await self._queue.put((url, found, named))

    async def _hashes_of(self, url: str, event: Event) -> tuple[bytes, ...] | None:
        """Return what a dispute names; None if the node cannot say."""
        try:
            async with NodeClient(url, self._trusted) as client:
                return (await client.statement(event.digest or b"")).items
        except SaysoError:
            return None

    def _take(self, found: Any) -> None:
        if isinstance(found, Exception):
            raise found
        if isinstance(found, _Checked):
            self._close_gaps(found)
            return
        url, entry, named = found
        if isinstance(entry, Event):
            self._places[url] = entry.id
            self._report(self._watched.hear(entry))
            if doubted := self._watched.doubts(entry, named):
                self._doubted.update(dict.fromkeys(doubted))
                self._gaps[url] = entry.id
                self._check_again()
        elif isinstance(entry, Gap):
            self._places[url] = self._gaps[url] = entry.id
            self._doubts_all = True
            self._check_again()
        else:
            self._places[url] = entry.id if isinstance(entry, Reached) else entry

    def _close_gaps(self, checked: _Checked) -> None:
        """Close the gaps that began before the check; a later gap needs another check."""
        self._checking, self._has_checked = False, True
        news = self._watched.recheck(checked.rows, checked.numbers)
        for url, place in checked.gaps.items():
            if self._gaps[url] == place:
                del self._gaps[url]
        self._report(news, even_none=not self._gaps)
        self._check_again()

    def _check_again(self) -> None:
        if self._gaps and not self._checking:
            self._checking = True
            rows = self._rows if self._doubts_all else b"".join(map(b"".join, self._doubted))
            self._doubted, self._doubts_all = {}, False
            self._start(self._check_rows(dict(self._gaps), rows))

    async def _check_rows(self, gaps: dict[str, str], rows: bytes) -> None:
        while True:
            try:
                numbers = await asyncio.to_thread(self._check, rows)
            except (NodeUnreachable, NodeRefused):
                if not self._has_checked:
                    raise  # the first check reports a wrong question at once
                await asyncio.sleep(following.AGAIN_S)
                continue
            await self._queue.put(_Checked(gaps, rows, numbers))
            return

    def _report(self, news: Sequence[Row], *, even_none: bool = False) -> None:
        if news or even_none:
            after = {url: place for url, place in self._places.items() if url not in self._gaps}
            self._call(Hit(tuple(news), after))
