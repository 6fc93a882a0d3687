"""Whether a row is disputed by somebody who is heeded (rule 8.18).

A dispute is open from its `issuedAt` to its `expiresAt`, unless its signer withdrew it. It is about
files, or about contributors; it stops every row of the file, or of a consent that has the contributor
as a party.
"""

from collections.abc import Collection, Iterable
from typing import NamedTuple, Protocol

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.statements.dispute import CONTRIBUTORS, FILES, contributor_hash
from sayso_protocol.messages.withdrawing import withdrawal_scopes
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.known_bits import KnownBits, set_places, with_scopes
from sayso_protocol.verdicts.query import Query


class Asking(NamedTuple):
    """Asking is whose disputes are looked for, about what, and at which time.

    Attributes:
        subject: `files` or `contributors`.
        heed: The addresses whose disputes count.
        now: Seconds since the epoch.
    """

    subject: str
    heed: tuple[bytes, ...]
    now: float


class Disputed(NamedTuple):
    """Disputed is a hash that a dispute names: item hash or contributor_hash, signer and digest."""

    hash: bytes
    signer: bytes
    digest: bytes


class DisputeKnowledge(Protocol):
    """DisputeKnowledge is the source of the disputes of heeded addresses."""

    def any_disputed(self, asking: Asking) -> bool:
        """Return whether there may be a dispute; False saves all look-ups."""
        ...

    def disputed(self, hashes: Collection[bytes], asking: Asking) -> Collection[bytes]:
        """Return those hashes that open disputes name."""
        ...


class Undisputed:
    """Undisputed knows no disputes (see DisputeKnowledge)."""

    def any_disputed(self, asking: Asking) -> bool:  # noqa: ARG002
        """Return False: no dispute is known."""
        return False

    def disputed(self, hashes: Collection[bytes], asking: Asking) -> Collection[bytes]:  # noqa: ARG002
        """Return no hash: no dispute is known."""
        return ()


def is_disputed(
    knowledge: DisputeKnowledge, consent: Consent, item: bytes, query: Query, now: float
) -> bool:
    """Return whether an open dispute of a heeded address stops an item of a consent (rule 8.18)."""
    if not query.heed:
        return False
    files, people = (Asking(one, query.heed, now) for one in (FILES, CONTRIBUTORS))
    if knowledge.any_disputed(files) and knowledge.disputed([item], files):
        return True
    hashes = [*map(contributor_hash, consent.parties)]
    return knowledge.any_disputed(people) and bool(knowledge.disputed(hashes, people))


def not_withdrawn(known: KnownBits, found: Iterable[Disputed]) -> set[bytes]:
    """Return the hashes of disputes that their signers did not withdraw (rule 5.9)."""
    some = [*found]
    asked = with_scopes(known, {one.signer for one in some})
    digests = {one.digest: one.signer for one in some if one.signer in asked}
    scopes = [(digest, scope) for digest in digests for scope in withdrawal_scopes(digest)]
    places = [Place.of_scope(digests[digest], scope) for digest, scope in scopes]
    pairs = zip(scopes, set_places(known, places), strict=True)
    withdrawn = {digest for (digest, _), is_set in pairs if is_set}
    return {one.hash for one in some if one.digest not in withdrawn}
