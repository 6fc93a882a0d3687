"""The network: a chain and the registry on it, under which messages are signed (rule 1.1)."""

from dataclasses import dataclass
from functools import cached_property

from sayso_protocol.encoding.eip712 import domain_separator
from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import ADDRESS_BYTES, address_text


@dataclass(frozen=True)
class Network:
    """Network names a chain and the registry on it (rule 1.1); raises Malformed.

    Attributes:
        chain_id: EIP-155 chain id, from 1 to 2**53 - 1: JSON, TOML and JavaScript hold it exactly.
        registry: Address of the registry contract, 20 bytes.
    """

    chain_id: int
    registry: bytes

    def __post_init__(self) -> None:
        """Check rule 1.1; raises Malformed."""
        if not 1 <= self.chain_id <= LIMITS.chain_id or len(self.registry) != ADDRESS_BYTES:
            raise Malformed("a network is a chain id from 1 to 2**53 - 1 and an address of 20 bytes")

    @cached_property
    def separator(self) -> bytes:
        """Return the EIP-712 domain separator of messages signed under it, 32 bytes (rule 4.2)."""
        return domain_separator(self.chain_id, self.registry)

    def __str__(self) -> str:
        """Return a text such as `chain 31337, registry 0x...`."""
        return f"chain {self.chain_id}, registry {address_text(self.registry)}"
