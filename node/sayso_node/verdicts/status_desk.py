"""Answers questions about single rows, and signs the answers of concurrent questions together.

Signing and reading the store cost more than a verdict. So questions that arrive together are judged in
one committed state and share one signature (rules 9.8 and 9.9). While one round is processed, the next
one collects questions: the busier the node, the more answers share a signature. A round that is answered
from memory runs in the event loop, any other in the desk's thread.

A row that several people share takes hundreds of times the work of another, if its people want that.
Such rows have a desk of their own, with short rounds in another thread, so that nobody else waits.
"""

import asyncio
from collections.abc import Hashable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from functools import lru_cache
from typing import Final, NamedTuple

from nacl.signing import SigningKey

from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.interface import Reading, Store
from sayso_node.supervision.counters import Counters
from sayso_node.verdicts.dating import dated
from sayso_node.verdicts.knowledge import MEMORY, NotInMemory, StoreKnowledge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.recent_bits import RecentBits
from sayso_node.verdicts.reliance import Moment, Reliance
from sayso_protocol.network import Network
from sayso_protocol.receipts.status import Status, StatusAnswer, StatusMoment, sign_statuses
from sayso_protocol.verdicts.chains import NEVER
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Reason, Row, verdict

ROUND = 512  # questions under one signature; a path then has at most nine hashes
SHARED_ROUND: Final = 16  # of rows that several people share
QUERIES: Final = 256  # that are kept with the list of heeded addresses that applies to them


class StatusQuestion(NamedTuple):
    """A question about one row; `max_age_s` and `nonce` are those of a check."""

    row: Row
    query: Query
    max_age_s: int
    nonce: bytes = b""


_Waiting = tuple[StatusQuestion, asyncio.Future[StatusAnswer]]


