"""Signatures of nodes: Ed25519 (RFC 8032) over a context and the content (rule 4.5).

The context keeps a signature for one kind of content from being accepted for another.
"""

from nacl.exceptions import BadSignatureError
from nacl.signing import SigningKey, VerifyKey

from sayso_protocol.errors import BadSignature
from sayso_protocol.primitives import HASH_BYTES

NODE_SIGNATURE_BYTES = 64
NODE_KEY_BYTES = 32

SPONSOR = b"sayso sponsor 1\0"
RECEIPT = b"sayso receipt 1\0"
ACKNOWLEDGEMENT = b"sayso acknowledgement 1\0"
STATUS = b"sayso status 1\0"
SNAPSHOT = b"sayso snapshot 1\0"


def sign_by_node(key: SigningKey, context: bytes, content: bytes) -> bytes:
    """Sign content under a context as a node; returns 64 bytes (rule 4.5; RFC 8032)."""
    return key.sign(context + content).signature


def check_node_signature(node_key: bytes, context: bytes, content: bytes, signature: bytes) -> None:
    """Check a node's signature over content under a context (rule 4.5); raises BadSignature."""
    if len(node_key) != NODE_KEY_BYTES or len(signature) != NODE_SIGNATURE_BYTES:
        raise BadSignature("a node key has 32 bytes, its signature 64")
    try:
        VerifyKey(node_key).verify(context + content, signature)
    except (BadSignatureError, ValueError) as error:
        raise BadSignature("the node's signature does not match") from error


def check_sponsor(node_key: bytes, digest: bytes, signature: bytes) -> None:
    """Check a sponsor's signature over the digest of a consent (rule 4.5); raises BadSignature."""
    if len(digest) != HASH_BYTES:
        raise BadSignature("a digest has 32 bytes")
    check_node_signature(node_key, SPONSOR, digest, signature)
