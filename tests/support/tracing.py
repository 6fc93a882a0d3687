"""Traces from a list of messages and a chain, slowly (section 15), without the code of the node.

The chain is replayed block by block with the oracle of support/passing.py.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import FILES, Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.primitives import NOBODY, address_text, hex_text
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License
from support.known import Heard, PassingOn
from support.passing import Oracle

Json = dict[str, Any]
DAY_S = 86_400
JUDGED, SHOWN = 256, 64  # removals of a holder, and disputes of a license


class Bit(NamedTuple):
    """An event of the registry: bits of one word, set by a block."""

    block: int
    contributor: bytes
    word: int
    mask: int


class Anchored(NamedTuple):
    """A batch that a block anchored."""

    block: int
    digests: tuple[bytes, ...]


@dataclass(frozen=True)
class Chain:
    """What a chain says; `times` lacks the blocks whose time is not known."""

    events: Sequence[Bit] = ()
    batches: Sequence[Anchored] = ()
    times: Mapping[int, int] = field(default_factory=dict)
    final: int | None = None

    def is_final(self, block: int) -> bool:
        return self.final is not None and block <= self.final

    def first_anchor(self, digest: bytes) -> int | None:
        some = [one.block for one in self.batches if digest in one.digests and self.is_final(one.block)]
        return min(some, default=None)


class Bits(Oracle):
    """The oracle of verdicts over given bits."""

    def __init__(self, history: list[Heard], state: Mapping[tuple[bytes, int], int]) -> None:
        super().__init__(history)
        self._state = state

    def says(self, who: bytes, sentence: str) -> bool:
        return self.has_bits(who, scope_word(sentence), 1)

    def has_bits(self, who: bytes, word: int, mask: int) -> bool:
        return bool(self._state.get((who, word), 0) & mask)


class Tracing:
    """The trace of one license, of which all messages are kept."""

    def __init__(self, told: Iterable[Envelope], chain: Chain, name: bytes) -> None:
        self._told = {one.digest: one for one in told}
        self._chain, self._name = chain, name
        self._stops = [one for one in self._told.values() if isinstance(one.message, Revocation)]
        self._now = self._oracle(self._stops, chain.events)
        self._held = self._now.licenses[name]

    def holders(self) -> list[Json]:
        """All holders, by address."""
        consent = self._held.consent
        found = {consent.grantee} - {NOBODY}
        passed = self._now.passed.items()
        found |= {one.terms.grantee for x, one in passed if self._now.depth(self._name, x)}
        return [self._holder(one) for one in sorted(found)]

    def disputes(self) -> list[Json]:
        """The disputes of the license, which are all kept."""
        people = {bytes(12) + one for one in self._held.consent.parties}
        about = {
            x: one.message
            for x, one in sorted(self._told.items())
            if isinstance(one.message, Dispute)
            and {*one.items} & ({*self._held.items} if one.message.subject == FILES else people)
        }
        return [self._stated(x, one) for x, one in [*about.items()][:SHOWN]]

    def _holder(self, address: bytes) -> Json:
        passed = self._now.to(self._name, address)
        passed = [one for one in passed if self._now.counts(self._name, one)]
        names = [self._name, *passed]
        terms = {one: self._now.passed[one].terms for one in passed}
        purposes = {purpose for one in terms.values() for purpose in one.purposes}
        if address == self._held.consent.grantee:
            purposes.update(self._held.consent.purposes)
        uses = self._said(names, address, Use)
        return {
            "address": address_text(address),
            "sublicenses": [self._stated(*one) for one in terms.items()],
            "uses": [self._stated(x, one) for x, one in sorted(uses)],
            "lines": [*self._lines(address, purposes, self._said(names, address, Removal))],
        }

    def _stated(self, digest: bytes, message: Message) -> Json:
        return {"digest": hex_text(digest), "withdrawn": self._is_withdrawn(digest, message)}

    def _said(
        self, names: Sequence[bytes], who: bytes, kind: type[Use] | type[Removal]
    ) -> list[tuple[bytes, Any]]:
        """What somebody stated about the first of some names, then about the next."""
        found = {
            x: one.message
            for name in names
            for x, one in sorted(self._told.items())
            if isinstance(one.message, kind) and one.message.signer == who and name in one.items
        }
        return [*found.items()]

    def _is_withdrawn(self, digest: bytes, message: Message) -> bool:
        scopes = [f"statement {hex_text(digest)}", "statements"]
        if isinstance(message, Sublicense):
            scopes.append(f"statements to {hex_text(message.grantee)}")
        return any(self._now.says(message.signer, one) for one in scopes)

    def _lines(
        self, who: bytes, purposes: Iterable[str], removals: list[tuple[bytes, Any]]
    ) -> Iterator[Json]:
        counting = [
            (anchored, x, one.as_of_block)
            for x, one in removals[:JUDGED]
            if (anchored := self._chain.first_anchor(x)) is not None and not self._is_withdrawn(x, one)
        ]
        for block, pairs in self._landings(who, purposes):
            first = min(
                (one for one in counting if block is not None and block <= one[2] <= one[0]),
                default=None,
            )
            due = None
            if block is not None and block in self._chain.times:
                due = self._chain.times[block] + self._held.consent.removal_days * DAY_S
            yield {
                "landing": block,
                "items": len({item for item, _ in pairs}),
                "permissions": len(pairs),
                "purposes": sorted({purpose for _, purpose in pairs}),
                "due": due,
                "standing": "confirmed" if first else self._standing(due),
                "removal": hex_text(first[1]) if first else None,
                "confirmed": self._chain.times.get(first[0]) if first else None,
            }

    def _standing(self, due: int | None) -> str:
        final = self._chain.final
        now = None if final is None else self._chain.times.get(final)
        if due is None or now is None:
            return "undated"
        return "late" if now > due else "due"

    def _landings(
        self, who: bytes, purposes: Iterable[str]
    ) -> Iterator[tuple[int | None, set[tuple[bytes, str]]]]:
        """What each block revoked for somebody; None for what no final block did."""
        wanted = sorted({*purposes} & {*self._held.consent.purposes})
        left = {(item, purpose) for item in self._held.items for purpose in wanted}
        blocks = {one.block for one in self._chain.events} | {one.block for one in self._chain.batches}
        for block in (*sorted(filter(self._chain.is_final, blocks)), None):
            oracle = self._now if block is None else self._by(block)
            found = {
                (item, purpose)
                for item, purpose in left
                if oracle.revoked(self._held, item, Query(who, purpose))
            }
            if found:
                yield block, found
            left -= found

    def _by(self, block: int) -> Bits:
        """What the chain said by a block."""
        batched = {x for one in self._chain.batches if one.block <= block for x in one.digests}
        stops = [one for one in self._stops if one.digest in batched]
        return self._oracle(stops, [one for one in self._chain.events if one.block <= block])

    def _oracle(self, stops: Iterable[Envelope], events: Iterable[Bit]) -> Bits:
        bits = [((one.contributor, one.word), one.mask) for one in events]
        for one in stops:
            assert isinstance(one.message, Revocation)
            bits += [((one.message.contributor, word), x) for word, x in one.message.bits.items()]
        state: dict[tuple[bytes, int], int] = {}
        for place, mask in bits:
            state[place] = state.get(place, 0) | mask
        heard = [one for one in map(_heard, self._told.values()) if one is not None]
        return Bits(heard, state)


def _heard(one: Envelope) -> Heard | None:
    match one.message:
        case Consent() as consent:
            return License(consent, one.items)
        case Sublicense() as terms:
            return PassingOn(terms, one.items)
        case _:
            return None
