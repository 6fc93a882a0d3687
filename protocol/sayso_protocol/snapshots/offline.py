"""Offline verdicts over many rows, from signed consents and snapshots (rules 13.9 and 13.10).

The rules are those of section 8, with revocation (8.2) read from snapshots by rule 13.10. The gate looks
up once for each license whether all files speak for it, and whether its contributor or guardian has
revoked anything. It derives keys for rows of such licenses only, so other rows cost nothing.

    held = HeldLicenses((name, consent, items) for ...)      # with verified signatures and hashes
    gate = OfflineGate(held, Snapshots([north, south]), query, max_age_s=3_600)
    reasons = gate.judge(rows, now).reasons                  # rows: license . item, 64 bytes each
"""

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from itertools import compress
from typing import NamedTuple

import numpy as np

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import Consent
from sayso_protocol.snapshots.hash_list import license_key, person_key
from sayso_protocol.snapshots.keys import as_keys, permissions_key, scopes_key
from sayso_protocol.snapshots.offline_chains import HeldSublicense, OfflineChains
from sayso_protocol.snapshots.offline_disputes import OfflineDisputes
from sayso_protocol.snapshots.offline_keys import RowKeys, row_keys, wide_keys
from sayso_protocol.snapshots.snapshot import Snapshots
from sayso_protocol.verdicts.bulk import judge_terms_of
from sayso_protocol.verdicts.chains import ALWAYS, DIRECT, Passage
from sayso_protocol.verdicts.covering import Cover, covering, needs_chain
from sayso_protocol.verdicts.license_table import Flags, Ints, LicenseTable, Reasons
from sayso_protocol.verdicts.passed import Passed
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.rows import row_at
from sayso_protocol.verdicts.shared_licenses import SharedLicenses
from sayso_protocol.verdicts.verdict import (
    License,
    LicenseView,
    OtherParties,
    Passages,
    Reason,
    Row,
)
from sayso_protocol.verdicts.ways import Choice, latest_end, recheck_s


class HeldLicenses:
    """HeldLicenses holds a buyer's licenses, and in `shared` those with several parties by item.

    Args:
        licenses: License hash, consent and item hashes in order, each license once. The caller has
            verified signatures and hashes.
        sublicenses: What others passed on of them, each once, with verified signatures and hashes.

    Attributes:
        table: The licenses in columns.
        names: The license hashes, in the order of the table.
    """

    def __init__(
        self,
        licenses: Iterable[tuple[bytes, Consent, Sequence[bytes]]],
        sublicenses: Iterable[HeldSublicense] = (),
    ) -> None:
        self.sublicenses = tuple(sublicenses)
        self.names: list[bytes] = []
        self._named: dict[bytes, License] = {}
        self.shared = SharedLicenses()
        self.consents: list[Consent] = []  # of the table's licenses
        self.table = LicenseTable.of(self._noted(licenses))

    def _noted(
        self, licenses: Iterable[tuple[bytes, Consent, Sequence[bytes]]]
    ) -> Iterator[tuple[bytes, Consent, Sequence[bytes]]]:
        for name, consent, items in licenses:
            self.names.append(name)
            if len(consent.parties) > 1:
                self._named[name] = held = License(consent, tuple(items))
                self.shared.add(name, held, held.items)
            self.consents.append(consent)
            yield name, consent, items

    def license(self, name: bytes) -> License:
        """Return a license with several parties by its hash; raises KeyError."""
        return self._named[name]


class OfflineJudged(NamedTuple):
    """OfflineJudged is the result for some rows.

    Attributes:
        reasons: The number of the reason of each row, shape (n,).
        entries: The entry of the table, or ABSENT, of each row, shape (n,).
        until: The least time until which a granted row may be relied on, seconds since the epoch (rule
            8.16); 0 without one.
    """

    reasons: Reasons
    entries: Ints
    until: int


