"""Licenses of a table that reach the asker through sublicenses (rule 8.5), in columns.

Licenses with the same chains and purposes are judged once, unless their people may stop a holder on the
way: what remains of a license is a look-up in a dictionary.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from typing import Final, NamedTuple

import numpy as np
from numpy.typing import NDArray

from sayso_protocol.primitives import NOBODY
from sayso_protocol.verdicts.chains import ALWAYS, Chain, Chains, OpenChains, Passage
from sayso_protocol.verdicts.license_table import (
    ADDRESS,
    Flags,
    Ints,
    LicenseTable,
    Reasons,
    among,
    distinct,
    listed,
)
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import Passages, Reason, judge_passage

LICENSES_AT_ONCE: Final = 1_024  # which are looked up together
Ends = NDArray[np.float64]  # seconds since the epoch
Purposes = tuple[str, ...]


class _Terms(NamedTuple):
    """See chains.LicenseTerms."""

    contributor: bytes
    guardian: bytes
    purposes: tuple[str, ...]

    @property
    def revokers(self) -> tuple[bytes, ...]:
        return (self.contributor,) if self.guardian == NOBODY else (self.contributor, self.guardian)


class Passed:
    """Passed judges licenses of a table that are to somebody else, each once (rule 8.5).

    Attributes:
        ends: Of each license of the table, what Passage.ends gives, or infinity; None if no row needs a
            chain.

    Args:
        table, query, passages: See judge_rows.
        chains: Where `passages` come from, to judge licenses together; None to judge each alone.
        found: Returns the chains of some licenses by their indexes; by default by the chains' source.
    """

    def __init__(
        self,
        table: LicenseTable,
        query: Query,
        passages: Passages,
        chains: OpenChains | None = None,
        found: Callable[[Ints], Chains] | None = None,
    ) -> None:
        self._table, self._query, self._passages, self._chains = table, query, passages, chains
        self._found = found
        self._numbers = np.zeros(0, np.uint8)  # of the reasons; 0 for a license not asked for yet
        self.ends: Ends | None = None

    def lay(self, reasons: Reasons, held: Ints, owner: Ints, spoke: Flags | None = None) -> None:
        """Put the reasons of rule 8.5 in the place of `other-grantee`.

        Args:
            reasons: Of all rows; they are changed.
            held: The indexes of rows with a held license.
            owner: The index of the license of each of these rows.
            spoke: For each license of the table, if it is named, whether its people have set any bit; by
                default they are asked.
        """
        closed = reasons[held] == Reason.OTHER_GRANTEE.number
        if not closed.any():
            return
        if self.ends is None:
            self._numbers = np.zeros(len(self._table.licenses), np.uint8)
            self.ends = np.full(len(self._table.licenses), ALWAYS)
        asked = np.zeros(len(self._numbers), bool)
        asked[owner[closed]] = True
        new = np.flatnonzero(asked & (self._numbers == 0))
        for start in range(0, len(new), LICENSES_AT_ONCE):
            self._judge(new[start : start + LICENSES_AT_ONCE], self.ends, spoke)
        reasons[held[closed]] = self._numbers[owner[closed]]

    def _judge(self, some: Ints, ends: Ends, spoke: Flags | None) -> None:
        self._numbers[some] = Reason.OTHER_GRANTEE.number
        if self._chains is None:
            self._put_each(some, self._passages(self._terms(some)), ends)
            return
        names = self._table.licenses["name"]
        found = self._found(some) if self._found else self._chains.of(listed(names[some]))
        guarded = np.zeros(len(some), bool)
        for purposes, chains, places in self._alike(some, found):
            passage = self._chains.common(purposes, chains)
            self._put(some[places], purposes, passage, ends)
            if passage.is_open and any(one.between for one in chains):
                guarded[places] = True
        heard = some[guarded if spoke is None else guarded & spoke[some]]
        loud = heard[self._is_loud(heard, self._chains)] if len(heard) else heard
        if len(loud):
            terms = self._terms(loud)
            judged = self._chains.judged(terms, {name: found[name] for name in terms})
            self._put_each(loud, judged, ends)

    def _alike(self, some: Ints, found: Chains) -> Iterator[tuple[Purposes, Sequence[Chain], list[int]]]:
        """Yield purposes, chains and places of licenses that have both in common."""
        columns = self._table.licenses[some]
        names, numbers = listed(columns["name"]), columns["purposes"].tolist()
        chains = [found.get(name) for name in names]
        alike: dict[tuple[int, int], list[int]] = {}
        for at, key in enumerate(zip(map(id, chains), numbers, strict=True)):
            alike.setdefault(key, []).append(at)
        for (_, number), places in alike.items():
            if (one := chains[places[0]]) is not None:
                yield self._table.purposes[number], one, places

    def _is_loud(self, some: Ints, chains: OpenChains) -> Flags:
        """Return whether contributor or guardian of each license may stop holders."""
        contributors, guardians = (
            self._table.licenses[who][some] for who in ("contributor", "guardian")
        )
        people = distinct(np.append(contributors, guardians[guardians != NOBODY]))
        loud = np.sort(np.array([*chains.loud(listed(people))], ADDRESS))
        return among(contributors, loud) | among(guardians, loud)

    def _terms(self, some: Ints) -> dict[bytes, _Terms]:
        columns = self._table.licenses[some]
        names, *people = (listed(columns[one]) for one in ("name", "contributor", "guardian"))
        purposes = (self._table.purposes[one] for one in columns["purposes"].tolist())
        return dict(zip(names, map(_Terms, *people, purposes), strict=True))

    def _put_each(self, some: Ints, passages: Mapping[bytes, Passage], ends: Ends) -> None:
        columns = self._table.licenses[some]
        for at, name, number in zip(
            some.tolist(), listed(columns["name"]), columns["purposes"].tolist(), strict=True
        ):
            if passage := passages.get(name):
                self._put(at, self._table.purposes[number], passage, ends)

    def _put(self, some: Ints | int, purposes: Purposes, passage: Passage, ends: Ends) -> None:
        self._numbers[some] = judge_passage(purposes, self._query, passage).number
        ends[some] = passage.ends
