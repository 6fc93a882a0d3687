"""The answering side of sync; it keeps no state about a peer except the cost of its requests.

A peer that has used up its share is refused until the share has grown again, so no peer can cost more
than its share. Invalid requests and every byte of an answer count as well.
"""

import asyncio
import contextlib
from collections.abc import Callable, Iterable, Sequence
from functools import partial

from sayso_node.errors import NodeBusy
from sayso_node.intake.intake import Intake
from sayso_node.intake.outcome import Outcome, Source, SourceChannel, Status
from sayso_node.interfaces import Clock
from sayso_node.store import erasure
from sayso_node.store.interface import Store
from sayso_node.sync.reading import Reader
from sayso_node.sync.shares import Shares
from sayso_node.workers import Runner, in_thread
from sayso_protocol.sync import answers
from sayso_protocol.sync.answers import DECLINED, TAKEN
from sayso_protocol.sync.requests import OfferRequest, decode_request

STRANGERS_AT_ONCE = 2  # concurrent readings for strangers, because all parts share the threads
COST_OF_QUESTION = 256  # in entries read: a stream, and a way through two processes
_COST_OF_OFFERED = 256  # verifying a signature costs as much as reading so many entries
BYTES = 256  # bytes sent or received that cost as much as an entry

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
        request = decode_request(body)
        if isinstance(request, OfferRequest):
            self._shares.charge(peer_id, _COST_OF_OFFERED * len(request.envelopes))
            return await self._take(request.envelopes, peer_id)
        reading = Reader(self._store)
        try:
            return await self._read(partial(reading.answer, request), peer_id)
        finally:
            self._shares.charge(peer_id, reading.cost)

    async def answer_by(self, answers: AnswersBy, body: bytes, peer_id: str) -> bytes:
        """Answer a request of another protocol from the same share; raises as `answer` does."""
        self._begin(body, peer_id)
        return await self._read(partial(answers, self._store, body), peer_id)

    def _begin(self, body: bytes, peer_id: str) -> None:
        """Charge a request, even an invalid one."""
        self._check(peer_id)
        self._shares.charge(peer_id, COST_OF_QUESTION + len(body) / BYTES)

    def _check(self, peer_id: str) -> None:
        if not self._shares.has_some(peer_id):
            raise NodeBusy("this peer has used up its share of work; ask again later")

    async def _read(self, reading: Callable[[], bytes], peer_id: str) -> bytes:
        """Read for a peer; strangers wait for each other, configured peers and users for nobody."""
        place = contextlib.nullcontext() if self._shares.knows(peer_id) else self._places
        async with place:
            self._check(peer_id)  # earlier requests may have used up the share meanwhile
            answer = await self._runner(reading)
        self._shares.charge(peer_id, len(answer) / BYTES)
        return answer

    async def _take(self, envelopes: Sequence[bytes], peer_id: str) -> bytes:
        outcomes = await self._intake.take(envelopes, Source.peer(SourceChannel.SYNC, peer_id))
        return answers.encode_taken([TAKEN if self._has(one) else DECLINED for one in outcomes])

    def _has(self, outcome: Outcome) -> bool:
        """Return whether the message is stored; an erased one (rule 8.13) is known but not stored."""
        if outcome.status is not Status.KNOWN or outcome.envelope is None:
            return outcome.status is Status.STORED
        with self._store.read() as db:
            return not erasure.is_erased(db, outcome.envelope.digest)
