"""What speaks against a permission (rule 8.2), enumerated once.

Whatever asks whether a permission is revoked derives it from `covering`: the verdict over one row and
over many, the keys of a snapshot, the places of a chain proof, the look at the chain, misconduct, and
the count of what a revocation will hit. A new subject of scopes is a line in `subjects`.

    any(one.at(consent, position, item).is_set(bits(one.address)) for one in covering(consent, query))
"""

from collections.abc import Iterator
from typing import Final, NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import scope_text, scope_word
from sayso_protocol.permissions.words import Masks
from sayso_protocol.primitives import hex_text
from sayso_protocol.verdicts.query import Query

ITEM: Final = "<item>"  # stands in a subject for the hash of the item


class Place(NamedTuple):
    """One bit: whose, in which word, which; and the scope that sets it, None for a permission's own."""

    address: bytes
    word: int
    bit: int
    scope: str | None

    def is_set(self, bits: Masks) -> bool:
        """Whether it is among these bits of its address."""
        return bool(bits.get(self.word, 0) >> self.bit & 1)


class Cover(NamedTuple):
    """One thing that speaks against items of a consent.

    Attributes:
        address: Whose bit it is, 20 bytes.
        purpose: The purpose whose permission it takes back.
        scope: A sentence, with ITEM where the item's hash belongs; None for the permission's own bit.
    """

    address: bytes
    purpose: str
    scope: str | None = None

    @property
    def wide(self) -> Place | None:
        """Its place, if that is one for all items of a consent."""
        if self.scope is None or ITEM in self.scope:
            return None
        return Place(self.address, scope_word(self.scope), 0, self.scope)

    def at(self, consent: Consent, position: int, item: bytes) -> Place:
        """Its place for one item of the consent, given by index and hash."""
        if self.scope is None:
            return Place(self.address, *consent.bit_of(position, self.purpose), None)
        scope = self.scope.replace(ITEM, hex_text(item))
        return Place(self.address, scope_word(scope), 0, scope)


def covering(consent: Consent, query: Query) -> Iterator[Cover]:
    """Everything that speaks against a consent's items, in the order of rule 10.6."""
    if query.purpose in consent.purposes:
        yield Cover(consent.contributor, query.purpose)
    # The guardian speaks for the contributor, who is its ward.
    for address, ward in zip(consent.revokers, (None, consent.contributor), strict=False):
        for scope in _sentences(subjects(consent, query), query.purpose, ward):
            yield Cover(address, query.purpose, scope)


def covering_all(contributor: bytes, item: bytes, query: Query) -> Iterator[Place]:
    """The scopes by which a contributor takes an item back in whatever consent (rule 9.7)."""
    for scope in _sentences(subjects(None, query), query.purpose, None):
        text = scope.replace(ITEM, hex_text(item))
        yield Place(contributor, scope_word(text), 0, text)


def subjects(consent: Consent | None, query: Query) -> list[str]:  # noqa: ARG001 - rule 5.4 asks nobody
    """The subjects of rule 5.4; without a consent, those that hold whatever its terms."""
    market = [f"via {consent.via}"] if consent and consent.via else []
    return ["everything", f"file {ITEM}", *market]


def _sentences(subjects: list[str], purpose: str, ward: bytes | None) -> Iterator[str]:
    for subject in subjects:
        yield scope_text(subject, None, ward)
        yield scope_text(subject, purpose, ward)
