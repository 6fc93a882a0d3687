"""Signatures as wallets give them, brought into the one form that rule 4.4 admits.

A key's signature comes as 64 bytes (EIP-2098), with other values of v, or with s in the upper half; a
contract wallet's of at most 65 bytes comes bare. Each is another way to write the same signature: what
this module returns as a key's, that key made. Only whoever takes a signature from a wallet uses it, the
command and the routes for messages by their fields; nodes take the strict form alone from each other.
"""

from typing import Final

from sayso_protocol.errors import BadSignature, Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import bytes_from_text, keccak
from sayso_protocol.signatures.contract_wallets import WalletProof, wrap
from sayso_protocol.signatures.wallets import EOA_SIGNATURE_BYTES, HALF_ORDER, Claim, recover

_ORDER: Final = 2 * HALF_ORDER + 1  # of secp256k1, which is odd
_COMPACT_BYTES: Final = 64
_V_BYTES: Final = 8  # of the largest chain id, twice (EIP-155)
_Y_IS_ODD: Final = 1 << 255  # the first bit of the second half (EIP-2098)
_CHAIN_V: Final = 35  # v with a chain id is 35 or 36 and twice the chain id (EIP-155)
_PLAIN_MESSAGE: Final = b"\x19Ethereum Signed Message:\n32"
_PARITIES: Final = {0: 0, 1: 1, 27: 0, 28: 1, 31: 0, 32: 1}  # v -> parity of y


def read_signature(text: str) -> bytes:
    """Read hexadecimal digits of either case, with or without 0x in front; raises Malformed."""
    if not isinstance(text, str):
        raise Malformed("a signature is a text of hexadecimal digits")
    digits = text.strip().lower().removeprefix("0x")
    return bytes_from_text("0x" + digits, LIMITS.wallet_signature_bytes)


def by_key(claim: Claim) -> bytes | None:
    """Return the signature in the form of rule 4.4.1, 65 bytes, or None if another key made it."""
    found = _strict(claim.signature)
    try:
        return found if found and recover(claim.digest, found) == claim.signer else None
    except BadSignature:
        return None


def is_plain_message(claim: Claim) -> bool:
    """Return whether the key signed the digest as a plain message (ERC-191), which is another one."""
    plain = keccak(_PLAIN_MESSAGE + claim.digest)
    return by_key(claim._replace(digest=plain)) is not None


def by_contract(signature: bytes) -> bytes:
    """Return a deployed contract wallet's own signature in the form of rule 4.4.10."""
    short = len(signature) <= EOA_SIGNATURE_BYTES
    return wrap(WalletProof(signature)) if short else signature


def _strict(signature: bytes) -> bytes | None:
    """Return r, s and v of what may be a key's signature, s in the lower half; None of anything else."""
    second = int.from_bytes(signature[32:_COMPACT_BYTES])
    if len(signature) == _COMPACT_BYTES:
        s, parity = second % _Y_IS_ODD, int(second >= _Y_IS_ODD)
    elif EOA_SIGNATURE_BYTES <= len(signature) <= _COMPACT_BYTES + _V_BYTES:
        v = int.from_bytes(signature[_COMPACT_BYTES:])
        if v < _CHAIN_V and v not in _PARITIES:
            return None
        s, parity = second, _PARITIES.get(v, (v - _CHAIN_V) % 2)
    else:
        return None
    if HALF_ORDER < s < _ORDER:
        s, parity = _ORDER - s, 1 - parity
    return signature[:32] + s.to_bytes(32) + bytes((27 + parity,))
