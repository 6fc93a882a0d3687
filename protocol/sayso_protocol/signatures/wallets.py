"""Who signed, for wallets: ECDSA over secp256k1 (rule 4.4).

A wallet's signature is 65 bytes r . s . v with v 27 or 28 and s in the lower half of the order (EIP-2).
A longer one is a contract wallet's, and only the chain can judge it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from coincurve._libsecp256k1 import ffi, lib  # type: ignore[import-not-found]  # has no stubs
from coincurve.context import GLOBAL_CONTEXT

from sayso_protocol.errors import BadSignature, SaysoError, Unsupported
from sayso_protocol.primitives import HASH_BYTES, keccak
from sayso_protocol.signatures.contract_wallets import read_wallet_proof

EOA_SIGNATURE_BYTES = 65
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_HIGHEST_S = HALF_ORDER.to_bytes(32)

_parse = lib.secp256k1_ecdsa_recoverable_signature_parse_compact
_recover = lib.secp256k1_ecdsa_recover
_serialize = lib.secp256k1_ec_pubkey_serialize
_UNCOMPRESSED = lib.SECP256K1_EC_UNCOMPRESSED


class Claim(NamedTuple):
    """`signer` is said to have signed `digest`: 20 bytes, 32 bytes, and the wallet's signature."""

    signer: bytes
    digest: bytes
    signature: bytes

    @property
    def is_contract_wallets(self) -> bool:
        """Whether only the chain can judge it (rule 4.4)."""
        return len(self.signature) > EOA_SIGNATURE_BYTES


class WalletVerifier(Protocol):
    """Judges wallet signatures; a node has one that knows what the chain says of contract wallets."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """Return if `signer` signed `digest`; raises BadSignature or another SaysoError."""
        ...

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """For each claim what `check` would raise, None if it is right."""
        ...


class _Recovery:
    """libsecp256k1 and room for its results, for one thread; coincurve's own PublicKey is slower."""

    def __init__(self) -> None:
        self._context = GLOBAL_CONTEXT.ctx
        self._signature = ffi.new("secp256k1_ecdsa_recoverable_signature *")
        self._key = ffi.new("secp256k1_pubkey *")
        self._point = ffi.new("unsigned char[65]")
        self._point_bytes = ffi.new("size_t *", 65)
        self._coordinates = ffi.buffer(self._point)

    def address(self, digest: bytes, signature: bytes) -> bytes:
        """See `recover`."""
        if len(signature) != EOA_SIGNATURE_BYTES or signature[64] not in (27, 28):
            raise BadSignature("a wallet signature is 65 bytes ending in 27 or 28")
        if signature[32:64] > _HIGHEST_S:
            raise BadSignature("the signature's s is in the upper half (EIP-2)")
        if len(digest) != HASH_BYTES:
            raise BadSignature("a digest has 32 bytes")
        parsed = _parse(self._context, self._signature, signature, signature[64] - 27)
        if not parsed or not _recover(self._context, self._key, self._signature, digest):
            raise BadSignature("no key made this signature")
        _serialize(self._context, self._point, self._point_bytes, self._key, _UNCOMPRESSED)
        return keccak(self._coordinates[1:])[12:]

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """See EoaVerifier."""
        if len(signature) > EOA_SIGNATURE_BYTES:
            read_wallet_proof(signature)
            raise Unsupported("the chain was not asked about this contract wallet's signature")
        if self.address(digest, signature) != signer:
            raise BadSignature("the signature was made by another wallet, or for another network")


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address that signed a digest (rule 4.4); raises BadSignature."""
    return _Recovery().address(digest, signature)


class EoaVerifier:
    """Judges wallets that are a plain key; a longer signature is a contract wallet's: Unsupported."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """See WalletVerifier."""
        _Recovery().check(signer, digest, signature)

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """See WalletVerifier."""
        recovery = _Recovery()
        outcomes: list[SaysoError | None] = []
        for claim in claims:
            try:
                recovery.check(*claim)
                outcomes.append(None)
            except SaysoError as error:
                outcomes.append(error)
        return outcomes
