"""What a machine was told, remembered by somebody who never forgets: the oracle's side of a verdict."""

from collections.abc import Iterable, Sequence

from sayso_contracts.events import Event, Revoked
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.chains import Chain
from sayso_protocol.verdicts.disputes import Undisputed
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import (
    License,
    NamedLicense,
    Reason,
    Row,
    Sought,
    is_revoked,
    verdict,
)


class Knowledge(WholeBits, Undisputed):
    """Consents and bits in dictionaries; they only grow."""

    def __init__(self) -> None:
        self.licenses: dict[bytes, License] = {}
        self.messages: dict[bytes, Envelope] = {}
        self._by_item: dict[bytes, list[NamedLicense]] = {}
        self.state: dict[bytes, Masks] = {}

    def hear(self, envelope: Envelope) -> None:
        """Take a message in that was verified."""
        if envelope.digest in self.messages:
            return
        self.messages[envelope.digest] = envelope
        if isinstance(envelope.message, Consent):
            held = License(envelope.message, envelope.items)
            self.licenses[envelope.digest] = held
            for item in held.items:
                self._by_item.setdefault(item, []).append(NamedLicense(envelope.digest, held))
        else:
            revocation = as_kind(envelope.message, Revocation)
            self.add_bits(revocation.contributor, revocation.bits)

    def hear_chain(self, events: Iterable[Event]) -> None:
        """Take events of the chain in."""
        for event in events:
            if isinstance(event, Revoked):
                self.add_bits(event.contributor, {event.word: event.bits})

    def add_bits(self, address: bytes, bits: Masks) -> None:
        self.state[address] = merged(self.state.get(address, {}), bits)

    def license(self, license_hash: bytes) -> License | None:
        return self.licenses.get(license_hash)

    def considered(self, sought: Sought) -> list[NamedLicense]:
        return self._by_item.get(sought.item, [])

    def chains(self, names: Sequence[bytes], asker: bytes) -> dict[bytes, list[Chain]]:
        """Nothing is passed on in the simulation."""
        return {}

    def bits(self, address: bytes) -> Masks:
        return self.state.get(address, {})

    def verdict(self, row: Row, query: Query, now: float) -> Reason:
        """Rules 8.1 to 8.8, from this alone."""
        return verdict(self, row, query, now)

    def speaks_against(self, row: Row, query: Query) -> bool:
        """Rule 8.2, whatever the terms say."""
        held = self.licenses.get(row.license)
        return (
            held is not None
            and held.position_of(row.item) is not None
            and is_revoked(self, held, row.item, query)
        )


class Joined(WholeBits, Undisputed):
    """The consents of one, and the bits of another."""

    def __init__(self, consents: Knowledge, bits: Knowledge) -> None:
        self.license, self.considered, self._bits = consents.license, consents.considered, bits.bits
        self.chains = consents.chains

    def bits(self, address: bytes) -> Masks:
        return self._bits(address)
