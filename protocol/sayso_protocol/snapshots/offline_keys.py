"""Which keys of a snapshot speak against a permission (rule 13.10): rule 8.2, said in keys.

What a license's people have done at all decides which keys are worth making: of a contributor without
scopes none are.
"""

from collections.abc import Iterator, Sequence
from typing import NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.permissions.scopes import file_subject, scope_words, wide_subjects
from sayso_protocol.permissions.words import WORD_BITS
from sayso_protocol.primitives import NOBODY
from sayso_protocol.snapshots.keys import bit_key, word_key


class Said(NamedTuple):
    """What may speak against a license.

    Attributes:
        permissions: Its contributor has set bits of permissions.
        scopes: Its contributor has set scopes.
        wards: Its guardian has.
    """

    permissions: bool
    scopes: bool
    wards: bool


def wide_keys(consent: Consent, said: Said, purpose: str) -> list[bytes]:
    """The keys of scopes that cover every item of a license."""
    return list(_scope_keys(consent, said, wide_subjects(consent.via), purpose))


def row_keys(consent: Consent, said: Said, position: int, item: bytes, purpose: str) -> list[bytes]:
    """The keys that cover one item, and not every item: its bit, its word, its `file` scopes."""
    keys = list(_scope_keys(consent, said, [file_subject(item)], purpose))
    if said.permissions and purpose in consent.purposes:
        number = position * len(consent.purposes) + consent.purposes.index(purpose)
        word, bit = consent.base + number // WORD_BITS, number % WORD_BITS
        keys += (bit_key(consent.contributor, word, bit), word_key(consent.contributor, word))
    return keys


def _scope_keys(consent: Consent, said: Said, subjects: Sequence[str], purpose: str) -> Iterator[bytes]:
    """Of the contributor and, where there is one, of the guardian."""
    if said.scopes:
        yield from (word_key(consent.contributor, word) for word in scope_words(subjects, purpose))
    if said.wards and consent.guardian != NOBODY:
        words = scope_words(subjects, purpose, consent.contributor)
        yield from (word_key(consent.guardian, word) for word in words)
