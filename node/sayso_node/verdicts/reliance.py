"""Until when a clear row may be relied on (rules 8.9 and 8.16), from one committed state of the store.

A row is `stale` if no way is sure that it is clear, or none lasts until the buyer's run ends. Other rows
are not clear anyway.
"""

from collections.abc import Sequence
from functools import cached_property
from typing import NamedTuple

import numpy as np
from cachetools import LRUCache

from sayso_node.freshness import Freshness, View
from sayso_node.verdicts.knowledge import StoreKnowledge
from sayso_node.verdicts.table_cache import TableCache
from sayso_protocol.messages.consent import Consent
from sayso_protocol.receipts.question import Question
from sayso_protocol.verdicts.chains import ALWAYS, NEVER, Hop, OpenChains
from sayso_protocol.verdicts.covering import needs_chain
from sayso_protocol.verdicts.license_table import Ints
from sayso_protocol.verdicts.passed import Ends
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import (
    REMEMBERED,
    LicenseView,
    OtherParties,
    Row,
    Sought,
    is_revoked,
    other_parties,
)
from sayso_protocol.verdicts.ways import Choice, latest_end, recheck_s

Choices = Sequence[Choice]


class Moment(NamedTuple):
    """What makes a clear verdict `stale` (rule 8.9), for one question.

    Attributes:
        query: Grantee and purpose.
        now: Seconds since the epoch.
        confirmed: Messages that arrived before are confirmed; minus infinity confirms none.
        as_of: The age of the node's view, seconds since the epoch; minus infinity while it is silent.
        since: Wallets must have accepted their consents since then.
        lasting: Until when an answer must last: now, or the end of the buyer's run.
    """

    query: Query
    now: float
    confirmed: float
    as_of: float
    since: float
    lasting: float

    @classmethod
    def of(cls, view: View, query: Query, now: float, max_age_s: int, run_until: int = 0) -> "Moment":
        """Return the moment of a view at `now`, seconds since the epoch."""
        since, lasting = now - max_age_s, max(now, run_until)
        return cls(query, now, view.confirmed, view.as_of, since, lasting)


class Reliance:
    """Finds until when rows may be relied on, and what rule 8.5 gives for their licenses.

    Args:
        knowledge: The state.
        moment: Question and view.

    Attributes:
        query: That of the moment.
        chains: Finds open chains; `ends` is that of chains that are confirmed.
        passages: See OpenChains.
    """

    def __init__(self, knowledge: StoreKnowledge, moment: Moment) -> None:
        # A dispute of a marked address may be lost (rule 7.18.2), so no row under its heed is sure.
        if any(map(knowledge.is_marked, moment.query.heed or ())):
            moment = moment._replace(confirmed=NEVER, as_of=NEVER)
        self._knowledge, self._moment = knowledge, moment
        now, self.query = moment.now, moment.query
        self.chains = OpenChains(knowledge, self.query, now, self._is_sure)
        self.passages = self.chains.passages

    @cached_property
    def _others(self) -> OtherParties:
        moment = self._moment
        return other_parties(self._knowledge, moment.query, moment.now, self.passages)

    @cached_property
    def _parts(self) -> LRUCache[tuple[object, ...], Choices]:
        return LRUCache(REMEMBERED)

    def of_row(self, row: Row) -> float:
        """Return until when a granted row may be relied on, seconds since the epoch.

        Minus infinity if it is stale.
        """
        held = self._knowledge.license(row.license)
        if held is None:
            return NEVER
        consent, ends = held.consent, ALWAYS
        if needs_chain(consent, self._moment.query):
            passage = self.passages({row.license: consent}).get(row.license)
            ends = passage.ends if passage else NEVER
        return self.of_consent(row.license, consent, held.arrived_at, ends, row.item)

    def of_consent(
        self, name: bytes, consent: Consent, arrived_at: float, ends: float, item: bytes
    ) -> float:
        """Return the same from a consent's terms, its arrival, and the end of its best chain."""
        own = self._part(name, consent, arrived_at, ends)
        if own is None:
            return NEVER
        if len(consent.parties) == 1:
            return self._lasting(own.end)
        others = self._others.others_of(consent, item)
        return self._lasting(latest_end([[own], *map(self._of_party, others)]))

    def of_licenses(self, shelf: TableCache, used: Ints, ends: Ends | None) -> Ends:
        """Return the same for licenses of a shelf with one party each, by their indexes.

        Args:
            shelf: The licenses.
            used: The indexes of licenses that have granted rows.
            ends: See bulk.Judged.
        """
        some, moment = shelf.table.licenses[used], self._moment
        until: Ends = some["expires"].astype(np.float64)
        if ends is not None:
            until = np.minimum(until, ends[used])
        accepted = self._knowledge.accepted(some)
        until = np.minimum(until, np.minimum(moment.as_of, accepted) + some["recheck"])
        sure = (shelf.arrivals[used] < moment.confirmed) & (accepted >= moment.since)
        until[~sure | ~(until >= moment.lasting)] = NEVER
        return until

    def _lasting(self, until: float) -> float:
        return until if until >= self._moment.lasting else NEVER

    def _is_sure(self, hop: Hop) -> bool:
        """Return whether a sublicense came before the last reading, and its signer is not marked."""
        marked = self._knowledge.is_marked(hop.terms.signer)
        return hop.arrived_at < self._moment.confirmed and not marked

    def _part(self, name: bytes, consent: Consent, arrived_at: float, ends: float) -> Choice | None:
        """Return a consent with its best chain as a part of a way; None if it is not sure."""
        accepted, moment = self._knowledge.accepted_at(name, consent), self._moment
        if not arrived_at < moment.confirmed or not accepted >= moment.since:
            return None
        as_of = min(moment.as_of, accepted)
        return Choice(min(consent.expires_at, ends), as_of, recheck_s(consent))

    def _of_party(self, sought: Sought) -> Choices:
        """Return the parts of another party: all its active consents that are not revoked (8.7)."""
        key = sought.item, sought.parties, sought.contributor
        if key not in self._parts:
            self._parts[key] = [
                part
                for name, held, passage in self._others.active(sought)
                if not self._is_revoked(held, sought.item)
                and (kept := self._knowledge.license(name))  # with its arrival
                and (part := self._part(name, held.consent, kept.arrived_at, passage.ends))
            ]
        return self._parts[key]

    def _is_revoked(self, held: LicenseView, item: bytes) -> bool:
        return is_revoked(self._knowledge, held, item, self._moment.query)


def moment_of(freshness: Freshness, question: Question, now: float) -> tuple[View, Moment]:
    """Return the node's view and the moment of a check, whose query states whom it heeds."""
    query = question.query.applied(freshness.heeded)
    view = freshness.view(now, question.max_age_s, query.heed or ())
    return view, Moment.of(view, query, now, question.max_age_s, question.run_until)
