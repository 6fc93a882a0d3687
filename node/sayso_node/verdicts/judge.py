"""Judges the rows of a check against the store.

A check judges in one committed state, so its verdicts and its state digest belong together. Licenses
never change, so they are cached, and missing ones are read before, in transactions of their own.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.interface import Store
from sayso_node.store.known_bits import StoreBits
from sayso_node.verdicts.knowledge import Moment, StoreKnowledge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.stored_terms import read_batches
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.network import Network
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.bulk import by_consent, judge_rows, row_at
from sayso_protocol.verdicts.license_table import ROW, Ints, Reasons, among
from sayso_protocol.verdicts.verdict import Reason

ROWS_AT_ONCE = 65_536  # bounds the memory for intermediate results


@dataclass(frozen=True)
class Check(Question):
    """A question with the rows that it concerns.

    Attributes:
        rows: The manifest: license hash and item hash, 64 bytes per row.
        nonce: The client's nonce for this request, which the receipt repeats.
    """

    rows: bytes
    nonce: bytes = b""


@dataclass(frozen=True)
class CheckResult:
    """The reason's number for each row, and the state in which the rows were judged."""

    reasons: bytes
    state: bytes
    block: ChainPoint
    time: float


class Judge:
    """Answers checks."""

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
        licenses: LicenseCache,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._licenses = licenses

    def judge(self, check: Check) -> CheckResult:
        """Judge all rows in one state of the store; blocking, usable in any thread."""
        shelves, erased = self._licenses.gather(check.rows, partial(read_batches, self._store))
        now = self._clock.now()
        self._freshness.note_age(now, check.max_age_s)
        view = self._freshness.view(now, check.max_age_s)
        moment = Moment(check.query, now, view.confirmed, now - check.max_age_s)
        reasons = np.full(len(check.rows) // ROW_BYTES, Reason.UNKNOWN.number, np.uint8)
        # 8.13 Of an erased consent the store knows only that it is revoked.
        named = np.frombuffer(check.rows, ROW)["license"]
        reasons[among(named, erased)] = Reason.REVOKED.number
        with self._store.read() as db:
            knowledge = StoreKnowledge(db, self._network, self._licenses, StoreBits(db))
            for start in range(0, len(reasons), ROWS_AT_ONCE):
                rows = check.rows[start * ROW_BYTES : (start + ROWS_AT_ONCE) * ROW_BYTES]
                part = reasons[start : start + ROWS_AT_ONCE]
                for shelf in shelves:
                    judged, entries = judge_rows(shelf.table, knowledge, rows, check.query, now)
                    _lay_stale(judged, entries, rows, shelf, knowledge, moment)
                    part[entries >= 0] = judged[entries >= 0]
            state = knowledge.digest
        self._counters.add("checks")
        self._counters.add("checked_rows", len(reasons))
        return CheckResult(reasons.tobytes(), state, view.head.point, now)


def _lay_stale(
    reasons: Reasons,
    entries: Ints,
    rows: bytes,
    shelf: TableCache,
    knowledge: StoreKnowledge,
    moment: Moment,
) -> None:
    """Make unconfirmed clear rows stale (rule 8.9); other rows are not clear anyway."""
    table = shelf.table
    granted = np.flatnonzero(reasons == Reason.GRANTED.number)
    owner = table.owner[entries[granted]]
    used = np.unique(owner)
    doubted = np.zeros(len(table.licenses), bool)
    doubted[used] = knowledge.doubted(table.licenses[used], moment.since)
    fresh = (shelf.arrivals[owner] < moment.confirmed) & ~doubted[owner]
    reasons[granted[~fresh]] = Reason.STALE.number
    shared = fresh & table.licenses["shared"][owner]
    for consent, mine in by_consent(table, knowledge, granted[shared], owner[shared]):
        for at in mine:
            if not consent or not knowledge.is_sure(consent, row_at(rows, at).item, moment):
                reasons[at] = Reason.STALE.number
