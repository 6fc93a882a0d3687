"""The verdict: may this item be used for this purpose by this grantee, now?

A pure function of what is known and the time. `granted` is the only clear answer and the last line of
the function: no path fails open. The steps carry the rule numbers of docs/protocol.md, section 8.

    verdict(knowledge, Row(license_hash, item), Query(grantee, "train-ai"), now=1_760_000_000)
"""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cached_property
from typing import NamedTuple, Protocol

from sayso_protocol.messages import Consent
from sayso_protocol.primitives import ANYONE, NOBODY
from sayso_protocol.purposes import check_purpose
from sayso_protocol.scopes import scope_word, scopes_over
from sayso_protocol.words import WORD_BITS, Masks


class Reason(StrEnum):
    """Why a row is, or is not, clear. `granted` is the only clear one."""

    GRANTED = "granted"
    REVOKED = "revoked"
    EXPIRED = "expired"
    NOT_YET_VALID = "not-yet-valid"
    PURPOSE_NOT_GRANTED = "purpose-not-granted"
    OTHER_GRANTEE = "other-grantee"
    INCOMPLETE = "incomplete"
    UNKNOWN = "unknown"
    STALE = "stale"


class Row(NamedTuple):
    """One line of a buyer's manifest: the license it relies on and the item, 32 bytes each."""

    license: bytes
    item: bytes


@dataclass(frozen=True)
class Query:
    """Who asks, and what for.

    Attributes:
        grantee: Who would use the data, 20 bytes.
        purpose: What for, a purpose name; raises InvalidPurpose if it is not well formed.
    """

    grantee: bytes
    purpose: str

    def __post_init__(self) -> None:
        """A purpose is a name, or two scopes could read alike (rule 3.3)."""
        check_purpose(self.purpose)


@dataclass(frozen=True)
class License:
    """A verified consent with its item hashes.

    Attributes:
        consent: The signed terms.
        items: Its item hashes, in order.
    """

    consent: Consent
    items: tuple[bytes, ...]

    @cached_property
    def positions(self) -> Mapping[bytes, int]:
        """Item hash -> its index."""
        return {item: index for index, item in enumerate(self.items)}


class Knowledge(Protocol):
    """What a verdict looks up; a node answers from its store, a test from a dictionary."""

    def license(self, license_hash: bytes) -> License | None:
        """The license of this hash, if it is held."""
        ...

    def licenses_on(self, item: bytes) -> Iterable[License]:
        """Every held license on an item hash."""
        ...

    def bits(self, address: bytes) -> Masks:
        """All bits that this contributor or guardian has set."""
        ...


def verdict(knowledge: Knowledge, row: Row, query: Query, now: float) -> Reason:
    """Judge one row (rules 8.1 to 8.8)."""
    held = knowledge.license(row.license)
    # 8.1 A license that is not held, or that does not name the item, is unknown.
    if held is None or row.item not in held.positions:
        return Reason.UNKNOWN
    # 8.2 Revoked comes first: it holds whatever else is true.
    if is_revoked(knowledge, held, row.item, query.purpose):
        return Reason.REVOKED
    # 8.3 - 8.6 The terms.
    terms = judge_terms(held.consent, query, now)
    if terms is not Reason.GRANTED:
        return terms
    # 8.7 Everyone else whose consent the content needs.
    for party in held.consent.parties:
        if party != held.consent.contributor:
            reason = _judge_party(knowledge, party, held.consent, row.item, query, now)
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


def is_revoked(knowledge: Knowledge, held: License, item: bytes, purpose: str) -> bool:
    """Rule 8.2: the permission bit, the contributor's six scopes, the guardian's six."""
    consent = held.consent
    own = knowledge.bits(consent.contributor)
    if own and (
        _permission_set(own, held, item, purpose)
        or _any_scope(own, scopes_over(consent.via, item, purpose))
    ):
        return True
    if consent.guardian == NOBODY:
        return False
    guardians = knowledge.bits(consent.guardian)
    return bool(guardians) and _any_scope(
        guardians, scopes_over(consent.via, item, purpose, ward=consent.contributor)
    )


def _permission_set(own: Masks, held: License, item: bytes, purpose: str) -> bool:
    consent = held.consent
    if purpose not in consent.purposes:
        return False
    number = held.positions[item] * len(consent.purposes) + consent.purposes.index(purpose)
    return bool(own.get(consent.base + number // WORD_BITS, 0) >> number % WORD_BITS & 1)


def _any_scope(bits: Masks, scopes: Iterable[str]) -> bool:
    return any(bits.get(scope_word(scope), 0) & 1 for scope in scopes)


def _judge_party(
    knowledge: Knowledge, party: bytes, consent: Consent, item: bytes, query: Query, now: float
) -> Reason:
    """Rule 8.7: an active consent of this party on the same item, with the identical list of parties.

    Only the people on the list can complete or block the item: anybody else's consent does not count.
    """
    covering = [
        other
        for other in knowledge.licenses_on(item)
        if other.consent.contributor == party
        and other.consent.parties == consent.parties
        and judge_terms(other.consent, query, now) is Reason.GRANTED
    ]
    if any(not is_revoked(knowledge, other, item, query.purpose) for other in covering):
        return Reason.GRANTED
    return Reason.REVOKED if covering else Reason.INCOMPLETE
