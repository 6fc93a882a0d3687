"""Who signed, for wallets: ECDSA over secp256k1 (rule 4.4).

A wallet's signature is 65 bytes r . s . v with v 27 or 28 and s in the lower half of the order (EIP-2).
A longer one is a contract wallet's, and only the chain can judge it.
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
_RECOVERY_IDS = {27: b"\0", 28: b"\1"}  # v to what libsecp256k1 calls it


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


def recover(digest: bytes, signature: bytes) -> bytes:
    """The address that signed a digest (rule 4.4); raises BadSignature."""
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
    """Judges wallets that are a plain key; a longer signature is a contract wallet's: Unsupported."""

    def check(self, signer: bytes, digest: bytes, signature: bytes) -> None:
        """See WalletVerifier."""
        if len(signature) > EOA_SIGNATURE_BYTES:
            read_wallet_proof(signature)
            raise Unsupported("the chain was not asked about this contract wallet's signature")
        if recover(digest, signature) != signer:
            raise BadSignature("the signature was made by another wallet, or for another network")

    def verify(self, claims: Sequence[Claim]) -> list[SaysoError | None]:
        """See WalletVerifier."""
        return [self._outcome(claim) for claim in claims]

    def _outcome(self, claim: Claim) -> SaysoError | None:
        try:
            self.check(*claim)
        except SaysoError as error:
            return error
        return None
