"""Who may use a license besides its grantee: chains of sublicenses (rules 8.5 and 8.15).

A chain leads from the sublicense to the asker, by the parent of each, up to one whose signer is the
consent's grantee. Whether its messages are in force, withdrawn and for the purpose does not depend on
the license, so a chain that passes on a thousand licenses is judged once; what depends on the license is
its consent's purposes, and whom its people stop by `to`.
"""

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Final, NamedTuple, Protocol

from sayso_protocol.messages.withdrawing import withdrawal_scopes
from sayso_protocol.permissions.scopes import scope_text, to_subject
from sayso_protocol.verdicts.covering import RESALE, Place
from sayso_protocol.verdicts.known_bits import KnownBits, set_places, with_scopes
from sayso_protocol.verdicts.query import Query

REMEMBERED: Final = 16_384  # chains whose result `OpenChains` remembers at once
NEVER: Final = float("-inf")
ALWAYS: Final = float("inf")


class PassingTerms(Protocol):
    """PassingTerms is the part of a sublicense that a verdict needs (see Sublicense)."""

    @property
    def signer(self) -> bytes: ...  # noqa: D102 - see Sublicense
    @property
    def parent(self) -> bytes: ...  # noqa: D102
    @property
    def grantee(self) -> bytes: ...  # noqa: D102
    @property
    def purposes(self) -> tuple[str, ...]: ...  # noqa: D102
    @property
    def issued_at(self) -> int: ...  # noqa: D102
    @property
    def expires_at(self) -> int: ...  # noqa: D102


class Hop(NamedTuple):
    """Hop is one sublicense between the consent's grantee and the asker (rule 8.5).

    Attributes:
        digest: Its digest, 32 bytes.
        terms: What it says.
        arrived_at: When it was first heard, seconds since the epoch.
    """

    digest: bytes
    terms: PassingTerms
    arrived_at: float = NEVER


@dataclass(frozen=True)
class Chain:
    """Chain is the way of a license to an asker: sublicenses that all count, the asker's own first.

    Attributes:
        hops: One to four sublicenses.
    """

    hops: tuple[Hop, ...]

    @cached_property
    def ends(self) -> int:
        """Return the least expiry, seconds since the epoch."""
        return min(one.terms.expires_at for one in self.hops)

    @cached_property
    def between(self) -> tuple[bytes, ...]:
        """Return the holders between the consent's grantee and the asker, whom rule 8.2 leaves out."""
        return tuple(one.terms.signer for one in self.hops[:-1])

    def serves(self, purpose: str, now: float) -> bool:
        """Return whether all are in force and have the purpose, and the parents have `resale`."""
        return all(
            one.terms.issued_at <= now < one.terms.expires_at  # false for NaN
            and purpose in one.terms.purposes
            and (RESALE in one.terms.purposes or not place)
            for place, one in enumerate(self.hops)
        )


Chains = Mapping[bytes, Sequence[Chain]]  # by license hash


class LicenseTerms(Protocol):
    """LicenseTerms is the part of a consent that rule 8.5 needs."""

    @property
    def contributor(self) -> bytes:
        """Return the address that gave the permission, 20 bytes."""
        ...

    @property
    def revokers(self) -> tuple[bytes, ...]:
        """Return the addresses that can revoke it: contributor, then guardian if any."""
        ...

    @property
    def purposes(self) -> tuple[str, ...]:
        """Return the purposes of the consent."""
        ...


class PassedOn(Protocol):
    """PassedOn is the source of sublicenses."""

    def chains(self, names: Sequence[bytes], asker: bytes) -> Chains:
        """Return the chains of some licenses to an asker (rule 8.15).

        A license is absent if no sublicense of it to the asker meets the parent rule. A chain with a
        displaced sublicense is left out. Licenses with the same chains should share one object.
        """
        ...


class ChainKnowledge(KnownBits, PassedOn, Protocol):
    """ChainKnowledge is the source of sublicenses, and of the bits that withdraw them."""


class Passage(NamedTuple):
    """Passage is the result of rule 8.5 for one license.

    Attributes:
        is_open: Whether a chain is open.
        ends: The latest expiry of an open chain that is sure; minus infinity if none is sure.
    """

    is_open: bool
    ends: float


DIRECT: Final = Passage(True, ALWAYS)  # noqa: FBT003 - of the consent's grantee, who needs no chain
CLOSED: Final = Passage(False, NEVER)  # noqa: FBT003