class OfflineGate:
    """OfflineGate judges rows for one query, and computes the result of each license once.

    Attributes:
        touched: For each license, whether its contributor or guardian has revoked anything.
        unnamed: For each license, whether a file does not speak for it (rule 13.10.3).
    """

    def __init__(
        self,
        held: HeldLicenses,
        snapshots: Snapshots,
        query: Query,
        *,
        max_age_s: float,
    ) -> None:
        self._held = held
        self._snapshots = snapshots
        self._query = query
        self._max_age_s = max_age_s
        consents = held.consents
        self._people = _People(consents, snapshots)
        self._named = _Named(held.names, consents, snapshots)
        self.touched: Flags = np.array([self._people.have_revoked(one) for one in consents], bool)
        pairs = zip(held.names, consents, strict=True)
        self.unnamed: Flags = np.array([not self._named.speaks_for(*one) for one in pairs], bool)
        issued = np.array([one.issued_at for one in consents], np.int64)
        self._too_new: Flags = issued > snapshots.as_of
        terms = held.table.licenses
        self._until = np.minimum(terms["expires"], snapshots.as_of + terms["recheck"]).astype(float)
        named = zip(held.names, consents, strict=True)
        self._chains = OfflineChains(held.sublicenses, named, snapshots)
        heed = sorted(snapshots.heeded) if query.heed is None else query.heed
        self._disputes = OfflineDisputes(heed, snapshots)
        self._keys = RowKeys()
        self._wide: dict[int, bool] = {}
        self._by_item: dict[int, list[Cover]] = {}
        self._unsure: dict[tuple[bytes, tuple[bytes, ...]], bool] = {}

    def judge(self, rows: bytes, now: float, run_until: float = 0) -> OfflineJudged:
        """Judge joined rows (section 8 and rule 13.10).

        Args:
            rows: Joined rows, license . item, 64 bytes each.
            now: Seconds since the epoch.
            run_until: See Question.
        """
        table = self._held.table
        reasons, entries, held, owner = judge_terms_of(table, rows, self._query, now)
        passages = (chains := self._chains.open_chains(self._query, now)).passages
        passed = Passed(table, self._query, passages, chains)
        passed.lay(reasons, held, owner)  # 8.5
        self._dispute(rows, reasons, held, owner)
        touched = self.touched[owner]
        revoked = self._revoked(rows, entries, held[touched], owner[touched])
        reasons[held[touched][revoked]] = Reason.REVOKED.number
        unsure = self.unnamed[owner] | self._too_new[owner]
        granted = reasons[held] == Reason.GRANTED.number
        others = OtherParties(self._query, now, self._held.shared.considered, self._is_revoked, passages)
        ends = self._until if passed.ends is None else np.minimum(self._until, passed.ends)
        until = ends[owner]
        for at in np.flatnonzero(granted & table.licenses["shared"][owner]):
            row = row_at(rows, held[at])
            reason, other = self._judge_shared(row, others)
            reasons[held[at]], unsure[at] = reason.number, unsure[at] | other
            if reason is Reason.GRANTED and not unsure[at]:
                until[at] = self._until_of_shared(row, others, passages)
        if not (self._snapshots.is_fresh(now, self._max_age_s) and self._disputes.is_sure):
            unsure[:] = True
        unsure |= ~(until >= max(now, run_until))
        granted = reasons[held] == Reason.GRANTED.number
        reasons[held[granted & unsure]] = Reason.STALE.number
        least = until[granted & ~unsure].min(initial=ALWAYS)
        return OfflineJudged(reasons, entries, 0 if least == ALWAYS else int(least))

    def _dispute(self, rows: bytes, reasons: Reasons, held: Ints, owner: Ints) -> None:
        """Put `disputed` in the place of what comes after it (rule 8.18)."""
        if self._disputes:
            consents = [self._held.consents[one] for one in owner.tolist()]
            items = [row_at(rows, at).item for at in held.tolist()]
            disputed = self._disputes.disputed([*zip(items, consents, strict=True)])
            reasons[held[disputed]] = Reason.DISPUTED.number

    def _revoked(self, rows: bytes, entries: Ints, held: Ints, owner: Ints) -> Flags:
        """Return whether each row of touched licenses is revoked (rules 8.2 and 13.10)."""
        table = self._held.table
        flags = self._widely_revoked(owner)
        joined, about = bytearray(), []
        for at in np.flatnonzero(~flags):
            consent = self._held.consents[owner[at]]
            position = int(table.position[entries[held[at]]])
            for one in self._by_item[int(owner[at])]:
                keys = self._keys.of(one, consent, position, rows, held[at])
                joined += b"".join(keys)
                about += [at] * len(keys)
        found = np.array(about, np.int64)[self._snapshots.holds(as_keys(joined))]
        flags[found] = True
        return flags

    def _widely_revoked(self, owner: Ints) -> Flags:
        """Return whether a set scope covers all items of a license, computed once for each license."""
        for license_ in np.unique(owner).tolist():
            if license_ not in self._wide:
                covers = self._covers(self._held.consents[license_])
                self._by_item[license_] = [one for one in covers if one.wide is None]
                self._wide[license_] = self._any([key for one in covers for key in wide_keys(one)])
        return np.array([self._wide[license_] for license_ in owner.tolist()], bool)

    def _judge_shared(self, row: Row, others: OtherParties) -> tuple[Reason, bool]:
        """Return the reason by rule 8.7 for a granted row, and whether it is unsure (13.10.3)."""
        consent = self._held.license(row.license).consent
        reason = others.judge(consent, row.item)
        return reason, reason is Reason.GRANTED and self._is_unsure(row.item, consent.parties)

    def _until_of_shared(self, row: Row, others: OtherParties, passages: Passages) -> float:
        """Return until when a granted row of several parties may be relied on (rule 8.16)."""
        consent = self._held.license(row.license).consent
        own = DIRECT
        if needs_chain(consent, self._query):
            own = passages({row.license: consent})[row.license]
        parties = [[self._part(consent, own)]]
        parties += [
            [
                self._part(one.consent, passage)
                for _, one, passage in others.active(sought)
                if not self._is_revoked(one, row.item)
            ]
            for sought in others.others_of(consent, row.item)
        ]
        return latest_end(parties)

    def _part(self, consent: Consent, passage: Passage) -> Choice:
        ends = min(consent.expires_at, passage.ends)
        return Choice(ends, self._snapshots.as_of, recheck_s(consent))

    def _is_unsure(self, item: bytes, parties: tuple[bytes, ...]) -> bool:
        """Return whether a consent on a shared item is unsure; computed once for all its rows."""
        key = item, parties
        if key not in self._unsure:
            self._unsure[key] = any(
                not self._named.speaks_for(name, one.consent)
                or one.consent.issued_at > self._snapshots.as_of
                for name, one in self._held.shared.on(item, parties)
            )
        return self._unsure[key]

    def _is_revoked(self, other: LicenseView, item: bytes) -> bool:
        """Return whether one item of one license is revoked (rules 8.2 and 13.10)."""
        consent, position = other.consent, other.position_of(item)
        if position is None:
            raise Malformed("the license does not name the item")
        covers = self._covers(consent)
        return self._any([key for one in covers for key in row_keys(one, consent, position, item)])

    def _covers(self, consent: Consent) -> list[Cover]:
        """Return the covers that can be set; an address without scopes needs no scope keys."""
        covers = covering(consent, self._query, self._people.with_scopes)
        return [one for one in covers if one.scope or one.address in self._people.with_permissions]

    def _any(self, keys: Sequence[bytes]) -> bool:
        return bool(keys) and bool(self._snapshots.holds(as_keys(b"".join(keys))).any())


