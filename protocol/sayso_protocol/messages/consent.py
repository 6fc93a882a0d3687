"""The consent: a contributor licenses items for purposes to a grantee.

The constructor raises if a rule from 3.1 to 3.7 is broken, so every value is valid. Signature and clock
are checked elsewhere.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, fields
from functools import cached_property
from operator import attrgetter, ne
from typing import ClassVar, Final

from sayso_protocol.encoding.columns import Column, filled
from sayso_protocol.errors import InvalidConsent, InvalidRevocation
from sayso_protocol.messages.consent_rules import check_consents, check_items
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.messages.notice import consent_notice
from sayso_protocol.permissions.words import (
    WORD_BITS,
    Masks,
    agreement_id,
    base_word,
    masks_of,
)
from sayso_protocol.primitives import NOBODY

CONSENT_FIELDS = (
    ("string", "notice"),
    ("address", "contributor"),
    ("address[]", "parties"),
    ("address", "grantee"),
    ("string", "via"),
    ("bytes32", "content"),
    ("uint32", "items"),
    ("string[]", "purposes"),
    ("bytes32", "terms"),
    ("string", "termsUri"),
    ("address", "guardian"),
    ("uint64", "issuedAt"),
    ("uint64", "expiresAt"),
    ("uint16", "recheckHours"),
    ("uint16", "removalDays"),
)
_CONTENT, _ITEMS = 5, 6
RECHECK_HOURS: Final = 168  # what tools write for a person who states no other wish
REMOVAL_DAYS: Final = 30


@dataclass(frozen=True)
class Consent:
    """Consent holds the terms that a contributor signs (rules 3.1 to 3.7).

    Attributes:
        contributor: The address that gives the permission, 20 bytes.
        parties: The addresses whose consent the content needs, ascending, with the contributor.
        grantee: The address that is licensed, 20 bytes; zero means anyone.
        via: The marketplace that arranged the license, a lower-case domain, or empty.
        content: Root of the item tree, 32 bytes.
        items: The number of items in the tree.
        purposes: Purpose names, sorted and unique.
        terms: SHA-256 of the license text, 32 bytes; zero for none.
        terms_uri: The https address of the license text, or empty; nodes do not fetch it.
        guardian: The address that may also revoke, 20 bytes; zero means nobody.
        issued_at: Seconds since the epoch.
        expires_at: Seconds since the epoch.
        recheck_hours: For so many hours an answer about the license may be relied on.
        removal_days: Within so many days of a revocation, holders remove what is revoked.
        notice: The sentence that is shown and signed, computed from the other fields (rule 4.6).
    """

    kind: ClassVar[int] = CONSENT

    contributor: bytes
    parties: tuple[bytes, ...]
    grantee: bytes
    via: str
    content: bytes
    items: int
    purposes: tuple[str, ...]
    terms: bytes
    terms_uri: str
    guardian: bytes
    issued_at: int
    expires_at: int
    recheck_hours: int
    removal_days: int
    notice: str = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        """Check rules 3.1 to 3.7; raises InvalidConsent, InvalidPurpose and InvalidScope."""
        check_consents(*zip(_terms(self), strict=False))  # a table of one row
        object.__setattr__(self, "notice", consent_notice(self))

    @property
    def signer(self) -> bytes:
        """See Message."""
        return self.contributor

    @cached_property
    def agreement(self) -> bytes:
        """Return the id of the agreement, 32 bytes, which renewals share (rule 5.5)."""
        return agreement_id(self.grantee, self.via, self.content, self.purposes)

    @cached_property
    def base(self) -> int:
        """Return the consent's first permission word (rule 5.5)."""
        return base_word(self.agreement)

    @cached_property
    def revokers(self) -> tuple[bytes, ...]:
        """Return the addresses that can revoke the consent: contributor, then guardian if any."""
        return (self.contributor,) if self.guardian == NOBODY else (self.contributor, self.guardian)

    def masks(self, items: Iterable[int], purposes: Iterable[str]) -> Masks:
        """Return the permission bits of items, by index, for purposes, as word -> mask (rule 5.5).

        Raises:
            InvalidRevocation: The consent has no such item or purpose.
        """
        rows, names = list(items), list(purposes)
        if not all(0 <= row < self.items for row in rows) or not set(names) <= set(self.purposes):
            raise InvalidRevocation("the consent has no such item or purpose")
        columns = [self.bit_numbers(name) for name in names]
        return masks_of(self.base, (column[row] for row in rows for column in columns))

    def bit_numbers(self, purpose: str) -> range:
        """Return the bit numbers of a purpose, in item order (rule 5.5); raises ValueError."""
        width = len(self.purposes)
        return range(self.purposes.index(purpose), self.items * width, width)

    def bit_of(self, position: int, purpose: str) -> tuple[int, int]:
        """Return word and bit of an item, by index, for a purpose (rule 5.5)."""
        word, bit = divmod(self.bit_numbers(purpose)[position], WORD_BITS)
        return self.base + word, bit

    def check_items(self, items: tuple[bytes, ...]) -> None:
        """Check the item hashes of the envelope (rule 3.7); raises InvalidConsent and Malformed."""
        check_items((self.items,), (self.content,), (items,))


_NAMES = tuple(one.name for one in fields(Consent) if one.init)
_terms = attrgetter(*_NAMES)


def read_consents(columns: Sequence[Column]) -> list[Consent]:
    """Build many consents from the columns of CONSENT_FIELDS, checked together.

    Raises:
        InvalidConsent, InvalidPurpose, InvalidScope: A consent breaks a rule, or its notice is not the
            computed sentence (rule 4.6).
    """
    notices, *terms = columns
    check_consents(*terms)
    consents = filled(Consent, (*_NAMES, "notice"), zip(*terms, notices, strict=True))
    if any(map(ne, notices, map(consent_notice, consents))):
        raise InvalidConsent("the notice is not the sentence that its fields give")
    return consents


def check_consent_items(columns: Sequence[Column], items: Column) -> None:
    """Check the item hashes of many envelopes (rule 3.7); raises InvalidConsent and Malformed."""
    check_items(columns[_ITEMS], columns[_CONTENT], items)
