"""Verdicts from the store.

One check reads one committed state: verdicts and state digest come from the same transaction. Licenses
never change, so those in memory serve as well.
"""

from collections.abc import Callable, Collection
from dataclasses import dataclass
from functools import cached_property, lru_cache
from math import inf

import numpy as np
from numpy.typing import NDArray

from sayso_node.counters import Counters
from sayso_node.freshness import Freshness
from sayso_node.interfaces import Clock
from sayso_node.store import bits, erasure, messages, pending
from sayso_node.store.chain import wallets
from sayso_node.store.interface import Reading, Store
from sayso_node.verdicts.kept_licenses import HeldLicense, KeptLicenses, Shelf
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import HASH_BYTES
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.verdicts.bulk import judge_rows, row_at
from sayso_protocol.verdicts.license_table import Ints, Reasons, named_licenses
from sayso_protocol.verdicts.verdict import Query, Reason, Row

ROWS_AT_ONCE = 65_536  # so that what is between rows and reasons stays small


@dataclass(frozen=True)
class Check:
    """What a buyer asks.

    Attributes:
        query: Grantee and purpose.
        max_age_s: The oldest chain view and peer sync the buyer accepts, seconds.
        run_id: The buyer's own name for the run.
        rows: The manifest: license . item, 64 bytes a row.
    """

    query: Query
    max_age_s: int
    run_id: str
    rows: bytes


@dataclass(frozen=True)
class Answer:
    """The number of a reason for each row, and the state they were judged in."""

    reasons: bytes
    state: bytes
    block: ChainPoint
    time: float


class StoreKnowledge:
    """What a verdict looks up, from one reading transaction; keeps what it has read."""

    def __init__(self, db: Reading, network: Network) -> None:
        self._db = db
        self._network = network
        self.erased: set[bytes] = set()  # asked for, and only a tombstone was there
        self.license: Callable[[bytes], HeldLicense | None] = lru_cache(4_096)(self.read)
        self.bits: Callable[[bytes], Masks] = lru_cache(65_536)(self._bits)
        self._is_marked = lru_cache(65_536)(self._ask_mark)

    def read(self, license_hash: bytes) -> HeldLicense | None:
        """A license from the store."""
        stored = messages.consent(self._db, license_hash)
        if stored is None:
            if erasure.is_erased(self._db, license_hash):
                self.erased.add(license_hash)
            return None
        envelope = decode(stored.body, self._network)
        return HeldLicense(as_kind(envelope.message, Consent), envelope.items, stored.arrived_at)

    def licenses_on(self, item: bytes) -> list[HeldLicense]:
        """Every held license on an item."""
        names = messages.licenses_on(self._db, item)
        return [held for name in names if (held := self.license(name))]

    def confirmed_before(self, row: Row, moment: float, since: float) -> bool:
        """Whether nothing stands against a row that arrived after this time, or may have been lost.

        That is so when every consent the row depends on arrived before. Those are the row's own and, of
        content with several parties, all with its list of parties: anybody else's consent on the same
        item neither helps nor delays (rule 8.7).
        """
        held = self.license(row.license)
        if held is None:
            return False
        used = [held]
        if len(held.consent.parties) > 1:
            on_item = self.licenses_on(row.item)
            used += [one for one in on_item if one.consent.parties == held.consent.parties]
        for one in used:
            if not one.arrived_at < moment or self.is_doubted(one.consent, since):
                return False
        return True

    def is_doubted(self, consent: Consent, since: float) -> bool:
        """Whether something may speak against a consent that nobody here knows.

        That is a revocation by one of its people that may be lost (rule 7.15), or a contract wallet that
        did not accept it at a block of that time or later (rule 8.14).
        """
        if self._marks and any(map(self._is_marked, {*consent.parties, consent.guardian})):
            return True
        return self._wallets and wallets.accepted_at(self._db, digest(consent, self._network)) < since

    @cached_property
    def _wallets(self) -> bool:
        return wallets.any_held(self._db)

    @cached_property
    def _marks(self) -> bool:
        load = pending.load(self._db)
        return load.marks > 0 or load.lost > 0

    def _bits(self, address: bytes) -> Masks:
        return bits.bits_of(self._db, address)

    def _ask_mark(self, address: bytes) -> bool:
        return pending.is_marked(self._db, address)


class Judge:
    """Answers checks."""

    def __init__(
        self,
        network: Network,
        store: Store,
        freshness: Freshness,
        clock: Clock,
        counters: Counters,
    ) -> None:
        self._network = network
        self._store = store
        self._freshness = freshness
        self._clock = clock
        self._counters = counters
        self._kept = KeptLicenses()

    def judge(self, check: Check) -> Answer:
        """Judge all rows in one state of the store; blocking, usable in any thread."""
        now, head = self._clock.now(), self._freshness.head
        # 8.9 What does not hold now is confirmed by nothing, not even by what came first.
        current = self._freshness.is_current(now, check.max_age_s)
        confirmed = self._freshness.confirmed_until(now) if current else -inf
        since = now - check.max_age_s
        reasons = np.full(len(check.rows) // ROW_BYTES, Reason.UNKNOWN.number, np.uint8)
        with self._store.read() as db:
            knowledge = StoreKnowledge(db, self._network)
            for shelf in self._kept.shelves(named_licenses(check.rows), knowledge.read):
                for start in range(0, len(reasons), ROWS_AT_ONCE):
                    rows = check.rows[start * ROW_BYTES : (start + ROWS_AT_ONCE) * ROW_BYTES]
                    judged, entries = judge_rows(shelf.table, knowledge, rows, check.query, now)
                    _lay_stale(judged, entries, rows, shelf, knowledge, confirmed, since)
                    part = reasons[start : start + ROWS_AT_ONCE]
                    part[entries >= 0] = judged[entries >= 0]
            # 8.13 Of an erased consent nothing is known but that it was revoked.
            if knowledge.erased:
                reasons[_naming(check.rows, knowledge.erased)] = Reason.REVOKED.number
            state = bits.current_digest(db)
        self._counters.add("checks")
        self._counters.add("checked_rows", len(reasons))
        return Answer(reasons.tobytes(), state, head.point, now)


def _naming(rows: bytes, licenses: Collection[bytes]) -> NDArray[np.bool_]:
    """Which rows name one of these licenses."""
    row = np.dtype([("license", f"S{HASH_BYTES}"), ("item", f"S{HASH_BYTES}")])
    return np.isin(np.frombuffer(rows, row)["license"], list(licenses))


def _lay_stale(
    reasons: Reasons,
    entries: Ints,
    rows: bytes,
    shelf: Shelf,
    knowledge: StoreKnowledge,
    confirmed: float,
    since: float,
) -> None:
    """Rule 8.9: only a clear answer needs to be confirmed, the others are not clear anyway."""
    granted = np.flatnonzero(reasons == Reason.GRANTED.number)
    table = shelf.table
    owner = table.owner[entries[granted]]
    doubted = np.zeros(len(table.consents), bool)
    for license_ in np.unique(owner):
        doubted[license_] = knowledge.is_doubted(table.consents[license_], since)
    fresh = (shelf.arrivals[owner] < confirmed) & ~doubted[owner]
    for at in np.flatnonzero(fresh & table.shared[owner]):
        fresh[at] = knowledge.confirmed_before(row_at(rows, granted[at]), confirmed, since)
    reasons[granted[~fresh]] = Reason.STALE.number
