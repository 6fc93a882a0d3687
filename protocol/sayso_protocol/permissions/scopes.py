"""Scopes: sentences that revoke more than one permission, and the words they set.

Rule 5.1: a scope is `SUBJECT` or `SUBJECT for PURPOSE`; SUBJECT is `everything`, `via DOMAIN`,
`file 0xHASH`, or, from a guardian, `ward 0xADDRESS` and one of those.
Rule 5.2: its word is `uint248(keccak256(scope)) | 2**247`, bit 0.
Rule 5.3: the grammar binds whoever makes a scope. Nodes carry any ASCII scope of 1..200 bytes, so that
a later grammar needs no new nodes.

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
_FILE = re.compile(r"file 0x[0-9a-f]{64}", re.ASCII)
_WARD = re.compile(r"ward (0x[0-9a-f]{40}) (.+)", re.ASCII)


@lru_cache(1_024)  # a marketplace's domain comes again with every consent
def check_domain(domain: str) -> str:
    """Return a lower-case LDH or punycode domain as it is (rule 3.6); raises InvalidScope."""
    if len(domain) > LIMITS.domain_bytes or not _DOMAIN.fullmatch(domain):
        raise InvalidScope(f"not a lower-case domain such as kled.ai: {domain[:120]!r}")
    return domain


def check_carried(scope: str) -> str:
    """Return the scope if a node may carry it (rule 5.3); raises InvalidScope."""
    printable = scope.isascii() and scope.isprintable()
    if not printable or not 1 <= len(scope) <= LIMITS.scope_bytes:
        raise InvalidScope("a scope is 1 to 200 printable ASCII characters")
    return scope


@lru_cache(4_096)  # `everything` and `via` are asked for again with every row
def scope_word(scope: str) -> int:
    """The word whose bit 0 the scope sets (rule 5.2)."""
    return (int.from_bytes(keccak(scope.encode("ascii"))) & WORD_MASK) | SCOPE_FLAG


def scope_text(subject: str, purpose: str | None, ward: bytes | None) -> str:
    """The sentence about a subject, for one purpose or every, by a contributor or about a ward."""
    sentence = f"{subject} for {purpose}" if purpose else subject
    return sentence if ward is None else f"ward {hex_text(ward)} {sentence}"


@dataclass(frozen=True)
class Scope:
    """A scope that keeps the grammar.

    Attributes:
        subject: `everything`, `via DOMAIN` or `file 0xHASH`.
        purpose: The one purpose it is about, or None for every purpose.
        ward: The contributor a guardian speaks for, 20 bytes, or None.
    """

    subject: str
    purpose: str | None = None
    ward: bytes | None = None

    def __post_init__(self) -> None:
        """Rule 5.1."""
        if self.subject.startswith("via "):
            check_domain(self.subject.removeprefix("via "))
        elif self.subject != "everything" and not _FILE.fullmatch(self.subject):
            raise InvalidScope(f"not everything, via DOMAIN or file 0xHASH: {self.subject[:120]!r}")
        if self.purpose is not None:
            check_purpose(self.purpose)
        if self.ward is not None and len(self.ward) != ADDRESS_BYTES:
            raise InvalidScope("a ward is an address of 20 bytes")

    @property
    def text(self) -> str:
        """The sentence that is signed."""
        return scope_text(self.subject, self.purpose, self.ward)

    @property
    def word(self) -> int:
        """The word whose bit 0 it sets."""
        return scope_word(self.text)

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read a scope as a person writes it; raises InvalidScope or InvalidPurpose."""
        check_carried(text)
        ward = None
        if match := _WARD.fullmatch(text):
            ward, text = bytes.fromhex(match[1][2:]), match[2]
        subject, separator, purpose = text.partition(" for ")
        return cls(subject, purpose if separator else None, ward)


def file_subject(item: bytes) -> str:
    """`file 0x...` for an item hash."""
    return "file " + hex_text(item)
