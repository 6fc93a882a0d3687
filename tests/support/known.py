"""Knowledge in dictionaries: the simplest thing a verdict can be asked about."""

from collections.abc import Collection, Iterable, Sequence
from functools import cache
from typing import NamedTuple

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.chains import Chain, Hop
from sayso_protocol.verdicts.disputes import Asking, Disputed, not_withdrawn
from sayso_protocol.verdicts.held_sublicenses import HeldSublicenses
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.verdict import License, NamedLicense, Sought
from support.merging import merged
from support.protocol_strategies import NETWORK


class PassingOn(NamedTuple):
    """A sublicense with the hashes of its licenses."""

    terms: Sublicense
    names: tuple[bytes, ...]


class Disputing(NamedTuple):
    """A dispute with the hashes that it names."""

    terms: Dispute
    names: tuple[bytes, ...]


Heard = License | Revocation | PassingOn | Disputing


class Known(WholeBits):
    """Remembers every message it hears; signatures were checked before."""

    def __init__(self, heard: Iterable[Heard] = ()) -> None:
        self.licenses: dict[bytes, License] = {}
        self.state: dict[bytes, Masks] = {}
        self._passed = HeldSublicenses(self._grantee_of)
        self.disputes: set[Disputing] = set()
        for message in heard:
            self.hear(message)

    def hear(self, message: Heard) -> None:
        """Take a message in; hearing it again changes nothing."""
        if isinstance(message, Revocation):
            known = self.state.get(message.contributor, {})
            self.state[message.contributor] = merged(known, message.bits)
        elif isinstance(message, PassingOn):
            self._passed.add(Hop(message_hash(message.terms), message.terms), message.names)
        elif isinstance(message, Disputing):
            self.disputes.add(message)
        else:
            self.licenses[license_hash(message.consent)] = message

    def license(self, license_hash: bytes) -> License | None:
        return self.licenses.get(license_hash)

    def consents(self, names: Iterable[bytes]) -> dict[bytes, Consent]:
        return {name: self.licenses[name].consent for name in names if name in self.licenses}

    def considered(self, sought: Sought) -> list[NamedLicense]:
        return [NamedLicense(*one) for one in self.licenses.items() if sought.item in one[1].items]

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        return self._passed.chains(names, asker)

    def any_disputed(self, asking: Asking) -> bool:
        return any(one.terms.signer in asking.heed for one in self.disputes)

    def disputed(self, hashes: Collection[bytes], asking: Asking) -> Collection[bytes]:
        found = (
            Disputed(name, one.terms.signer, message_hash(one.terms))
            for one in self.disputes
            for name in {*one.names} & {*hashes}
            if one.terms.subject == asking.subject
            and one.terms.signer in asking.heed
            and one.terms.issued_at <= asking.now < one.terms.expires_at
        )
        return not_withdrawn(self, found)

    def bits(self, address: bytes) -> Masks:
        return self.state.get(address, {})

    def _grantee_of(self, name: bytes) -> bytes | None:
        held = self.licenses.get(name)
        return held.consent.grantee if held else None


@cache
def message_hash(message: Message) -> bytes:
    """The digest of a message on the test network."""
    return digest(message, NETWORK)


def license_hash(consent: Consent) -> bytes:
    """The id of a consent on the test network."""
    return message_hash(consent)
