"""Signatures of contract wallets: what a wallet is to be asked (rule 4.4; ERC-1271, ERC-6492).

A signature longer than 65 bytes is a contract wallet's. If it ends with the mark of ERC-6492, it names
the factory that deploys the wallet and holds the wallet's own signature; otherwise it is that signature.
Whether the wallet accepts it, only the chain can say.
"""

from typing import NamedTuple

from sayso_protocol.errors import BadSignature, TooLarge
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import ADDRESS_BYTES

MARK = bytes.fromhex("6492" * 16)
DEPLOYED = bytes(ADDRESS_BYTES)  # as a factory: the wallet needs none
_WORD = 32
_FIRST_TAIL = 3 * _WORD  # after the address and two offsets


class WalletProof(NamedTuple):
    """What a contract wallet is to be asked.

    Attributes:
        signature: The wallet's own signature, of any length.
        factory: Who deploys the wallet if it does not exist yet, 20 bytes; zero for nobody.
        deployment: What the factory is called with.
    """

    signature: bytes
    factory: bytes = DEPLOYED
    deployment: bytes = b""


def wrap(proof: WalletProof) -> bytes:
    """The signature in the form of ERC-6492, which a deployed wallet that signs 65 bytes needs, too."""
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
    """What the wallet is to be asked.

    Raises:
        TooLarge: The signature has more than 8 KiB.
        BadSignature: It is marked, but is not the one encoding of an ERC-6492 signature.
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
    """ABI tail of `bytes`: its length, then the bytes padded to 32."""
    return len(data).to_bytes(_WORD) + data + bytes(-len(data) % _WORD)


def _tail_at(signature: bytes, start: int) -> bytes:
    """The `bytes` whose tail begins here, cut where the signature ends."""
    length = int.from_bytes(signature[start : start + _WORD])
    return signature[start + _WORD : start + _WORD + min(length, len(signature))]