class StatusDesk:
    """Answers questions about single rows; `for_shared` makes the desk for rows of several people."""

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Freshness,
        identity: SigningKey,
        clock: Clock,
        counters: Counters,
        licenses: LicenseCache,
        *,
        for_shared: bool = False,
    ) -> None:
        parts = (network, store, freshness, identity, clock, counters, licenses)
        self._shared = None if for_shared else StatusDesk(*parts, for_shared=True)
        self._network = network
        self._store = store
        self._freshness = freshness
        self._identity = identity
        self._clock = clock
        self._counters = counters
        self._licenses = licenses
        self._bits = RecentBits()
        self._seen: tuple[Hashable, StoreKnowledge] | None = None  # by the state's version
        self._applied = lru_cache(QUERIES)(Query.applied)
        self._commits = -1  # count of the store's commits, at most that of the state seen
        self._is_sole = store.board is None  # nobody else commits, so that count tells of all changes
        self._thread = ThreadPoolExecutor(1, "statuses")  # never behind checks and lists
        self._waiting: list[_Waiting] = []
        self._rounds: asyncio.Task[None] | None = None

    def ask(self, question: StatusQuestion) -> asyncio.Future[StatusAnswer]:
        """Return the signed answer, later; raises StoreUnusable."""
        future: asyncio.Future[StatusAnswer] = asyncio.get_running_loop().create_future()
        self.take((question, future))
        return future

    def take(self, one: _Waiting) -> None:
        """Answer a question in one of the next rounds."""
        self._waiting.append(one)
        if self._rounds is None or self._rounds.done():
            self._rounds = asyncio.create_task(self._answer_all(), name="statuses")

    async def _answer_all(self) -> None:
        while self._waiting:
            size, before = ROUND if self._shared else SHARED_ROUND, 0
            while before < len(self._waiting) < size:  # until a turn of the event loop brings none
                before = len(self._waiting)
                await asyncio.sleep(0)
            some, self._waiting = self._waiting[:size], self._waiting[size:]
            try:
                await self._answer_round(some)
            except Exception as error:  # noqa: BLE001 - passed to the callers
                for _, future in some:
                    if not future.done():
                        future.set_exception(error)

    async def _answer_round(self, some: list[_Waiting]) -> None:
        """Answer questions, except those about shared rows, which go to the desk for them."""
        asked = [question for question, _ in some]
        passed = list[int]()
        answers = None
        with suppress(NotInMemory):
            answers = self.answer(asked, passed, from_memory=True)
        if answers is None:
            passed.clear()
            loop = asyncio.get_running_loop()
            answers = await loop.run_in_executor(self._thread, self.answer, asked, passed)
        if self._shared:
            for at in reversed(passed):
                self._shared.take(some.pop(at))
        for (_, future), answer in zip(some, answers, strict=True):
            if not future.done():  # otherwise the caller has given up
                future.set_result(answer)

    def answer(
        self,
        questions: Sequence[StatusQuestion],
        passed: list[int] | None = None,
        *,
        from_memory: bool = False,
    ) -> list[StatusAnswer]:
        """Judge and sign one round; blocking, one round at a time.

        Args:
            questions: At least one question.
            passed: Filled with the indexes of rows that several people share, which get no answer here;
                None answers them, too.
            from_memory: Read no rows' licenses, bits or statements.

        Raises:
            NotInMemory: Some have to be read.
            StoreUnusable: See Store.
        """
        now, head = self._clock.now(), self._freshness.head  # 9.7.6 before it looks at the state
        heeded = self._freshness.heeded
        for age in {one.max_age_s for one in questions}:
            self._freshness.note_age(now, age)
        with self._state(now, from_memory=from_memory) as (knowledge, time):
            statuses = []
            reliances = dict[tuple[Query, int], Reliance]()
            for at, (row, query, age, nonce) in enumerate(questions):
                if passed is not None and self._shared and knowledge.is_shared(row.license):
                    passed.append(at)
                    continue
                if (reliance := reliances.get((query, age))) is None:
                    reliance = self._reliance(knowledge, self._applied(query, heeded), now, age)
                    reliances[query, age] = reliance
                found = _judge(knowledge, row, now, reliance)
                statuses.append(Status(row, reliance.query, age, nonce, *found))
            state = knowledge.digest
        if not statuses:
            return []
        self._freshness.check_alone(now)
        self._counters.add("statuses", len(statuses))
        return sign_statuses(
            self._identity, StatusMoment(self._network, state, head.point, int(time)), statuses
        )

    def _reliance(self, knowledge: StoreKnowledge, query: Query, now: float, age: int) -> Reliance:
        view = self._freshness.view(now, age, query.heed or ())
        return Reliance(knowledge, Moment.of(view, query, now, age))

    @contextmanager
    def _state(self, now: float, *, from_memory: bool) -> Iterator[tuple[StoreKnowledge, float]]:
        """Give the knowledge of the committed state, and the time of an answer from it."""
        commits = self._store.commits  # taken before the reading, so it is never too high
        if from_memory and commits != self._commits:
            raise NotInMemory
        if from_memory and self._seen and self._is_sole:
            yield self._read_on(MEMORY, self._seen[1]), now
            return
        with self._store.read() as db:
            time, knowledge = dated(db, now), self._knowledge_of(db)
            self._commits = commits
            yield self._read_on(MEMORY if from_memory else db, knowledge), time

    def _knowledge_of(self, db: Reading) -> StoreKnowledge:
        """Return the knowledge of this state; the previous one, if nothing was committed since."""
        version = db.version()
        if self._seen is None or self._seen[0] != version:
            self._bits.follow(db)
            knowledge = StoreKnowledge(db, self._network, self._licenses, self._bits)
            self._seen = version, knowledge
        return self._seen[1]

    def _read_on(self, db: Reading, knowledge: StoreKnowledge) -> StoreKnowledge:
        knowledge.read_on(db)
        self._bits.read_on(db)
        return knowledge


def _judge(knowledge: StoreKnowledge, row: Row, now: float, reliance: Reliance) -> tuple[Reason, int]:
    """Judge one row; returns the reason, and until when a granted answer may be relied on."""
    reason = verdict(knowledge, row, reliance.query, now, reliance.passages)
    # 8.13 Of an erased consent the store knows only that it is revoked.
    if reason is Reason.UNKNOWN and row.license in knowledge.erased:
        return Reason.REVOKED, 0
    # 8.9 Only a clear answer needs a current view; other answers are not clear anyway.
    if reason is not Reason.GRANTED:
        return reason, 0
    until = reliance.of_row(row)
    return (Reason.STALE, 0) if until == NEVER else (Reason.GRANTED, int(until))
