"""The transaction that deploys a contract wallet before its revocation is relayed (ERC-6492).

It creates a contract whose constructor calls the factory that the signature names, and reverts unless
the wallet then has code. The created contract has no code. So the payer never calls the factory
directly.
"""

from eth_abi.abi import encode

from sayso_contracts.registry.artifact import wallet_deployer_code
from sayso_contracts.registry.calls import Call
from sayso_protocol.primitives import address_text

_ARGUMENTS = ["address", "address", "bytes"]


def deployment_code(wallet: bytes, deployment: Call) -> bytes:
    """Return the init code that deploys `wallet`, 20 bytes, by this call of its factory."""
    arguments = (address_text(wallet), deployment.to, deployment.data)
    return wallet_deployer_code() + encode(_ARGUMENTS, arguments)
