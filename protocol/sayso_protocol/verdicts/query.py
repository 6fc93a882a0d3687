"""The query of a verdict: grantee, purpose, and whose disputes count (section 8)."""

from dataclasses import dataclass, replace
from itertools import pairwise
from typing import Self

from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.permissions.purposes import check_purpose
from sayso_protocol.primitives import ADDRESS_BYTES, NOBODY

Heed = tuple[bytes, ...]


@dataclass(frozen=True)
class Query:
    """Query is what is asked about a row; it raises InvalidPurpose and Malformed (rule 8.12).

    Attributes:
        grantee: The address that would use the data, 20 bytes.
        purpose: A well-formed purpose (rule 3.3).
        heed: The addresses whose disputes count, 20 bytes each, ascending (rule 8.17); None leaves
            them to whoever answers, and a verdict without them regards no disputes.
    """

    grantee: bytes
    purpose: str
    heed: Heed | None = None

    def __post_init__(self) -> None:
        """Check the purpose, so that two scopes cannot have the same text (rule 3.3), and the list."""
        check_purpose(self.purpose)
        if self.heed is not None:
            check_heed(self.heed)

    def applied(self, default: Heed) -> Self:
        """Return the query with a list of addresses: its own, or else the default (rule 8.17.2)."""
        return replace(self, heed=default) if self.heed is None else self

    def is_answered_by(self, other: "Query") -> bool:
        """Return whether an answer to another query answers this one: it states the list asked for."""
        return replace(other, heed=self.heed) == self and self.heed in (None, other.heed)


def check_heed(heed: Heed) -> None:
    """Check a list of heeded addresses (rule 8.17.1); raises Malformed."""
    if len(heed) > LIMITS.heeded:
        raise Malformed(f"{len(heed)} heeded addresses, the limit is {LIMITS.heeded}")
    if NOBODY in heed or any(len(one) != ADDRESS_BYTES for one in heed):
        raise Malformed("a heeded address has 20 bytes and is not zero")
    if any(one >= after for one, after in pairwise(heed)):
        raise Malformed("heeded addresses are ascending, each once")
