"""Verdicts from the store.

One check reads one committed state: verdicts and state digest come from the same transaction.
"""

import sqlite3
from collections.abc import Sequence
from dataclasses import dataclass
from functools import lru_cache

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import messages
from sayso_node.store.engine import Engine
from sayso_protocol.bits import state_digest
from sayso_protocol.envelope import decode
from sayso_protocol.messages import Consent
from sayso_protocol.receipts import ChainPoint
from sayso_protocol.typed_data import Network
from sayso_protocol.verdict import License, Query, Reason, Row, verdict
from sayso_protocol.words import Masks


@dataclass(frozen=True)
class Check:
    """What a buyer asks.

    Attributes:
        query: Grantee and purpose.
        max_age_s: The oldest chain view and peer sync the buyer accepts, seconds.
        run_id: The buyer's own name for the run.
        rows: The manifest.
    """

    query: Query
    max_age_s: int
    run_id: str
    rows: Sequence[Row]


@dataclass(frozen=True)
class Answer:
    """A reason for each row, and the state they were judged in."""

    reasons: list[Reason]
    state: bytes
    block: ChainPoint
    time: float


@dataclass(frozen=True)
class HeldLicense(License):
    """A license and when its consent was first heard, seconds since the epoch."""

    arrived_at: float


class StoreKnowledge:
    """What a verdict looks up, from one reading transaction; keeps what it has read."""

    def __init__(self, db: sqlite3.Connection, network: Network) -> None:
        self._db = db
        self._network = network
        self.license = lru_cache(4_096)(self._license)
        self.licenses_on = lru_cache(4_096)(self._licenses_on)
        self.bits = lru_cache(65_536)(self._bits)

    def confirmed_before(self, row: Row, moment: float) -> bool:
        """Whether every consent that this row depends on arrived before this time.

        Those are the row's own and, of content with several parties, all with its list of parties:
        anybody else's consent on the same item neither helps nor delays (rule 8.7).
        """
        held = self.license(row.license)
        if held is None:
            return False
        others = self.licenses_on(row.item) if len(held.consent.parties) > 1 else ()
        used = [held, *(one for one in others if one.consent.parties == held.consent.parties)]
        return all(one.arrived_at < moment for one in used)

    def _license(self, license_hash: bytes) -> HeldLicense | None:
        stored = messages.consent(self._db, license_hash)
        return self._read(stored) if stored else None

    def _licenses_on(self, item: bytes) -> list[HeldLicense]:
        return [self._read(stored) for stored in messages.consents_on(self._db, item)]

    def _bits(self, address: bytes) -> Masks:
        return messages.bits_of(self._db, address)

    def _read(self, stored: messages.Stored) -> HeldLicense:
        envelope = decode(stored.body, self._network)
        assert isinstance(envelope.message, Consent)  # noqa: S101 - it was stored as one
        return HeldLicense(envelope.message, envelope.items, stored.arrived_at)


class Judge:
    """Answers checks."""

    def __init__(
        self,
        network: Network,
        store: Engine,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._counters = counters

    def judge(self, check: Check) -> Answer:
        """Judge all rows in one state of the store; blocking, usable in any thread."""
        now, head = self._clock.now(), self._freshness.head
        current = self._freshness.is_current(now, check.max_age_s)
        confirmed = self._freshness.confirmed_until(now)
        with self._store.read() as db:
            knowledge = StoreKnowledge(db, self._network)

            def one(row: Row) -> Reason:
                reason = verdict(knowledge, row, check.query, now)
                # 8.9 Only a clear answer needs to be current: the others are not clear anyway.
                if reason is Reason.GRANTED and not (
                    current and knowledge.confirmed_before(row, confirmed)
                ):
                    return Reason.STALE
                return reason

            reasons = [one(row) for row in check.rows]
            state = state_digest(messages.state_entries(db))
        self._counters.add("checks")
        self._counters.add("checked_rows", len(reasons))
        return Answer(reasons, state, head.point, now)