class OpenChains:
    """OpenChains finds the open chains of licenses, for one query and moment (rule 8.5).

    Args:
        knowledge: Sublicenses and bits.
        query: Grantee and purpose.
        now: Seconds since the epoch.
        is_sure: Whether a sublicense can be relied on by rule 8.9; by default all can.
    """

    def __init__(
        self,
        knowledge: ChainKnowledge,
        query: Query,
        now: float,
        is_sure: Callable[[Hop], bool] = lambda _hop: True,
    ) -> None:
        self._knowledge, self._query, self._now = knowledge, query, now
        self._is_sure = is_sure
        self._ends: dict[bytes, tuple[float, float]] = {}  # of a chain, by the digest of its first

    def passages(self, some: Mapping[bytes, LicenseTerms]) -> dict[bytes, Passage]:
        """Judge licenses that need a chain, given by hash and terms; all are looked up together.

        A license is absent if no sublicense of it to the asker meets the parent rule.
        """
        return self.judged(some, self.of([*some]))

    def of(self, names: Sequence[bytes]) -> Chains:
        """Return the chains of some licenses to the asker."""
        return self._knowledge.chains(names, self._query.grantee)

    def judged(self, some: Mapping[bytes, LicenseTerms], found: Chains) -> dict[bytes, Passage]:
        """Judge licenses as `passages` does, by chains that were found before."""
        # Most people have set no scope, so their licenses need no look at the holders.
        people = {
            address
            for name, chains in found.items()
            if any(one.between for one in chains)
            for address in some[name].revokers
        }
        loud = self.loud(people)
        return {
            name: self._judge(
                some[name].purposes, chains, None if loud.isdisjoint(some[name].revokers) else some[name]
            )
            for name, chains in found.items()
        }

    def loud(self, people: Collection[bytes]) -> set[bytes]:
        """Return those of some people who have set any scope, and so may stop holders."""
        return with_scopes(self._knowledge, people)

    def common(self, purposes: tuple[str, ...], chains: Sequence[Chain]) -> Passage:
        """Return what holds for all licenses with some purposes and chains whose people are not loud."""
        return self._judge(purposes, chains, None)

    def _judge(
        self, purposes: tuple[str, ...], chains: Sequence[Chain], loud: LicenseTerms | None
    ) -> Passage:
        """Judge a license; `loud` has its terms if its people may stop holders."""
        if self._query.purpose not in purposes or RESALE not in purposes:
            return CLOSED
        is_open, ends = False, NEVER
        for one in chains:
            open_until, sure_until = self._span(one)
            # What could neither open the license nor lengthen it needs no look at its holders.
            is_useful = sure_until > ends if is_open else open_until > NEVER
            if is_useful and not (loud and self._is_stopped(loud, one)):
                is_open, ends = True, max(ends, sure_until)
        return Passage(is_open, ends) if is_open else CLOSED

    def _span(self, chain: Chain) -> tuple[float, float]:
        """Return until when a chain is open, and until when it is sure, whatever its license."""
        key = chain.hops[0].digest
        if key not in self._ends:
            if len(self._ends) >= REMEMBERED:
                self._ends.clear()
            self._ends[key] = self._new_span(chain)
        return self._ends[key]

    def _new_span(self, chain: Chain) -> tuple[float, float]:
        if not chain.serves(self._query.purpose, self._now):
            return NEVER, NEVER
        places = [place for one in chain.hops for place in withdrawing(one)]
        if any(_asked(self._knowledge, places)):
            return NEVER, NEVER
        return chain.ends, chain.ends if all(map(self._is_sure, chain.hops)) else NEVER

    def _is_stopped(self, consent: LicenseTerms, chain: Chain) -> bool:
        """Return whether contributor or guardian stop a holder between grantee and asker."""
        places = stopping(consent, chain.between, self._query.purpose) if chain.between else []
        return any(_asked(self._knowledge, places))


def withdrawing(hop: Hop) -> list[Place]:
    """Return the places of a signer's bits that withdraw its sublicense (rule 5.9)."""
    scopes = withdrawal_scopes(hop.digest, hop.terms.grantee)
    return [Place.of_scope(hop.terms.signer, one) for one in scopes]


def stopping(consent: LicenseTerms, holders: Iterable[bytes], purpose: str) -> list[Place]:
    """Return the places by which the people of a consent stop holders (rule 8.5)."""
    return [
        Place.of_scope(address, scope_text(to_subject(holder), only, ward))
        for address, ward in zip(consent.revokers, (None, consent.contributor), strict=False)
        for holder in holders
        for only in dict.fromkeys((None, purpose, RESALE))
    ]


def is_stopped(known: KnownBits, consent: LicenseTerms, holders: Iterable[bytes], purpose: str) -> bool:
    """Return whether the people of a consent stop one of some holders by `to` (rule 8.5.4).

    OpenChains leaves out asker and grantee, because 8.2 precedes 8.5 in a row's own license.
    """
    return any(_asked(known, stopping(consent, holders, purpose)))


def _asked(known: KnownBits, places: Sequence[Place]) -> list[bool]:
    """Return whether each place of a scope is set; those of addresses without scopes are not asked."""
    asked = with_scopes(known, {one.address for one in places})
    return set_places(known, [one for one in places if one.address in asked])
