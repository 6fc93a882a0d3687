"""Who signed: wallets against eth-account, and signatures that only look right (rules 4.4, 4.5)."""

import pytest
from coincurve import PrivateKey
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from nacl.signing import SigningKey

from sayso_protocol.errors import BadSignature, SaysoError, Unsupported
from sayso_protocol.primitives import address_text
from sayso_protocol.signatures.nodes import (
    ACKNOWLEDGEMENT,
    RECEIPT,
    SPONSOR,
    check_node_signature,
    check_sponsor,
    sign_by_node,
)
from sayso_protocol.signatures.wallets import HALF_ORDER, EoaVerifier, recover
from support.protocol_strategies import ADA, BEN, NODE, WALLETS, hashes, sign_digest

ORDER = 0xFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFFEBAAEDCE6AF48A03BBFD25E8CD0364141  # of secp256k1
DIGEST = b"\x42" * 32
GOOD = sign_digest(WALLETS[ADA], DIGEST)
R, S, V = GOOD[:32], GOOD[32:64], GOOD[64:]
NODE_KEY = bytes(NODE.verify_key)
secrets = st.integers(1, ORDER - 1).map(lambda number: number.to_bytes(32))


def number(value: int) -> bytes:
    return value.to_bytes(32)


BAD_SIGNATURES = {
    "empty": b"",
    "64 bytes, EIP-2098": R + S,
    "v of 0": R + S + bytes([V[0] - 27]),
    "v of another key": R + S + bytes([55 - V[0]]),
    "v of 29": R + S + b"\x1d",
    "v of EIP-155": R + S + b"\x25",
    "high s": R + number(ORDER - int.from_bytes(S)) + bytes([55 - V[0]]),
    "high s, same v": R + number(ORDER - int.from_bytes(S)) + V,
    "s just above the half": R + number(HALF_ORDER + 1) + V,
    "zero r": number(0) + S + V,
    "zero s": R + number(0) + V,
    "all zero": bytes(64) + V,
    "r is the order": number(ORDER) + S + V,
    "r beyond the order": b"\xff" * 32 + S + V,
    "r and s exchanged": S + R + V,
    "another digest": sign_digest(WALLETS[ADA], b"\x43" * 32),
    "another wallet": sign_digest(WALLETS[BEN], DIGEST),
}


def test_the_half_order_is_half_the_order() -> None:
    assert ORDER // 2 == HALF_ORDER


@given(secrets, hashes)
def test_signatures_of_eth_account_recover(secret: bytes, digest: bytes) -> None:
    account = Account.from_key(secret)
    signature = bytes(account.unsafe_sign_hash(digest).signature)
    assert address_text(recover(digest, signature)) == account.address
    assert sign_digest(PrivateKey(secret), digest) == signature


def test_the_right_signature_passes() -> None:
    EoaVerifier().check(ADA, DIGEST, GOOD)


@pytest.mark.parametrize("signature", BAD_SIGNATURES.values(), ids=BAD_SIGNATURES)
def test_a_signature_that_is_not_hers(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        EoaVerifier().check(ADA, DIGEST, signature)


@pytest.mark.parametrize("length", [66, 97, 8_192])
def test_a_contract_wallets_signature_is_unsupported_not_wrong(length: int) -> None:
    with pytest.raises(Unsupported):
        EoaVerifier().check(ADA, DIGEST, GOOD.ljust(length, b"\0"))


@given(st.integers(0, 64), st.integers(1, 255))
def test_any_changed_byte_fails(at: int, change: int) -> None:
    changed = bytearray(GOOD)
    changed[at] ^= change
    with pytest.raises(BadSignature):
        EoaVerifier().check(ADA, DIGEST, bytes(changed))


@given(hashes | st.binary(max_size=40), st.binary(max_size=70))
def test_only_our_errors_come_out(digest: bytes, signature: bytes) -> None:
    with pytest.raises(SaysoError):
        EoaVerifier().check(ADA, digest, signature)


@given(st.binary(max_size=200))
def test_a_node_signature_checks(content: bytes) -> None:
    check_node_signature(NODE_KEY, RECEIPT, content, sign_by_node(NODE, RECEIPT, content))


@pytest.mark.parametrize("context", [SPONSOR, ACKNOWLEDGEMENT])
def test_a_node_signature_is_good_for_one_thing(context: bytes) -> None:
    with pytest.raises(BadSignature):
        check_node_signature(NODE_KEY, context, DIGEST, sign_by_node(NODE, RECEIPT, DIGEST))


def test_no_context_begins_another() -> None:
    contexts = [SPONSOR, RECEIPT, ACKNOWLEDGEMENT]
    assert not any(a != b and a.startswith(b) for a in contexts for b in contexts)
    assert all(context.endswith(b"\0") for context in contexts)


@given(st.integers(0, 63), st.integers(1, 255))
def test_any_changed_byte_of_a_node_signature_fails(at: int, change: int) -> None:
    changed = bytearray(sign_by_node(NODE, SPONSOR, DIGEST))
    changed[at] ^= change
    with pytest.raises(BadSignature):
        check_sponsor(NODE_KEY, DIGEST, bytes(changed))


@pytest.mark.parametrize(
    ("key", "digest", "signature"),
    [
        (b"", DIGEST, bytes(64)),
        (NODE_KEY[:-1], DIGEST, bytes(64)),
        (NODE_KEY, DIGEST, b""),
        (NODE_KEY, DIGEST, sign_by_node(NODE, SPONSOR, DIGEST) + b"\0"),
        (NODE_KEY, DIGEST[:-1], sign_by_node(NODE, SPONSOR, DIGEST[:-1])),
        (bytes(32), DIGEST, bytes(64)),  # the point of small order that would sign anything
        (b"\x01" + bytes(31), DIGEST, b"\x01" + bytes(63)),
        (b"\xff" * 32, DIGEST, bytes(64)),
        (bytes(SigningKey(bytes(32)).verify_key), DIGEST, sign_by_node(NODE, SPONSOR, DIGEST)),
    ],
)
def test_what_is_not_a_sponsor(key: bytes, digest: bytes, signature: bytes) -> None:
    with pytest.raises(BadSignature):
        check_sponsor(key, digest, signature)
