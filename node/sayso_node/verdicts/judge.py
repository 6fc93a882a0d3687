"""Judges the rows of a check against the store.

A check judges in one committed state, so its verdicts and its state digest belong together. Licenses
never change, so they are cached, and missing ones are read before, in transactions of their own.
"""

from dataclasses import dataclass
from functools import partial

import numpy as np

from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.interface import Store
from sayso_node.store.revocations.known_bits import StoreBits
from sayso_node.supervision.counters import Counters
from sayso_node.verdicts.dating import dated
from sayso_node.verdicts.knowledge import StoreKnowledge
from sayso_node.verdicts.license_cache import LicenseCache
from sayso_node.verdicts.reliance import Reliance, moment_of
from sayso_node.verdicts.stored_terms import read_batches
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.network import Network
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.bulk import Judged, judge_rows
from sayso_protocol.verdicts.chains import ALWAYS, NEVER
from sayso_protocol.verdicts.license_table import ROW, among
from sayso_protocol.verdicts.passed import Passed
from sayso_protocol.verdicts.query import Heed
from sayso_protocol.verdicts.rows import by_consent, row_at
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
    """The reason's number for each row, and the state in which the rows were judged.

    Attributes:
        reasons: The numbers, one byte each.
        state: The state digest (rule 9.3).
        block: The block up to which the chain was read.
        time: When the rows were judged, seconds since the epoch.
        until: The least time until which a granted row may be relied on; 0 without one.
        heed: The addresses whose disputes counted.
    """

    reasons: bytes
    state: bytes
    block: ChainPoint
    time: float
    until: int
    heed: Heed


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
        view, moment = moment_of(self._freshness, check, now)
        query = moment.query
        least = ALWAYS
        reasons = np.full(len(check.rows) // ROW_BYTES, Reason.UNKNOWN.number, np.uint8)
        # 8.13 Of an erased consent the store knows only that it is revoked.
        named = np.frombuffer(check.rows, ROW)["license"]
        reasons[among(named, erased)] = Reason.REVOKED.number
        with self._store.read() as db:
            time = dated(db, now)
            knowledge = StoreKnowledge(db, self._network, self._licenses, StoreBits(db))
            reliance = Reliance(knowledge, moment)
            of_all = (query, reliance.passages, reliance.chains)
            passed = [
                Passed(one.table, *of_all, partial(knowledge.chains_on, one, query.grantee))
                for one in shelves
            ]
            for start in range(0, len(reasons), ROWS_AT_ONCE):
                rows = check.rows[start * ROW_BYTES : (start + ROWS_AT_ONCE) * ROW_BYTES]
                part = reasons[start : start + ROWS_AT_ONCE]
                for shelf, found in zip(shelves, passed, strict=True):
                    judged = judge_rows(
                        shelf.table, knowledge, rows, query, now, reliance.passages, found
                    )
                    least = min(least, _lay_stale(judged, rows, shelf, knowledge, reliance))
                    held = judged.entries >= 0
                    part[held] = judged.reasons[held]
            state = knowledge.digest
        self._counters.add("checks")
        self._counters.add("checked_rows", len(reasons))
        until = 0 if least == ALWAYS else int(least)
        return CheckResult(reasons.tobytes(), state, view.head.point, time, until, query.heed or ())


def _lay_stale(
    judged: Judged, rows: bytes, shelf: TableCache, knowledge: StoreKnowledge, reliance: Reliance
) -> float:
    """Make granted rows stale that are not sure or do not last; returns until when the others last."""
    table, reasons = shelf.table, judged.reasons
    granted = np.flatnonzero(reasons == Reason.GRANTED.number)
    if not len(granted):
        return ALWAYS
    owner = table.owner[judged.entries[granted]]
    used, place = np.unique(owner.astype(np.int64), return_inverse=True)
    until = reliance.of_licenses(shelf, used, judged.ends)[place]
    shared = (until > NEVER) & table.licenses["shared"][owner]
    ends, places = judged.ends, {int(one): at for at, one in enumerate(granted[shared])}
    kept = np.flatnonzero(shared)
    for consent, mine in by_consent(table, knowledge, granted[shared], owner[shared]):
        for at in mine.tolist():
            row, license_ = row_at(rows, at), int(owner[kept[places[at]]])
            until[kept[places[at]]] = (
                reliance.of_consent(
                    row.license,
                    consent,
                    float(shelf.arrivals[license_]),
                    ALWAYS if ends is None else float(ends[license_]),
                    row.item,
                )
                if consent
                else NEVER
            )
    reasons[granted[until == NEVER]] = Reason.STALE.number
    return float(until[until > NEVER].min(initial=ALWAYS))
