"""Judges the rows of a check against the store.

A check reads one committed state, so its verdicts and its state digest belong together. Licenses never
change, so cached ones are used as well.
"""

from collections.abc import Collection
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store.interface import Store
from sayso_node.store.known_bits import StoreBits
from sayso_node.verdicts.knowledge import Moment, StoreKnowledge
from sayso_node.verdicts.license_cache import LicenseCache, TableCache
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.network import Network
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.question import Question
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.bulk import judge_rows, row_at
from sayso_protocol.verdicts.license_table import Ints, Reasons, named_licenses
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
        now = self._clock.now()
        view = self._freshness.view(now, check.max_age_s)
        reasons = np.full(len(check.rows) // ROW_BYTES, Reason.UNKNOWN.number, np.uint8)
        with self._store.read() as db:
            knowledge = StoreKnowledge(db, self._network, self._licenses, StoreBits(db))
            for shelf in self._licenses.shelves(named_licenses(check.rows), knowledge.read):
                for start in range(0, len(reasons), ROWS_AT_ONCE):
                    rows = check.rows[start * ROW_BYTES : (start + ROWS_AT_ONCE) * ROW_BYTES]
                    judged, entries = judge_rows(shelf.table, knowledge, rows, check.query, now)
                    moment = Moment(check.query, now, view.confirmed, now - check.max_age_s)
                    _lay_stale(judged, entries, rows, shelf, knowledge, moment)
                    part = reasons[start : start + ROWS_AT_ONCE]
                    part[entries >= 0] = judged[entries >= 0]
            # 8.13 Of an erased consent the store knows only that it is revoked.
            if knowledge.erased:
                reasons[_naming(check.rows, knowledge.erased)] = Reason.REVOKED.number
            state = knowledge.digest
        self._counters.add("checks")
        self._counters.add("checked_rows", len(reasons))
        return CheckResult(reasons.tobytes(), state, view.head.point, now)


def _naming(rows: bytes, licenses: Collection[bytes]) -> NDArray[np.bool_]:
    """Return which rows name one of these licenses."""
    row = np.dtype([("license", f"S{HASH_BYTES}"), ("item", f"S{HASH_BYTES}")])
    return np.isin(np.frombuffer(rows, row)["license"], list(licenses))


def _lay_stale(
    reasons: Reasons,
    entries: Ints,
    rows: bytes,
    shelf: TableCache,
    knowledge: StoreKnowledge,
    moment: Moment,
) -> None:
    """Make unconfirmed clear rows stale (rule 8.9); other rows are not clear anyway."""
    granted = np.flatnonzero(reasons == Reason.GRANTED.number)
    table = shelf.table
    owner = table.owner[entries[granted]]
    doubted = np.zeros(len(table.consents), bool)
    for license_ in np.unique(owner):
        doubted[license_] = knowledge.is_doubted(table.consents[license_], moment.since)
    fresh = (shelf.arrivals[owner] < moment.confirmed) & ~doubted[owner]
    for at in np.flatnonzero(fresh & table.shared[owner]):
        item = row_at(rows, granted[at]).item
        fresh[at] = knowledge.are_confirmed(table.consents[owner[at]], item, moment)
    reasons[granted[~fresh]] = Reason.STALE.number
