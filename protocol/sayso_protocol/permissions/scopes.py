"""Scopes: sentences that revoke more than one permission, and the words that they set.

Rule 5.1: a scope is `SUBJECT` or `SUBJECT for PURPOSE`; SUBJECT is `everything`, `via DOMAIN`,
`file 0xHASH`, `agreement 0xHASH` or `to 0xADDRESS`, and a guardian writes `ward 0xADDRESS` before it.
Scopes about statements of the signer's own are `statement 0xHASH`, `statements` and
`statements to 0xADDRESS`; they take neither a ward nor a purpose.
Rule 5.2: a scope sets bit 0 of the word `uint248(keccak256(scope)) | 2**247`.
Rule 5.3: the grammar binds wallets. Nodes carry any scope of 1 to 200 printable ASCII characters, so
that a later grammar needs no new nodes.

    Scope("everything", purpose="likeness-synthesis").text  # 'everything for likeness-synthesis'
"""

import re
from dataclasses import dataclass
from functools import lru_cache
from typing import Self

from sayso_protocol.errors import InvalidScope
from sayso_protocol.limits import LIMITS
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import ADDRESS_BYTES, hex_text, keccak

SCOPE_FLAG = 1 << 247
WORD_MASK = (1 << 248) - 1

_LABEL = r"[a-z0-9](?:[a-z0-9-]{0,61}[a-z0-9])?"
_DOMAIN = re.compile(rf"{_LABEL}(?:\.{_LABEL})+", re.ASCII)
_NAMED = re.compile(r"(?:file|agreement|statement) 0x[0-9a-f]{64}", re.ASCII)
_ADDRESSED = re.compile(r"(?:statements )?to 0x([0-9a-f]{40})", re.ASCII)
_WITHOUT_VALUE = ("everything", "statements")
_OF_STATEMENTS = "statement"  # every subject that begins so is about the signer's own statements
_WARD = re.compile(r"ward (0x[0-9a-f]{40}) (.+)", re.ASCII)


@lru_cache(1_024)  # many consents name the same marketplace
def check_domain(domain: str) -> str:
    """Return a domain if it is lower-case LDH or punycode (rule 3.6); raises InvalidScope."""
    if len(domain) > LIMITS.domain_bytes or not _DOMAIN.fullmatch(domain):
        raise InvalidScope(f"not a lower-case domain such as kled.ai: {domain[:120]!r}")
    return domain


def check_carried(scope: str) -> str:
    """Return the scope if a node may carry it (rule 5.3); raises InvalidScope."""
    printable = scope.isascii() and scope.isprintable()
    if not printable or not 1 <= len(scope) <= LIMITS.scope_bytes:
        raise InvalidScope("a scope is 1 to 200 printable ASCII characters")
    return scope


@lru_cache(4_096)  # every row needs the words of `everything` and `via`
def scope_word(scope: str) -> int:
    """Return the word whose bit 0 a scope sets (rule 5.2)."""
    return (int.from_bytes(keccak(scope.encode("ascii"))) & WORD_MASK) | SCOPE_FLAG


def scope_text(subject: str, purpose: str | None, ward: bytes | None) -> str:
    """Return the scope of a subject, with a purpose and a guardian's ward if given (rule 5.1)."""
    sentence = f"{subject} for {purpose}" if purpose else subject
    return sentence if ward is None else f"ward {hex_text(ward)} {sentence}"


@dataclass(frozen=True)
class Scope:
    """Scope is a scope in the grammar of rule 5.1.

    Attributes:
        subject: `everything`, `via DOMAIN`, `file 0xHASH`, `agreement 0xHASH` or `to 0xADDRESS`; of the
            signer's own statements `statement 0xHASH`, `statements` or `statements to 0xADDRESS`.
        purpose: The purpose, or None for every purpose.
        ward: The contributor for whom a guardian revokes, 20 bytes, or None.
    """

    subject: str
    purpose: str | None = None
    ward: bytes | None = None

    def __post_init__(self) -> None:
        """Check rule 5.1; raises InvalidScope and InvalidPurpose."""
        _check_subject(self.subject)
        if self.is_of_statements and (self.purpose is not None or self.ward is not None):
            raise InvalidScope("a scope of statements takes neither a ward nor a purpose")
        if self.purpose is not None:
            check_purpose(self.purpose)
        if self.ward is not None and len(self.ward) != ADDRESS_BYTES:
            raise InvalidScope("a ward is an address of 20 bytes")

    @property
    def is_of_statements(self) -> bool:
        """Return whether the scope is about the signer's own statements, and not about permissions."""
        return self.subject.startswith(_OF_STATEMENTS)

    @property
    def text(self) -> str:
        """Return the sentence that is signed."""
        return scope_text(self.subject, self.purpose, self.ward)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Parse a scope (rule 5.1); raises InvalidScope or InvalidPurpose."""
        check_carried(text)
        ward = None
        if match := _WARD.fullmatch(text):
            ward, text = bytes.fromhex(match[1][2:]), match[2]
        subject, separator, purpose = text.partition(" for ")
        return cls(subject, purpose if separator else None, ward)


def file_subject(item: bytes) -> str:
    """Return the subject `file 0x...` for an item hash."""
    return "file " + hex_text(item)


def agreement_subject(agreement: bytes) -> str:
    """Return the subject `agreement 0x...` for the id of an agreement, 32 bytes (rule 5.5)."""
    return "agreement " + hex_text(agreement)


def to_subject(address: bytes) -> str:
    """Return the subject `to 0x...` for an address, 20 bytes."""
    return "to " + hex_text(address)


def _check_subject(subject: str) -> None:
    """Check the subject of rule 5.1; raises InvalidScope."""
    if subject.startswith("via "):
        check_domain(subject.removeprefix("via "))
    elif match := _ADDRESSED.fullmatch(subject):
        if not any(bytes.fromhex(match[1])):
            raise InvalidScope("`to` takes an address other than zero")
    elif subject not in _WITHOUT_VALUE and not _NAMED.fullmatch(subject):
        raise InvalidScope(
            f"not a scope: {subject[:120]!r}; a scope is everything, via DOMAIN, file 0xHASH,"
            " agreement 0xHASH, to 0xADDRESS, statement 0xHASH, statements or statements to 0xADDRESS"
        )
