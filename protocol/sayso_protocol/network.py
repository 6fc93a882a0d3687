"""The network: a chain and the registry on it, to which consents are bound (rule 1.1)."""

from dataclasses import dataclass
from functools import cached_property

from sayso_protocol.encoding.eip712 import domain_separator
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import ADDRESS_BYTES, address_text


@dataclass(frozen=True)
class Network:
    """Network names the chain and registry that a consent is bound to (rule 1.1); raises Malformed.

    Attributes:
        chain_id: EIP-155 chain id.
        registry: Address of the registry contract, 20 bytes.
    """

    chain_id: int
    registry: bytes

    def __post_init__(self) -> None:
        """Check rule 1.1; raises Malformed."""
        if not 0 <= self.chain_id < 1 << 64 or len(self.registry) != ADDRESS_BYTES:
            raise Malformed("a network is a chain id below 2**64 and an address of 20 bytes")

    @cached_property
    def separator(self) -> bytes:
        """Return the EIP-712 domain separator of consents, 32 bytes (rule 4.2)."""
        return domain_separator(self.chain_id, self.registry)

    def __str__(self) -> str:
        """Return a text such as `chain 31337, registry 0x...`."""
        return f"chain {self.chain_id}, registry {address_text(self.registry)}"
