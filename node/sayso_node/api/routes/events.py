"""GET /v1/events: revocations and statements as they become known, as server-sent events (WHATWG HTML).

An event's id is the store's id and a number that only grows. A client that resumes with `Last-Event-ID`
gets all later events, each once. A client that names addresses gets the events that concern one of them,
and pays for these only (store/events/). If the id is from another store, or ahead of it, the answer is
the error `resync`, and the client must start again. While the node may not speak (freshness.py), it
sends the event `silence` at each beat: then no news does not mean that nothing was revoked.
"""

import asyncio
import re
from collections.abc import Mapping
from typing import Final, NamedTuple

import msgspec
from aiohttp import web

from sayso_node.api.http.negotiation import ORIGIN, written
from sayso_node.api.http.responses import fault
from sayso_node.api.http.route import Route
from sayso_node.api.http.shares import Seats, source_of
from sayso_node.api.schema.operations import EVENTS, Operation
from sayso_node.api.schema.requests import LISTENED, EventsQuery
from sayso_node.api.schema.stream import RevocationEvent, SilenceEvent, StatementEvent
from sayso_node.errors import BadRequest, Resync
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages, queries
from sayso_node.store.events import feed as events
from sayso_node.store.events.circles import EVERYBODY, Party, Role
from sayso_node.store.events.feed import Event
from sayso_node.store.interface import Reading, Store
from sayso_node.supervision.logs import logger
from sayso_protocol.errors import SaysoError
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import DISPUTE, REVOCATION
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_from_text, address_text, hex_text

STREAMS: Final = 256
SOURCE_STREAMS: Final = 16  # of one source; when all are taken, a source with many makes room
EVENTS_PAGE: Final = 256  # events in one reading
PAUSE_S: Final = 0.1  # between two readings, so that many commits cost one reading
BEAT_S: Final = (
    15.0  # after so long without events the place or `silence` is sent; it tests the connection
)
SPEAK_AGE_S: Final = 120.0  # a listener hears of an older view
LISTENER_STALL_S: Final = 30.0  # for a client that does not read
START: Final = "0"  # as an id: from the first event
LISTEN: Final = Operation(
    "GET",
    "/v1/events",
    "events",
    "Revocations and statements as they become known, all or those that concern some addresses;"
    " `after` and Last-Event-ID resume, 0 starts with the first.",
    query=EventsQuery,
    headers={"Last-Event-ID": {"type": "string"}},
    offers=(EVENTS,),
    has_head=False,
)
log = logger(__name__)

LIFT: Final = "lift"
WITHDRAWAL: Final = "withdrawal"
_ROLES: Final = {
    "contributor": Role.CONTRIBUTOR,
    "grantee": Role.GRANTEE,
    "licensor": Role.LICENSOR,
    "holder": Role.HOLDER,
}
_ID: Final = re.compile(r"([0-9a-f]{32})-(0|[1-9][0-9]{0,18})", re.ASCII)


