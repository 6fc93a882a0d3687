"""The answering side of sync; it keeps no state about a peer except the cost of its requests.

A peer that has used up its share is refused until the share has grown again, so no peer can cost more
than its share. The bill comes before the work and is corrected after it (bill.py); every byte of an
answer counts as well, and an invalid request costs more than a valid one of its size.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Iterator, Sequence
from functools import partial

from sayso_node.errors import NodeBusy
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.interfaces import Clock
from sayso_node.store import messages
from sayso_node.store.interface import Store
from sayso_node.supervision.workers import Runner, in_thread
from sayso_node.sync.bill import (
    ASKED_AT_MOST,
    COST_OF_MALFORMED,
    COST_OF_QUESTION,
    cost_asked,
    cost_of_bytes,
)
from sayso_node.sync.reading import Reader
from sayso_node.sync.shares import Shares
from sayso_protocol.errors import SaysoError
from sayso_protocol.sync import answers
from sayso_protocol.sync.answers import DECLINED, TAKEN
from sayso_protocol.sync.requests import HeedRequest, OfferRequest, decode_request

STRANGERS_AT_ONCE = 2  # concurrent readings for strangers, because all parts share the threads

AnswersBy = Callable[[Store, bytes], bytes]


class Answering:
    """Answers the sync requests of all peers."""

    def __init__(
        self,
        store: Store,
        intake: Intake,
        clock: Clock,
        known: Iterable[str],
        runner: Runner = in_thread,
    ) -> None:
        self._store = store
        self._intake = intake
        self._shares = Shares(clock, known)
        self._runner = runner
        self._places = asyncio.Semaphore(STRANGERS_AT_ONCE)

    async def answer(self, body: bytes, peer_id: str) -> bytes:
        """Answer one request; raises NodeBusy, or SaysoError for an invalid request."""
        self._begin(body, peer_id)
        with self._paid_for_nonsense(peer_id):
            request = decode_request(body)
        asked = cost_asked(request)
        self._shares.charge(peer_id, asked)
        if isinstance(request, OfferRequest):
            return await self._take(request.envelopes, peer_id)
        if isinstance(request, HeedRequest):
            return answers.encode_heed(tuple(sorted(self._intake.keeper.heeded)))
        reading = Reader(self._store)
        try:
            return await self._read(partial(reading.answer, request), peer_id)
        finally:
            self._shares.charge(peer_id, reading.cost - asked)

    async def answer_by(self, answers: AnswersBy, body: bytes, peer_id: str) -> bytes:
        """Answer a request of another protocol from the same share; raises as `answer` does."""
        self._begin(body, peer_id)
        self._shares.charge(peer_id, ASKED_AT_MOST)
        try:
            return await self._read(partial(answers, self._store, body), peer_id)
        finally:
            self._shares.charge(peer_id, -ASKED_AT_MOST)

    def _begin(self, body: bytes, peer_id: str) -> None:
        """Charge a request before anything is read of it, even an invalid one."""
        if not self._shares.has_some(peer_id):
            raise NodeBusy("this peer has used up its share of work; ask again later")
        self._shares.charge(peer_id, COST_OF_QUESTION + cost_of_bytes(body))

    @contextlib.contextmanager
    def _paid_for_nonsense(self, peer_id: str) -> Iterator[None]:
        try:
            yield
        except SaysoError:
            self._shares.charge(peer_id, COST_OF_MALFORMED)
            raise

    async def _read(self, reading: Callable[[], bytes], peer_id: str) -> bytes:
        """Read for a peer; strangers wait for each other, configured peers and users for nobody."""
        place = contextlib.nullcontext() if self._shares.knows(peer_id) else self._places
        async with place:
            answer = await self._runner(reading)
        self._shares.charge(peer_id, cost_of_bytes(answer))
        return answer

    async def _take(self, envelopes: Sequence[bytes], peer_id: str) -> bytes:
        outcomes = await self._intake.take(envelopes, Source.peer(SourceChannel.SYNC, peer_id))
        return answers.encode_taken([TAKEN if self._has(one) else DECLINED for one in outcomes])

    def _has(self, outcome: Outcome) -> bool:
        """Return whether the message is stored; a tombstone is known, but not stored."""
        if outcome.status is not Status.KNOWN or outcome.envelope is None:
            return outcome.status is Status.STORED
        with self._store.read() as db:
            return not messages.is_tombstone(db, outcome.envelope.digest)
