"""The bits and scopes that revoke a permission (rule 8.2).

All code that judges revocation uses `covering`: verdicts, the keys of snapshots, the places of chain
proofs, the reader of the chain, misconduct, and the count of the permissions that a revocation hits. A
new subject of scopes is a line in `subjects`, and a further purpose that a query needs is a line in
`covering`.

    any(one.at(consent, position, item).is_set(bits(one.address)) for one in covering(consent, query))
"""

from collections.abc import Container, Iterator
from dataclasses import replace
from typing import Final, NamedTuple, Self

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import agreement_subject, scope_text, scope_word, to_subject
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import ANYONE, NOBODY, hex_text
from sayso_protocol.verdicts.query import Query

RESALE: Final = "resale"  # the purpose of passing a license on
_FOR_RESALE: Final = f" for {RESALE}"
ITEM: Final = "<item>"  # placeholder in a subject for the item hash


class Place(NamedTuple):
    """Place is one bit of an address.

    Attributes:
        address: The address whose bit it is, 20 bytes.
        word: The word, below 2^248.
        bit: The number of the bit, 0 to 255.
        scope: The scope that sets the bit; None for a permission's own bit.
    """

    address: bytes
    word: int
    bit: int
    scope: str | None

    @classmethod
    def of_scope(cls, address: bytes, scope: str) -> Self:
        """Return the place of a scope in the bits of an address (rule 5.2)."""
        return cls(address, scope_word(scope), 0, scope)

    def is_set(self, bits: Masks) -> bool:
        """Return whether the bit is set in the masks of its address."""
        return bool(bits.get(self.word, 0) >> self.bit & 1)


class Cover(NamedTuple):
    """Cover is a scope or bit that revokes items of a consent.

    Attributes:
        address: The address whose bit it is, 20 bytes.
        purpose: The purpose of the revoked permission.
        scope: The scope, with ITEM for the item's hash; None for the permission's own bit.
    """

    address: bytes
    purpose: str
    scope: str | None = None

    @property
    def wide(self) -> Place | None:
        """Return the place of a scope that covers all items of a consent; otherwise None."""
        if self.scope is None or ITEM in self.scope:
            return None
        return Place.of_scope(self.address, self.scope)

    def at(self, consent: Consent, position: int, item: bytes) -> Place:
        """Return the place for one item of a consent, given by index and hash (rules 5.2 and 5.5)."""
        if self.scope is None:
            return Place(self.address, *consent.bit_of(position, self.purpose), None)
        return Place.of_scope(self.address, self.scope.replace(ITEM, hex_text(item)))


def covering(
    consent: Consent, query: Query, with_scopes: Container[bytes] | None = None
) -> Iterator[Cover]:
    """Yield all bits and scopes that revoke items of a consent, in the order of rule 10.6.

    Args:
        consent: The consent.
        query: The grantee that asks, and the purpose.
        with_scopes: The addresses that have set the bit of a scope; scopes of others are left out.
            None leaves out none.
    """
    yield from _for_purpose(consent, query, with_scopes)
    if needs_chain(consent, query) and query.purpose != RESALE:
        # Who is not the grantee holds by sublicenses, which `resale` permits (8.2.6).
        for one in _for_purpose(consent, replace(query, purpose=RESALE), with_scopes):
            if one.scope is None or one.scope.endswith(_FOR_RESALE):  # the others came before
                yield one


def needs_chain(consent: Consent, query: Query) -> bool:
    """Return whether the asker is another than the consent's grantee, which is not zero (rule 8.5)."""
    return consent.grantee not in (ANYONE, query.grantee)


def covering_all(contributor: bytes, item: bytes, query: Query) -> Iterator[Place]:
    """Yield the places of the scopes that stop a query for an item in every consent (rule 9.7.4)."""
    for scope in _sentences(subjects(None, query), query.purpose, None):
        yield Place.of_scope(contributor, scope.replace(ITEM, hex_text(item)))


def _for_purpose(
    consent: Consent, query: Query, with_scopes: Container[bytes] | None
) -> Iterator[Cover]:
    """Yield what revokes items of a consent for the purpose of a query (rule 8.2)."""
    if query.purpose in consent.purposes:
        yield Cover(consent.contributor, query.purpose)
    # A guardian revokes for the contributor, who is its ward.
    for address, ward in zip(consent.revokers, (None, consent.contributor), strict=False):
        if with_scopes is None or address in with_scopes:
            for scope in _sentences(subjects(consent, query), query.purpose, ward):
                yield Cover(address, query.purpose, scope)


def subjects(consent: Consent | None, query: Query) -> tuple[str, ...]:
    """Return the subjects of rule 5.4; without a consent, those that do not depend on its terms."""
    if consent is None:
        return ("everything", f"file {ITEM}", *_to(query.grantee))
    return (
        "everything",
        agreement_subject(consent.agreement),
        f"file {ITEM}",
        *((f"via {consent.via}",) if consent.via else ()),
        *_to(consent.grantee),
        *(_to(query.grantee) if query.grantee != consent.grantee else ()),
    )


def _to(address: bytes) -> tuple[str, ...]:
    return (to_subject(address),) if address != NOBODY else ()


def _sentences(subjects: tuple[str, ...], purpose: str, ward: bytes | None) -> tuple[str, ...]:
    return tuple(scope_text(subject, only, ward) for subject in subjects for only in (None, purpose))
