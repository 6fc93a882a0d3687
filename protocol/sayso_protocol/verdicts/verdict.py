"""The verdict: may this item be used for this purpose by this grantee, now?

A pure function of what is known and the time. `granted` is the only clear answer and the last line of
the function: no path fails open. The steps carry the rule numbers of docs/protocol.md, section 8.

    verdict(knowledge, Row(license_hash, item), Query(grantee, "train-ai"), now=1_760_000_000)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.covering import covering
from sayso_protocol.verdicts.query import Query


class Reason(StrEnum):
    """Why a row is, or is not, clear. `granted` is the only clear one.

    Their numbers, from 1 in this order, are part of the protocol (section 8).
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

    @property
    def number(self) -> int:
        """What stands for it where a reason is one byte; no reason is 0."""
        return _NUMBERS[self]


_NUMBERS = {reason: number for number, reason in enumerate(Reason, 1)}
REASONS = {number: reason for reason, number in _NUMBERS.items()}


class Row(NamedTuple):
    """One line of a buyer's manifest: the license it relies on and the item, 32 bytes each."""

    license: bytes
    item: bytes


class LicenseView(Protocol):
    """What a verdict asks of a license, however it is kept."""

    @property
    def consent(self) -> Consent:
        """The signed terms."""
        ...

    def position_of(self, item: bytes) -> int | None:
        """The index of an item hash; None if the license does not name it."""
        ...


@dataclass(frozen=True)
class License:
    """A verified consent with its item hashes.

    Attributes:
        consent: The signed terms.
        items: Its item hashes, in order.
    """

    consent: Consent
    items: tuple[bytes, ...]

    def position_of(self, item: bytes) -> int | None:
        """See LicenseView."""
        return self._positions.get(item)

    @cached_property
    def _positions(self) -> Mapping[bytes, int]:
        return {item: index for index, item in enumerate(self.items)}


class KnownBits(Protocol):
    """Who revoked what."""

    def bits(self, address: bytes) -> Masks:
        """All bits that this contributor or guardian has set."""
        ...


class RevokedBits:
    """What some revocations say, and nothing else (see KnownBits)."""

    def __init__(self, revocations: Iterable[Revocation]) -> None:
        self._bits: dict[bytes, Masks] = {}
        for one in revocations:
            self._bits[one.contributor] = merged(self.bits(one.contributor), one.bits)

    def bits(self, address: bytes) -> Masks:
        """All bits that they set for this address."""
        return self._bits.get(address, {})


class Knowledge(KnownBits, Protocol):
    """What a verdict looks up; a node answers from its store, a test from a dictionary."""

    def license(self, license_hash: bytes) -> LicenseView | None:
        """The license of this hash, if it is held."""
        ...

    def licenses_on(self, item: bytes) -> Iterable[LicenseView]:
        """Every held license on an item hash."""
        ...


def verdict(knowledge: Knowledge, row: Row, query: Query, now: float) -> Reason:
    """Judge one row (rules 8.1 to 8.8)."""
    held = knowledge.license(row.license)
    # 8.1 A license that is not held, or that does not name the item, is unknown.
    if held is None or held.position_of(row.item) is None:
        return Reason.UNKNOWN
    # 8.2 RevokedBits comes first: it holds whatever else is true.
    if is_revoked(knowledge, held, row.item, query):
        return Reason.REVOKED
    # 8.3 - 8.6 The terms.
    terms = judge_terms(held.consent, query, now)
    if terms is not Reason.GRANTED:
        return terms
    # 8.7 Everyone else whose consent the content needs.
    return judge_others(
        knowledge.licenses_on(row.item) if len(held.consent.parties) > 1 else (),
        held.consent,
        query,
        now,
        lambda other: is_revoked(knowledge, other, row.item, query),
    )


def judge_others(
    on_item: Iterable[LicenseView],
    consent: Consent,
    query: Query,
    now: float,
    revoked: Callable[[LicenseView], bool],
) -> Reason:
    """What the other parties of a consent say to an item (rule 8.7), if anything (8.8).

    Args:
        on_item: Every held license on the item.
        consent: The one that the row names.
        query: Who asks, and what for.
        now: Seconds since the epoch.
        revoked: Whether the permission is revoked in another license.
    """
    held = [*on_item]
    for party in consent.parties:
        if party != consent.contributor:
            reason = _judge_party(held, party, consent, query, now, revoked)
            if reason is not Reason.GRANTED:
                return reason
    # 8.8 Nothing speaks against it.
    return Reason.GRANTED


def judge_terms(consent: Consent, query: Query, now: float) -> Reason:
    """What the signed terms alone say (rules 8.3 to 8.6)."""
    # Asked this way round, so that a clock that is not a number clears nothing.
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
    """Rule 8.2: whether anything speaks against an item that the license names."""
    consent = held.consent
    spoke: dict[bytes, Masks] = {}
    for address in consent.revokers:
        if masks := knowledge.bits(address):
            spoke[address] = masks
    if not spoke:
        return False
    position = held.position_of(item)
    if position is None:
        raise ValueError("the license does not name the item")
    return any(
        one.at(consent, position, item).is_set(spoke[one.address])
        for one in covering(consent, query)
        if one.address in spoke
    )


def _judge_party(
    on_item: list[LicenseView],
    party: bytes,
    consent: Consent,
    query: Query,
    now: float,
    revoked: Callable[[LicenseView], bool],
) -> Reason:
    """Rule 8.7: an active consent of this party on the same item, with the identical list of parties.

    Only the people on the list can complete or block the item: anybody else's consent does not count.
    """
    covering = [
        other
        for other in on_item
        if other.consent.contributor == party
        and other.consent.parties == consent.parties
        and judge_terms(other.consent, query, now) is Reason.GRANTED
    ]
    if any(not revoked(other) for other in covering):
        return Reason.GRANTED
    return Reason.REVOKED if covering else Reason.INCOMPLETE
