"""The revocation: a contributor or a guardian sets bits, which nothing ever clears.

The constructor raises if rule 3.8 or 3.9 is broken, so every value is valid. The signature is checked
elsewhere.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import ClassVar

from sayso_protocol.encoding.columns import Column
from sayso_protocol.errors import InvalidRevocation
from sayso_protocol.limits import LIMITS
from sayso_protocol.messages.message import REVOCATION
from sayso_protocol.permissions.scopes import SCOPE_FLAG, check_carried, scope_word
from sayso_protocol.permissions.words import FULL, Masks
from sayso_protocol.primitives import ADDRESS_BYTES

REVOCATION_NOTICE = (
    "I take back what is listed here, now and for ever, wherever my signature counts. "
    "This cannot be undone."
)
REVOCATION_FIELDS = (
    ("string", "notice"),
    ("address", "contributor"),
    ("string[]", "scopes"),
    ("uint248[]", "words"),
    ("uint256[]", "masks"),
)


@dataclass(frozen=True)
class Revocation:
    """Revocation holds the bits and scopes that a contributor or guardian sets (rules 3.8 and 3.9).

    Attributes:
        contributor: The address that signs, 20 bytes.
        scopes: Scopes, such as `everything for likeness-synthesis`.
        words: Permission words, below 2**247.
        masks: The bits to set, one mask for each word.
    """

    kind: ClassVar[int] = REVOCATION

    contributor: bytes
    scopes: tuple[str, ...] = ()
    words: tuple[int, ...] = ()
    masks: tuple[int, ...] = ()

    def __post_init__(self) -> None:
        """Check rules 3.8 and 3.9; raises InvalidRevocation and InvalidScope."""
        if len(self.contributor) != ADDRESS_BYTES or not any(self.contributor):
            raise InvalidRevocation("the contributor is missing")
        if not self.scopes and not self.words:
            raise InvalidRevocation("it revokes nothing")
        if len(self.scopes) > LIMITS.scopes or len(self.words) > LIMITS.words:
            raise InvalidRevocation(f"at most {LIMITS.scopes} scopes and {LIMITS.words} words")
        if len(self.words) != len(self.masks):
            raise InvalidRevocation("words and masks differ in number")
        for scope in self.scopes:
            check_carried(scope)
        # Only its sentence may set a scope word, so that the wallet shows what the signature revokes.
        if not all(0 <= word < SCOPE_FLAG for word in self.words):
            raise InvalidRevocation("a signed word must be below 2**247")
        if not all(0 < mask <= FULL for mask in self.masks):
            raise InvalidRevocation("a mask must have 1 to 256 bits set")

    @property
    def signer(self) -> bytes:
        """See Message."""
        return self.contributor

    @property
    def notice(self) -> str:
        """Return the constant sentence that is shown and signed (rule 4.6)."""
        return REVOCATION_NOTICE

    @cached_property
    def bits(self) -> Masks:
        """Return all bits that the revocation sets: word -> mask."""
        bits: Masks = {}
        for word, mask in zip(self.words, self.masks, strict=True):
            bits[word] = bits.get(word, 0) | mask
        for scope in self.scopes:
            bits[scope_word(scope)] = 1
        return bits


def read_revocations(columns: Sequence[Column]) -> list[Revocation]:
    """Build revocations from the columns of REVOCATION_FIELDS.

    Raises:
        InvalidRevocation, InvalidScope: A revocation breaks a rule or has another notice (rule 4.6).
    """
    notices, *rest = columns
    revocations = [Revocation(*row) for row in zip(*rest, strict=True)]
    if {REVOCATION_NOTICE} != set(notices):
        raise InvalidRevocation("the notice is not the one of a revocation")
    return revocations
