"""The address of the registry, which is the same on every chain.

The address follows from the deployer's address, SALT and the shipped bytecode (EIP-1014). The deployer
is the contract at 0x4e59...956C, which nobody controls. A chain that lacks it gets it from a transaction
whose sender has no known key.
"""

from sayso_contracts.registry.artifact import creation_code
from sayso_contracts.registry.calls import Call
from sayso_protocol.primitives import address_from_text, address_text, keccak

SALT = keccak(b"Sayso registry 1")
DEPLOYER = "0x4e59b44847b379578588920cA78FbF26c0B4956C"

# The transaction that creates the deployer. It has no chain id, and its signature is a plain pattern, so
# that nobody can have the key. Its sender needs exactly the gas limit times the gas price.
DEPLOYER_SENDER = "0x3fAB184622Dc19b6109349B94811493BF2a45362"
DEPLOYER_FUNDS = 10**16  # wei: 100,000 gas at 100 gwei
DEPLOYER_CODE = bytes.fromhex(
    "7fffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffffe0"
    "3601600081602082378035828234f58015156039578182fd5b8082525050506014600cf3"
)
DEPLOYER_TRANSACTION = (
    bytes.fromhex("f8a58085174876e800830186a08080b853604580600e600039806000f350fe")
    + DEPLOYER_CODE
    + bytes.fromhex("1ba0" + "22" * 32 + "a0" + "22" * 32)
)


def registry_address() -> str:
    """Return the address of this release's registry on every chain (EIP-1014)."""
    start = b"\xff" + address_from_text(DEPLOYER) + SALT
    return address_text(keccak(start + keccak(creation_code()))[12:])


def deployment_call() -> Call:
    """Return the call of the deployer that creates the registry."""
    return Call(DEPLOYER, SALT + creation_code())