class EventRoutes:
    """Sends new events to listeners."""

    def __init__(self, network: Network, store: Store, freshness: Freshness, clock: Clock) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._streams: set[asyncio.Task[None]] = set()
        self._seats = Seats[asyncio.Task[None]](STREAMS, SOURCE_STREAMS, "listeners")

    def routes(self) -> list[Route]:
        """The routes of this file."""
        return [Route(LISTEN, self.events)]

    async def close(self) -> None:
        """End all streams."""
        for one in self._streams:
            one.cancel()
        await asyncio.gather(*self._streams, return_exceptions=True)

    async def events(self, request: web.BaseRequest) -> web.StreamResponse:
        """Send the events after the id, or from now on, until the client disconnects."""
        text = request.headers.get("Last-Event-ID") or request.query.get("after")
        parties = _parties(request)
        store_id, seq = self._begin(text)
        response = web.StreamResponse(headers={**ORIGIN, "Cache-Control": "no-store"})
        response.content_type = EVENTS
        response.force_close()  # whoever is displaced gives its connection back, too
        stream = asyncio.create_task(self._stream(request, response, _Place(store_id, seq, parties)))
        self._streams.add(stream)
        try:
            if displaced := self._seats.take(source_of(request), stream):
                displaced.cancel()
            await asyncio.wait({stream})
        finally:
            stream.cancel()
            self._streams.discard(stream)
            self._seats.leave(stream)
        if not stream.cancelled() and (error := stream.exception()):
            _end(request, error)
        return response

    def _begin(self, text: str | None) -> tuple[str, int]:
        """Return the store's id and the event to start after; raises BadRequest and Resync."""
        with self._store.read() as db:
            store_id = events.store_id(db).hex()
            first, last = queries.first_event(db), events.last_seq(db)
        if text is None:
            return store_id, last
        if text == START:
            text = f"{store_id}-0"
        if not (match := _ID.fullmatch(text)):
            raise BadRequest("an event's id must be the store's id, a hyphen and a number")
        seq = int(match[2])
        if match[1] != store_id or seq > last or seq + 1 < first:
            raise Resync("this store does not have the events after that id; start again without an id")
        return store_id, seq

    async def _stream(
        self, request: web.BaseRequest, response: web.StreamResponse, place: "_Place"
    ) -> None:
        await response.prepare(request)
        store_id, seq, parties = place
        has_reached = False
        await _write(response, f": {store_id}-{seq}\n\n{self._silence()}")
        try:
            while True:
                seen = self._store.commits  # before the reading, so that no commit is missed
                with self._store.read() as db:
                    last = events.last_seq(db)
                    page = self._page(db, parties, seq) if last > seq else []
                    bodies = messages.bodies_of(
                        db, {one.digest for one in page if one.kind != REVOCATION and one.digest}
                    )
                if page:
                    data = ((one, _data(_shown(one, bodies, self._network))) for one in page)
                    await _write(response, "".join(_text(store_id, *one) for one in data))
                    seq = page[-1].seq
                if len(page) < EVENTS_PAGE:
                    seq = max(seq, last)  # what others heard of is passed over for good
                    if not has_reached:
                        await _write(response, f": {store_id}-{seq}\n\n")
                        has_reached = True
                    await self._wait(response, seen, f": {store_id}-{seq}\n\n")
        except SaysoError as error:  # the answer has begun, so the error is sent as an event
            await _write(response, f"event: error\ndata: {_data(fault(error))}\n\n")

    def _page(self, db: Reading, parties: list[Party], seq: int) -> list[Event]:
        if parties:
            return events.events_of(db, [*parties, EVERYBODY], seq, EVENTS_PAGE)
        return events.events_after(db, seq, EVENTS_PAGE)

    async def _wait(self, response: web.StreamResponse, seen: int, beat: str) -> None:
        await asyncio.sleep(PAUSE_S)
        try:
            async with asyncio.timeout(BEAT_S):
                await self._store.committed(seen)
        except TimeoutError:
            await _write(response, self._silence() or beat)

    def _silence(self) -> str:
        """Return the event `silence` if the node may not speak; otherwise nothing."""
        silence = self._freshness.view(self._clock.now(), SPEAK_AGE_S).silence
        return f"event: silence\ndata: {_data(SilenceEvent(silence))}\n\n" if silence else ""


def _end(request: web.BaseRequest, error: BaseException) -> None:
    """Close the connection, because the answer has begun and cannot become an error."""
    if not isinstance(error, (ConnectionError, TimeoutError)):
        log.error("event-stream-failed", exc_info=error)
    if request.transport:
        request.transport.abort()


async def _write(response: web.StreamResponse, text: str) -> None:
    async with asyncio.timeout(LISTENER_STALL_S):
        await response.write(text.encode())


class _Place(NamedTuple):
    """What a listener wants: the events of a store after one, and of whom; empty for all."""

    store_id: str
    seq: int
    parties: list[Party]


def _parties(request: web.BaseRequest) -> list[Party]:
    """Return the addresses that a listener names; raises BadRequest and InvalidAddress."""
    found, query = list[Party](), request.query
    named = {
        role: [address_from_text(one) for one in query[name].split(",")]
        for name, role in _ROLES.items()
        if name in query
    }
    if sum(map(len, named.values())) > LISTENED:
        raise BadRequest(f"a listener names at most {LISTENED} addresses")
    for role, addresses in named.items():
        found += (Party(role, one) for one in addresses)
        if role is Role.HOLDER:  # whoever was licensed by the contributor holds the license, too
            found += (Party(Role.GRANTEE, one) for one in addresses)
    return list(dict.fromkeys(found))


def _text(store_id: str, event: Event, data: str) -> str:
    name = KINDS[event.kind].name
    if event.is_withdrawn:
        name = LIFT if event.kind == DISPUTE else WITHDRAWAL
    return f"id: {store_id}-{event.seq}\nevent: {name}\ndata: {data}\n\n"


def _shown(event: Event, bodies: Mapping[bytes, bytes], network: Network) -> msgspec.Struct:
    if event.kind == REVOCATION:
        return RevocationEvent(
            address_text(event.address),
            str(event.word),
            str(event.mask),
            event.source,
            hex_text(event.digest) if event.digest else None,
            event.time,
        )
    digest = event.digest or b""
    fields = None
    if body := bodies.get(digest):
        fields = typed_data(decode(body, network).message, network)["message"]
        del fields["notice"], fields["signer"]
    return StatementEvent(
        hex_text(digest), KINDS[event.kind].name, address_text(event.address), fields, event.time
    )


def _data(value: msgspec.Struct) -> str:
    return written(value).decode()