class _People:
    """_People looks up once for each address whether it has revoked permissions, or set scopes."""

    def __init__(self, consents: Sequence[Consent], snapshots: Snapshots) -> None:
        people = {address for one in consents for address in one.revokers}
        self.with_permissions = _among(people, permissions_key, snapshots)
        self.with_scopes = _among(people, scopes_key, snapshots)
        self._spoke = self.with_permissions | self.with_scopes

    def have_revoked(self, consent: Consent) -> bool:
        """Return whether the contributor or guardian of a consent has revoked anything."""
        return any(address in self._spoke for address in consent.revokers)


class _Named:
    """_Named looks up once for each person and license whether every file names them (13.10.3)."""

    def __init__(
        self, names: Sequence[bytes], consents: Sequence[Consent], snapshots: Snapshots
    ) -> None:
        people = {address for one in consents for address in (*one.parties, *one.revokers)}
        self._people = _kept(people, snapshots.name(map(person_key, people)))
        self._licenses = _kept(names, snapshots.name(map(license_key, names)))

    def speaks_for(self, name: bytes, consent: Consent) -> bool:
        """Return whether every file names a license, its contributor, all parties and its guardian."""
        return name in self._licenses and self._people.issuperset((*consent.parties, *consent.revokers))


def _among(people: set[bytes], key: Callable[[bytes], bytes], snapshots: Snapshots) -> frozenset[bytes]:
    """Return the people whose key the snapshots know."""
    return _kept(people, snapshots.holds(as_keys(b"".join(map(key, people)))))


def _kept(values: Collection[bytes], flags: Flags) -> frozenset[bytes]:
    """Return the values with a flag; both are in the same order."""
    return frozenset(compress(values, flags.tolist()))
