"""Signatures of contract wallets (rule 4.4; ERC-1271, ERC-6492).

A signature longer than 65 bytes is a contract wallet's. If it ends with the mark of ERC-6492, it names
the factory that deploys the wallet and holds the wallet's own signature; otherwise it is that signature.
Only the chain can judge whether the wallet accepts it.
"""

from typing import NamedTuple

from sayso_protocol.errors import BadSignature, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import ADDRESS_BYTES

MARK = bytes.fromhex("6492" * 16)
DEPLOYED = bytes(ADDRESS_BYTES)  # the factory of a wallet that exists
_WORD = 32
_FIRST_TAIL = 3 * _WORD  # after the address and two offsets


class WalletProof(NamedTuple):
    """WalletProof holds the parts of a contract wallet's signature (ERC-6492).

    Attributes:
        signature: The wallet's own signature, of any length.
        factory: The contract that deploys the wallet, 20 bytes; zero if the wallet exists.
        deployment: The call data for the factory.
    """

    signature: bytes
    factory: bytes = DEPLOYED
    deployment: bytes = b""


def wrap(proof: WalletProof) -> bytes:
    """Return the ERC-6492 form, which a deployed wallet with signatures of 65 bytes needs, too."""
    second_tail = _FIRST_TAIL + len(_tail(proof.deployment))
    return b"".join(
        (
            proof.factory.rjust(_WORD, b"\0"),
            _FIRST_TAIL.to_bytes(_WORD),
            second_tail.to_bytes(_WORD),
            _tail(proof.deployment),
            _tail(proof.signature),
            MARK,
        )
    )


def read_wallet_proof(signature: bytes) -> WalletProof:
    """Read a contract wallet's signature (rules 4.4.6 to 4.4.10; ERC-6492).

    Raises:
        TooLarge: The signature exceeds 8 KiB.
        BadSignature: The signature has the mark, but not the canonical form of ERC-6492.
    """
    if len(signature) > LIMITS.wallet_signature_bytes:
        raise TooLarge(f"a wallet's signature has at most {LIMITS.wallet_signature_bytes} bytes")
    if not signature.endswith(MARK):
        return WalletProof(signature)
    factory = signature[_WORD - ADDRESS_BYTES : _WORD]
    deployment = _tail_at(signature, _FIRST_TAIL)
    proof = WalletProof(_tail_at(signature, _FIRST_TAIL + len(_tail(deployment))), factory, deployment)
    if wrap(proof) != signature:
        raise BadSignature("not the canonical form of an ERC-6492 signature")
    if factory == DEPLOYED and deployment:
        raise BadSignature("an ERC-6492 signature without factory deploys something")
    return proof


def _tail(data: bytes) -> bytes:
    """Return the ABI tail of `bytes`: the length, then the bytes padded to 32."""
    return len(data).to_bytes(_WORD) + data + bytes(-len(data) % _WORD)


def _tail_at(signature: bytes, start: int) -> bytes:
    """Return the `bytes` whose ABI tail begins at `start`, cut at the end of the signature."""
    length = int.from_bytes(signature[start : start + _WORD])
    return signature[start + _WORD : start + _WORD + min(length, len(signature))]
