"""The transaction that deploys a contract wallet before a revocation of it is relayed (ERC-6492).

It creates a contract whose constructor calls the factory that the signature names, and reverts unless
the wallet has code then; it leaves no code itself. So whoever pays never calls the factory as himself.
"""

from eth_abi.abi import decode, encode

from sayso_contracts.artifact import wallet_deployer_code
from sayso_contracts.calls import Call
from sayso_protocol.primitives import address_from_text, address_text

_ARGUMENTS = ["address", "address", "bytes"]


def deployment_code(wallet: bytes, deployment: Call) -> bytes:
    """The data of a contract creation that deploys `wallet`, 20 bytes, by this call of its factory."""
    arguments = (address_text(wallet), deployment.to, deployment.data)
    return wallet_deployer_code() + encode(_ARGUMENTS, arguments)


def wallet_of(code: bytes) -> bytes:
    """The wallet that such data deploys."""
    wallet, _, _ = decode(_ARGUMENTS, code[len(wallet_deployer_code()) :])
    return address_from_text(wallet)
