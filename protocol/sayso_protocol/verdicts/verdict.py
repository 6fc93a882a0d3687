"""The verdict: whether an item may be used for a purpose by a grantee at a time.

The verdict is a pure function of known messages and the time. `granted` is the only clear answer and the
last statement, so that no path fails open. The comments cite the rules of docs/protocol.md, section 8.

    verdict(knowledge, Row(license_hash, item), Query(grantee, "train-ai"), now=1_760_000_000)
"""

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE
from sayso_protocol.verdicts.covering import covering
from sayso_protocol.verdicts.query import Query


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

    @property
    def number(self) -> int:
        """Return the number that encodes the reason in one byte, from 1 (section 8)."""
        return _NUMBERS[self]


_NUMBERS = {reason: number for number, reason in enumerate(Reason, 1)}
REASONS = {number: reason for reason, number in _NUMBERS.items()}


class Row(NamedTuple):
    """Row is one line of a manifest: license hash and item hash, 32 bytes each."""

    license: bytes
    item: bytes


class LicenseView(Protocol):
    """LicenseView is the part of a license that a verdict needs."""

    @property
    def consent(self) -> Consent:
        """Return the signed terms."""
        ...

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


class KnownBits(Protocol):
    """KnownBits holds the revoked bits of all addresses."""

    def bits(self, address: bytes) -> Masks:
        """Return the bits that a contributor or guardian has set, as word -> mask."""
        ...


class RevokedBits:
    """RevokedBits holds the bits of given revocations (see KnownBits)."""

    def __init__(self, revocations: Iterable[Revocation]) -> None:
        self._bits: dict[bytes, Masks] = {}
        for one in revocations:
            self._bits[one.contributor] = merged(self.bits(one.contributor), one.bits)

    def bits(self, address: bytes) -> Masks:
        """Return the bits that the revocations set for an address, as word -> mask."""
        return self._bits.get(address, {})


class Knowledge(KnownBits, Protocol):
    """Knowledge is the source of licenses and bits for a verdict, such as a node's store."""

    def license(self, license_hash: bytes) -> LicenseView | None:
        """Return the license with a hash, or None if it is not held."""
        ...

    def licenses_on(self, item: bytes) -> Iterable[LicenseView]:
        """Return every held license on an item hash."""
        ...


def verdict(knowledge: Knowledge, row: Row, query: Query, now: float) -> Reason:
    """Judge one row (rules 8.1 to 8.8)."""
    held = knowledge.license(row.license)
    # 8.1 The license is not held, or does not name the item.
    if held is None or held.position_of(row.item) is None:
        return Reason.UNKNOWN
    # 8.2 `revoked` precedes all other rules.
    if is_revoked(knowledge, held, row.item, query):
        return Reason.REVOKED
    # 8.3 - 8.6 The terms.
    terms = judge_terms(held.consent, query, now)
    if terms is not Reason.GRANTED:
        return terms
    # 8.7 The consents of the other parties.
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
    """Judge an item by the consents of the other parties (rules 8.7 and 8.8).

    Args:
        on_item: Every held license on the item.
        consent: The consent that the row names.
        query: Grantee and purpose.
        now: Seconds since the epoch.
        revoked: Returns whether the permission is revoked in another license (rule 8.2).
    """
    held = [*on_item]
    for party in consent.parties:
        if party != consent.contributor:
            reason = _judge_party(held, party, consent, query, now, revoked)
            if reason is not Reason.GRANTED:
                return reason
    # 8.8 No rule denies the row.
    return Reason.GRANTED


def judge_terms(consent: Consent, query: Query, now: float) -> Reason:
    """Judge a consent by its signed terms alone (rules 8.3 to 8.6)."""
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
    bits: dict[bytes, Masks] = {}
    for address in consent.revokers:
        if masks := knowledge.bits(address):
            bits[address] = masks
    if not bits:
        return False
    position = held.position_of(item)
    if position is None:
        raise Malformed("the license does not name the item")
    return any(
        one.at(consent, position, item).is_set(bits[one.address])
        for one in covering(consent, query)
        if one.address in bits
    )


def _judge_party(
    on_item: list[LicenseView],
    party: bytes,
    consent: Consent,
    query: Query,
    now: float,
    revoked: Callable[[LicenseView], bool],
) -> Reason:
    """Judge one party by its active consents on the item with the identical parties (rule 8.7).

    Consents of people outside the list do not count, so nobody else can complete or block the item.
    """
    active = [
        other
        for other in on_item
        if other.consent.contributor == party
        and other.consent.parties == consent.parties
        and judge_terms(other.consent, query, now) is Reason.GRANTED
    ]
    if any(not revoked(other) for other in active):
        return Reason.GRANTED
    return Reason.REVOKED if active else Reason.INCOMPLETE
