"""The precompile that verifies P-256 signatures, which passkeys make (EIP-7951); py-evm has none."""

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ec import (
    ECDSA,
    SECP256R1,
    EllipticCurvePublicNumbers,
)
from cryptography.hazmat.primitives.asymmetric.utils import Prehashed, encode_dss_signature
from cryptography.hazmat.primitives.hashes import SHA256
from eth.abc import ComputationAPI

ADDRESS = (0x100).to_bytes(20)
GAS = 6_900
INPUT_BYTES = 160  # the hash, r, s, and the key's x and y


def p256_verify(computation: ComputationAPI) -> ComputationAPI:
    """Set the output to 1 in 32 bytes if the signature is good, and to nothing otherwise."""
    computation.consume_gas(GAS, reason="P-256 precompile")
    if _is_good(computation.msg.data_as_bytes):
        computation.output = (1).to_bytes(32)
    return computation


def _is_good(data: bytes) -> bool:
    if len(data) != INPUT_BYTES:
        return False
    r, s, x, y = (int.from_bytes(data[start : start + 32]) for start in range(32, INPUT_BYTES, 32))
    try:
        key = EllipticCurvePublicNumbers(x, y, SECP256R1()).public_key()
        key.verify(encode_dss_signature(r, s), data[:32], ECDSA(Prehashed(SHA256())))
    except (ValueError, InvalidSignature):
        return False
    return True
