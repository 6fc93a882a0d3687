"""What a machine was told, remembered by somebody who never forgets: the oracle's side of a verdict.

It answers by the oracle of tests/support/passing.py, which shares no code with the verdict, so that a
mistake in the verdict is not made on both sides.
"""

from collections.abc import Iterable
from functools import lru_cache

from sayso_contracts.registry.events import Event, Revoked
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row
from simulation.holders import HEEDED
from support.known import Disputing, PassingOn
from support.merging import merged
from support.passing import Oracle, Question

COUNTED, RANKED = 2, 3  # sublicenses that count in the simulation: with 16 and 256 nothing is displaced
_word_of = lru_cache(4_096)(scope_word)


class Knowledge(Oracle):
    """Messages and bits in dictionaries; they only grow."""

    of_signer, of_all = COUNTED, RANKED

    def __init__(self) -> None:
        super().__init__([])
        self.messages: dict[bytes, Envelope] = {}
        self.state: dict[bytes, Masks] = {}
        self.ended: frozenset[bytes] = frozenset()  # statements by which nobody judges any more

    def to(self, name: bytes, grantee: bytes) -> list[bytes]:
        """Those that meet the parent rule and have not ended, in rank."""
        return [one for one in super().to(name, grantee) if one not in self.ended]

    def hear(self, envelope: Envelope) -> None:
        """Take a message in that was verified."""
        if envelope.digest in self.messages:
            return
        self.messages[envelope.digest] = envelope
        match envelope.message:
            case Consent() as consent:
                self.licenses[envelope.digest] = License(consent, envelope.items)
            case Sublicense() as terms:
                self.passed[envelope.digest] = PassingOn(terms, envelope.items)
            case Dispute() as dispute:
                self.disputes[envelope.digest] = Disputing(dispute, envelope.items)
            case Revocation() as revocation:
                self.add_bits(revocation.contributor, revocation.bits)

    def hear_chain(self, events: Iterable[Event]) -> None:
        """Take events of the chain in."""
        for event in events:
            if isinstance(event, Revoked):
                self.add_bits(event.contributor, {event.word: event.bits})

    def add_bits(self, address: bytes, bits: Masks) -> None:
        self.state[address] = merged(self.state.get(address, {}), bits)

    def says(self, who: bytes, sentence: str) -> bool:
        return bool(self.state.get(who)) and self.has_bits(who, _word_of(sentence), 1)

    def has_bits(self, who: bytes, word: int, mask: int) -> bool:
        return bool(self.state.get(who, {}).get(word, 0) & mask)

    def verdict(self, row: Row, query: Query, now: float) -> Reason:
        """Rules 8.1 to 8.8 and 8.18, from this alone."""
        return self.answer(Question(row, query.applied((HEEDED.address,)), now))

    def speaks_against(self, row: Row, query: Query) -> bool:
        """Rule 8.2, whatever the terms say."""
        held = self.licenses.get(row.license)
        return held is not None and row.item in held.items and self.revoked(held, row.item, query)

    def holds(self, who: bytes, named: Iterable[bytes]) -> bool:
        """Whether somebody is a holder of any of these licenses or sublicenses (rule 7.17)."""
        return any(
            (one in self.licenses and self._holds_license(who, one))
            or (one in self.passed and self.is_kept(one) and self.passed[one].terms.grantee == who)
            for one in named
        )

    def _holds_license(self, who: bytes, name: bytes) -> bool:
        grantee = self.licenses[name].consent.grantee
        return grantee == who or any(self.counts(name, one) for one in self.to(name, who))

    def is_kept(self, digest: bytes) -> bool:
        """Whether a sublicense meets the parent rule for any license (rule 7.17)."""
        return any(
            self.depth(name, digest) for name in self.passed[digest].names if name in self.licenses
        )


def joined(consents: Knowledge, bits: Knowledge) -> Knowledge:
    """The consents of one, and the sublicenses, disputes and bits of another."""
    both = Knowledge()
    both.licenses, both.passed, both.state = consents.licenses, bits.passed, bits.state
    both.disputes = bits.disputes
    return both
