"""Knowledge in dictionaries: the simplest thing a verdict can be asked about."""

from collections.abc import Iterable
from functools import cache

from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.permissions.bits import merged
from sayso_protocol.permissions.words import Masks
from sayso_protocol.verdicts.known_bits import WholeBits
from sayso_protocol.verdicts.verdict import License, Sought
from support.protocol_strategies import NETWORK


class Known(WholeBits):
    """Remembers every message it hears; signatures were checked before."""

    def __init__(self, heard: Iterable[License | Revocation] = ()) -> None:
        self.licenses: dict[bytes, License] = {}
        self.state: dict[bytes, Masks] = {}
        for message in heard:
            self.hear(message)

    def hear(self, message: License | Revocation) -> None:
        """Take a message in; hearing it again changes nothing."""
        if isinstance(message, Revocation):
            known = self.state.get(message.contributor, {})
            self.state[message.contributor] = merged(known, message.bits)
        else:
            self.licenses[license_hash(message.consent)] = message

    def license(self, license_hash: bytes) -> License | None:
        return self.licenses.get(license_hash)

    def consents(self, names: Iterable[bytes]) -> dict[bytes, Consent]:
        return {name: self.licenses[name].consent for name in names if name in self.licenses}

    def considered(self, sought: Sought) -> list[License]:
        return [held for held in self.licenses.values() if sought.item in held.items]

    def bits(self, address: bytes) -> Masks:
        return self.state.get(address, {})


@cache
def license_hash(consent: Consent) -> bytes:
    """The id of a consent on the test network."""
    return digest(consent, NETWORK)
