"""The verdict: whether an item may be used for a purpose by a grantee at a time.

The verdict is a pure function of known messages and the time. `granted` is the only clear answer and the
last statement, so that no path fails open. The comments cite the rules of docs/protocol.md, section 8.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import Consent
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.chains import DIRECT, ChainKnowledge, LicenseTerms, OpenChains, Passage
from sayso_protocol.verdicts.chains import is_stopped as holder_is_stopped
from sayso_protocol.verdicts.covering import covering, needs_chain
from sayso_protocol.verdicts.disputes import DisputeKnowledge, is_disputed
from sayso_protocol.verdicts.known_bits import KnownBits, set_places
from sayso_protocol.verdicts.query import Query

REMEMBERED: Final = 16_384  # parties whose result OtherParties remembers at once


class Reason(StrEnum):
    """Reason is the name of a verdict; only `granted` is clear.

    The numbers, from 1 in this order, are part of the protocol (section 8).
    """

    GRANTED = "granted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    PURPOSE_NOT_GRANTED = "purpose-not-granted"
    OTHER_GRANTEE = "other-grantee"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    STALE = "stale"
    DISPUTED = "disputed"
    WITHDRAWN = "withdrawn"

    number: int  # that encodes the reason in one byte


for _number, _reason in enumerate(Reason, 1):
    _reason.number = _number
REASONS = {reason.number: reason for reason in Reason}


class Row(NamedTuple):
    """Row is one line of a manifest: license hash and item hash, 32 bytes each."""

    license: bytes
    item: bytes


class LicenseView(Protocol):
    """LicenseView is the part of a license that a verdict needs."""

    @property
    def consent(self) -> Consent: ...  # noqa: D102 - the signed terms

    def position_of(self, item: bytes) -> int | None:
        """Return the index of an item hash, from 0; None if the license does not name it."""
        ...


@dataclass(frozen=True)
class License:
    """License is a verified consent with its item hashes.

    Attributes:
        consent: The signed terms.
        items: The item hashes, in order, 32 bytes each.
    """

    consent: Consent
    items: tuple[bytes, ...]

    def position_of(self, item: bytes) -> int | None:
        """See LicenseView."""
        return self._positions.get(item)

    @cached_property
    def _positions(self) -> Mapping[bytes, int]:
        return {item: index for index, item in enumerate(self.items)}


class Knowledge(ChainKnowledge, DisputeKnowledge, Protocol):
    """Knowledge is the source of licenses, statements and bits for a verdict, such as a store."""

    def license(self, license_hash: bytes) -> LicenseView | None:
        """Return the license with a hash, or None if it is not held."""
        ...

    def considered(self, sought: "Sought") -> Iterable["NamedLicense"]:
        """Return at least the held licenses that match; others may be among them (rule 8.7)."""
        ...


class NamedLicense(NamedTuple):
    """NamedLicense is a license with its hash, 32 bytes."""

    name: bytes
    held: LicenseView


# Returns what rule 8.5 gives for licenses that need a chain, by hash; see OpenChains.passages.
Passages = Callable[[Mapping[bytes, LicenseTerms]], Mapping[bytes, Passage]]


def verdict(
    knowledge: Knowledge, row: Row, query: Query, now: float, passages: Passages | None = None
) -> Reason:
    """Judge one row (rules 8.1 to 8.8, 8.18); `passages` are by default those of the knowledge."""
    held = knowledge.license(row.license)
    # 8.1 The license is not held, or does not name the item.
    if held is None or held.position_of(row.item) is None:
        return Reason.UNKNOWN
    # 8.2 `revoked` precedes all other rules.
    if is_revoked(knowledge, held, row.item, query):
        return Reason.REVOKED
    # 8.18 `disputed` precedes all rules that time can change.
    if is_disputed(knowledge, held.consent, row.item, query, now):
        return Reason.DISPUTED
    # 8.3 - 8.6 The terms, and who may use it.
    terms = judge_terms(held.consent, query, now)
    if terms is Reason.OTHER_GRANTEE:  # so the grantee's own rows pay nothing for chains
        passages = passages or OpenChains(knowledge, query, now).passages
        found = passages({row.license: held.consent})
        terms = judge_passage(held.consent.purposes, query, found.get(row.license))
    if terms is not Reason.GRANTED:
        return terms
    # 8.7 The consents of the other parties.
    if len(held.consent.parties) > 1:
        passages = passages or OpenChains(knowledge, query, now).passages
        others = other_parties(knowledge, query, now, passages)
        if (reason := others.judge(held.consent, row.item)) is not Reason.GRANTED:
            return reason
    # 8.8 No rule denies the row.
    return Reason.GRANTED


def judge_passage(purposes: tuple[str, ...], query: Query, passage: Passage | None) -> Reason:
    """Judge a consent for an asker who is not its grantee, by the result of OpenChains (rule 8.5)."""
    if passage is None:
        return Reason.OTHER_GRANTEE
    if query.purpose not in purposes:
        return Reason.PURPOSE_NOT_GRANTED
    return Reason.GRANTED if passage.is_open else Reason.WITHDRAWN


def judge_terms(consent: Consent, query: Query, now: float) -> Reason:
    """Judge a consent by its signed terms alone: `other-grantee` if the asker needs a chain."""
    # The negated comparisons are false for NaN, so that an invalid clock clears nothing.
    if not now >= consent.issued_at:
        return Reason.NOT_YET_VALID
    if not now < consent.expires_at:
        return Reason.EXPIRED
    if consent.grantee not in (ANYONE, query.grantee):
        return Reason.OTHER_GRANTEE
    if query.purpose not in consent.purposes:
        return Reason.PURPOSE_NOT_GRANTED
    return Reason.GRANTED


def is_revoked(knowledge: KnownBits, held: LicenseView, item: bytes, query: Query) -> bool:
    """Return whether an item of a license is revoked (rule 8.2); raises Malformed without the item."""
    consent = held.consent
    speakers = knowledge.speakers(consent.revokers)
    if not speakers:
        return False
    position = held.position_of(item)
    if position is None:
        raise Malformed("the license does not name the item")
    with_scopes = [address for address in speakers if knowledge.has_scopes(address)]
    places = [
        one.at(consent, position, item)
        for one in covering(consent, query, with_scopes)
        if one.address in speakers
    ]
    return any(set_places(knowledge, places))


class Sought(NamedTuple):
    """Sought describes the consents of one other party that rule 8.7 considers.

    Attributes:
        item: The item hash, 32 bytes.
        parties: The identical list of parties.
        contributor: The party, 20 bytes.
        query: Grantee and purpose.
        now: Seconds since the epoch.
    """

    item: bytes
    parties: tuple[bytes, ...]
    contributor: bytes
    query: Query
    now: float

    def matches(self, consent: Consent) -> bool:
        """Return whether rule 8.7 considers a consent that names the item, or would with a chain."""
        return (
            consent.contributor == self.contributor
            and consent.parties == self.parties
            and judge_terms(consent, self.query, self.now) in (Reason.GRANTED, Reason.OTHER_GRANTEE)
        )


def other_parties(knowledge: Knowledge, query: Query, now: float, passages: Passages) -> "OtherParties":
    """Return what judges the other parties from this knowledge."""
    return OtherParties(
        query,
        now,
        knowledge.considered,
        lambda other, item: is_revoked(knowledge, other, item, query),
        passages,
        lambda one: holder_is_stopped(knowledge, one, (one.grantee, query.grantee), query.purpose),
    )


class OtherParties:
    """OtherParties judges rows by the consents of the other parties, each once an item and list.

    Args:
        query: Grantee and purpose.
        now: Seconds since the epoch.
        considered: Returns at least the held licenses that match; others may be among them.
        revoked: Returns whether an item of a license is revoked for the query (rule 8.2).
        passages: Returns what rule 8.5 gives for licenses that need a chain.
        stopped: Returns whether `to` stops the asker or the grantee of a consent that needs a chain.
    """

    def __init__(
        self,
        query: Query,
        now: float,
        considered: Callable[[Sought], Iterable[NamedLicense]],
        revoked: Callable[[LicenseView, bytes], bool],
        passages: Passages,
        stopped: Callable[[Consent], bool] = lambda _consent: False,
    ) -> None:
        self._query, self._now, self._stopped = query, now, stopped
        self._considered, self._revoked, self._passages = considered, revoked, passages
        self._judged: dict[tuple[bytes, tuple[bytes, ...], bytes], Reason] = {}

    def judge(self, consent: Consent, item: bytes) -> Reason:
        """Return the reason of a row that nothing else denies (rules 8.7 and 8.8)."""
        for sought in self.others_of(consent, item):
            if (reason := self._of_party(sought)) is not Reason.GRANTED:
                return reason
        return Reason.GRANTED  # 8.8 No rule denies the row.

    def others_of(self, consent: Consent, item: bytes) -> list[Sought]:
        """Return what rule 8.7 considers for each other party, in the order of the list."""
        parties, asked = consent.parties, (self._query, self._now)
        return [Sought(item, parties, one, *asked) for one in parties if one != consent.contributor]

    def _of_party(self, sought: Sought) -> Reason:
        key = sought.item, sought.parties, sought.contributor
        if key not in self._judged:
            if len(self._judged) >= REMEMBERED:
                self._judged.clear()
            self._judged[key] = self._judge(sought)
        return self._judged[key]

    def _judge(self, sought: Sought) -> Reason:
        """Judge one party by its active consents on the item with the identical parties.

        Consents of people outside the list do not count, so nobody else can complete or block the item.
        """
        reason = Reason.INCOMPLETE
        for _, other, _ in self.active(sought):
            reason = Reason.REVOKED
            if not self._revoked(other, sought.item):
                return Reason.GRANTED
        return reason

    def active(self, sought: Sought) -> Iterator[tuple[bytes, LicenseView, Passage]]:
        """Yield the licenses that rule 8.7 considers, with what rule 8.5 gives for each."""
        found = {
            name: held
            for name, held in self._considered(sought)
            if sought.matches(held.consent) and held.position_of(sought.item) is not None
        }
        closed = {
            name: one.consent for name, one in found.items() if needs_chain(one.consent, self._query)
        }
        passages = self._passages(closed) if closed else {}
        for name, held in found.items():
            passage = passages.get(name) if name in closed else DIRECT
            stopped = name in closed and self._stopped(held.consent)
            reason = judge_passage(held.consent.purposes, self._query, passage)
            if reason is Reason.GRANTED and not stopped:
                yield name, held, passage or DIRECT
