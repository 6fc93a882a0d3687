"""Who signed: ECDSA over secp256k1 for wallets, Ed25519 for nodes.

Rule 4.4: a wallet's signature is 65 bytes r . s . v with v 27 or 28 and s in the lower half of the
order (EIP-2). Rule 4.5: node signatures are Ed25519 (RFC 8032) over a context string and the content,
so that a signature made for one thing never passes for another.
"""

from typing import Protocol

from coincurve import PublicKey
from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from sayso_protocol.errors import BadSignature, Unsupported
from sayso_protocol.primitives import HASH_BYTES, keccak

EOA_SIGNATURE_BYTES = 65
NODE_SIGNATURE_BYTES = 64
NODE_KEY_BYTES = 32
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0

SPONSOR = b"sayso sponsor 1\0"
RECEIPT = b"sayso receipt 1\0"
ACKNOWLEDGEMENT = b"sayso acknowledgement 1\0"


class WalletVerifier(Protocol):
    """Judges wallet signatures; the node supplies one that can ask the chain about contract wallets."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """Return if `signer` signed `digest`; raises BadSignature or Unsupported."""
        ...


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address that signed a digest (rule 4.4); raises BadSignature."""
    if len(signature) != EOA_SIGNATURE_BYTES or signature[64] not in (27, 28):
        raise BadSignature("a wallet signature is 65 bytes ending in 27 or 28")
    if int.from_bytes(signature[32:64]) > HALF_ORDER:
        raise BadSignature("the signature's s is in the upper half (EIP-2)")
    compact = signature[:64] + bytes([signature[64] - 27])
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except Exception as error:  # coincurve raises bare Exception and ValueError
        raise BadSignature("no key made this signature") from error
    return keccak(key.format(compressed=False)[1:])[12:]


class EoaVerifier:
    """Judges wallets that are a plain key; a longer signature is a contract wallet's: Unsupported."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """See WalletVerifier."""
        if len(signature) > EOA_SIGNATURE_BYTES:
            raise Unsupported("signatures of contract wallets are not supported yet")
        if recover(digest, signature) != signer:
            raise BadSignature("the signature was made by another wallet, or for another network")


def sign_by_node(key: SigningKey, context: bytes, content: bytes) -> bytes:
    """A node's Ed25519 signature, 64 bytes (rule 4.5)."""
    return key.sign(context + content).signature


def check_node_signature(node_key: bytes, context: bytes, content: bytes, signature: bytes) -> None:
    """Check a node's signature (rule 4.5); raises BadSignature."""
    if len(node_key) != NODE_KEY_BYTES or len(signature) != NODE_SIGNATURE_BYTES:
        raise BadSignature("a node key has 32 bytes, its signature 64")
    try:
        VerifyKey(node_key).verify(context + content, signature)
    except (BadSignatureError, ValueError) as error:
        raise BadSignature("the node's signature does not match") from error


def check_sponsor(node_key: bytes, digest: bytes, signature: bytes) -> None:
    """Check that a node says it took this consent in; raises BadSignature."""
    if len(digest) != HASH_BYTES:
        raise BadSignature("a digest has 32 bytes")
    check_node_signature(node_key, SPONSOR, digest, signature)
