"""Signatures of wallets: ECDSA over secp256k1 (rule 4.4).

The signature of an account with a key is 65 bytes r . s . v with v 27 or 28 and s in the lower half of
the order (EIP-2). A longer signature is a contract wallet's, and only the chain can judge it.
"""

from collections.abc import Sequence
from typing import NamedTuple, Protocol

from coincurve import PublicKey

from sayso_protocol.errors import BadSignature, SaysoError, Unsupported
from sayso_protocol.primitives import HASH_BYTES, keccak
from sayso_protocol.signatures.contract_wallets import read_wallet_proof

EOA_SIGNATURE_BYTES = 65
HALF_ORDER = 0x7FFFFFFFFFFFFFFFFFFFFFFFFFFFFFFF5D576E7357A4501DDFE92F46681B20A0
_HIGHEST_S = HALF_ORDER.to_bytes(32)
_RECOVERY_IDS = {27: b"\0", 28: b"\1"}  # v -> recovery id of libsecp256k1


class Claim(NamedTuple):
    """Claim is an unverified wallet signature.

    Attributes:
        signer: The address that should have signed, 20 bytes.
        digest: The signed digest, 32 bytes.
        signature: The wallet's signature (rule 4.4).
    """

    signer: bytes
    digest: bytes
    signature: bytes

    @property
    def is_contract_wallets(self) -> bool:
        """Return whether a contract wallet signed, so that only the chain can judge it (rule 4.4)."""
        return len(self.signature) > EOA_SIGNATURE_BYTES

    @property
    def travels_alone(self) -> bool:
        """Return whether only the chain can judge it; it is alone in a bundle (4.4.17, 4.8.5)."""
        return self.is_contract_wallets or not self.signature


class WalletVerifier(Protocol):
    """WalletVerifier judges wallet signatures; a node's verifier also asks the chain (rule 4.4)."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """Check that `signer` signed `digest` (rule 4.4); raises BadSignature or another SaysoError."""
        ...

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """Return for each claim the error that `check` raises, or None."""
        ...


def recover(digest: bytes, signature: bytes) -> bytes:
    """Return the address that signed a digest, 20 bytes (rule 4.4); raises BadSignature."""
    if len(signature) != EOA_SIGNATURE_BYTES or signature[64] not in _RECOVERY_IDS:
        raise BadSignature("a wallet signature is 65 bytes ending in 27 or 28")
    if signature[32:64] > _HIGHEST_S:
        raise BadSignature("the signature's s is in the upper half (EIP-2)")
    if len(digest) != HASH_BYTES:
        raise BadSignature("a digest has 32 bytes")
    compact = signature[:64] + _RECOVERY_IDS[signature[64]]
    try:
        key = PublicKey.from_signature_and_message(compact, digest, hasher=None)
    except ValueError as error:
        raise BadSignature("no key made this signature") from error
    return keccak(key.format(compressed=False)[1:])[12:]


class EoaVerifier:
    """EoaVerifier judges accounts with a key; it raises Unsupported for contract wallets (4.4.14)."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """See WalletVerifier."""
        if len(signature) > EOA_SIGNATURE_BYTES:
            read_wallet_proof(signature)
            raise Unsupported("the chain was not asked about this contract wallet's signature")
        if recover(digest, signature) != signer:
            raise BadSignature(
                "this account's key did not sign this: another wallet did, or for another network; "
                "or the account is a contract (rule 4.4.10)"
            )

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """See WalletVerifier."""
        return [self._outcome(claim) for claim in claims]

    def _outcome(self, claim: Claim) -> SaysoError | None:
        try:
            self.check(*claim)
        except SaysoError as error:
            return error
        return None
