"""Signatures as wallets give them, against eth-account; what no key made is never taken for a key's."""

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.primitives import address_from_text
from sayso_protocol.signatures.contract_wallets import DEPLOYED, WalletProof, read_wallet_proof
from sayso_protocol.signatures.wallet_forms import by_contract, by_key, read_signature
from sayso_protocol.signatures.wallets import Claim, EoaVerifier
from support.protocol_strategies import hashes

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1 (SEC 2)
secrets = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32))
chain_ids = st.integers(0, LIMITS.chain_id)


def _number(value: int, length: int = 0) -> bytes:
    return value.to_bytes(length or max(1, (value.bit_length() + 7) // 8))


def forms(r: int, s: int, parity: int, chain_id: int) -> dict[str, bytes]:
    """Every way that wallets are known to write one signature."""
    start = _number(r, 32) + _number(s, 32)
    twin = _number(r, 32) + _number(ORDER - s, 32)
    return {
        "strict": start + _number(27 + parity),
        "v of 0 or 1": start + _number(parity),
        "v + 4": start + _number(31 + parity),
        "EIP-2098": _number(r, 32) + _number(s | parity << 255, 32),
        "EIP-155": start + _number(35 + 2 * chain_id + parity),
        "v in eight bytes": start + _number(27 + parity, 8),
        "high s": twin + _number(28 - parity),
        "high s, v of 0 or 1": twin + _number(1 - parity),
    }


@given(secrets, hashes, chain_ids)
def test_every_form_becomes_what_eth_account_signs(secret: bytes, digest: bytes, chain_id: int) -> None:
    account = Account.from_key(secret)
    made = account.unsafe_sign_hash(digest)
    signer = address_from_text(account.address)
    for name, form in forms(made.r, made.s, made.v - 27, chain_id).items():
        found = by_key(Claim(signer, digest, form))
        assert found == bytes(made.signature), name
        EoaVerifier().check(signer, digest, found)


@given(secrets, secrets, hashes, hashes, chain_ids)
def test_no_form_of_another_keys_signature_is_taken(
    secret: bytes, other: bytes, digest: bytes, changed: bytes, chain_id: int
) -> None:
    account, stranger = Account.from_key(secret), Account.from_key(other)
    made = stranger.unsafe_sign_hash(digest)
    signer = address_from_text(account.address)
    for form in forms(made.r, made.s, made.v - 27, chain_id).values():
        assert by_key(Claim(signer, digest, form)) is None or secret == other
        own = Claim(address_from_text(stranger.address), changed, form)
        assert by_key(own) is None or changed == digest


@given(st.binary(max_size=200), hashes)
def test_any_bytes_are_read_or_left(signature: bytes, digest: bytes) -> None:
    """What is returned passes the strict rule; whatever else is given, nothing is raised."""
    signer = b"\x07" * 20
    assert by_key(Claim(signer, digest, signature)) is None
    wrapped = by_contract(signature)
    if len(signature) <= 65:
        assert read_wallet_proof(wrapped) == WalletProof(signature, DEPLOYED, b"")
    else:
        assert wrapped == signature


@given(st.binary(max_size=LIMITS.wallet_signature_bytes))
def test_digits_of_either_case(signature: bytes) -> None:
    digits = signature.hex()
    for text in (digits, digits.upper(), f"0x{digits}", f"0X{digits.upper()}", f" 0x{digits}\n"):
        assert read_signature(text) == signature


@pytest.mark.parametrize(
    "text", ["0x0", "0xgg", "0x 00", "0x0x00", "Signature", "0x\u0661\u0661", None, 5, b"00", ["0x00"]]
)
def test_what_is_no_signature(text: object) -> None:
    with pytest.raises(Malformed):
        read_signature(text)  # type: ignore[arg-type]


def test_a_signature_that_is_too_long() -> None:
    read_signature("0x" + "00" * LIMITS.wallet_signature_bytes)
    with pytest.raises(Malformed):
        read_signature("0x" + "00" * (LIMITS.wallet_signature_bytes + 1))
