"""Somebody with a wallet, whose key is a hash of a name."""

from dataclasses import dataclass

from coincurve import PrivateKey

from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.network import Network
from support.protocol_strategies import NETWORK, address_of, sign_digest, wallet

CHAINS = (NETWORK.chain_id, 1, 8_453)


@dataclass(frozen=True)
class Person:
    """Somebody with a wallet."""

    key: PrivateKey
    address: bytes

    @classmethod
    def named(cls, name: str) -> "Person":
        key = wallet(name)
        return cls(key, address_of(key))

    def sign(self, message: Message, items: tuple[bytes, ...] = ()) -> Envelope:
        """An envelope without sponsor; each person's wallet revokes under the chain id that it is on."""
        place = NETWORK
        if isinstance(message, Revocation):
            place = Network(CHAINS[self.address[-1] % len(CHAINS)], NETWORK.registry)
        return Envelope(message, place, sign_digest(self.key, digest(message, place)), items)
