"""Signatures of contract wallets: one encoding each, and none that passes for a key's (rule 4.4)."""

import re
from pathlib import Path

import pytest
from eth_abi.abi import encode as abi_encode
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import BadSignature, SaysoError, TooLarge, Unsupported
from sayso_protocol.messages.envelope import Envelope, decode, encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.signatures.contract_wallets import (
    DEPLOYED,
    MARK,
    WalletProof,
    read_wallet_proof,
    wrap,
)
from sayso_protocol.signatures.wallets import Claim, EoaVerifier
from support.protocol_strategies import ADA, BEN, NETWORK, WALLETS, addresses, sign_digest

ROOT = Path(__file__).parents[3]
DIGEST = b"\x42" * 32
EOA = sign_digest(WALLETS[ADA], DIGEST)
FACTORY = b"\x0f" * 20
payloads = st.binary(max_size=200)
proofs = st.tuples(payloads, addresses, payloads).map(lambda drawn: WalletProof(*drawn))
proofs |= payloads.map(WalletProof)


def word(number: int) -> bytes:
    return number.to_bytes(32)


@given(proofs)
def test_a_wrapped_signature_is_that_of_eth_abi_and_reads_back(proof: WalletProof) -> None:
    types = ["address", "bytes", "bytes"]
    expected = abi_encode(types, ["0x" + proof.factory.hex(), proof.deployment, proof.signature]) + MARK
    assert wrap(proof) == expected
    assert read_wallet_proof(expected) == proof


@given(proofs, st.data())
def test_a_changed_byte_is_another_proof_or_refused(proof: WalletProof, data: st.DataObject) -> None:
    """No two wrapped signatures mean the same."""
    changed = bytearray(wrap(proof))
    changed[data.draw(st.integers(0, len(changed) - 33))] ^= data.draw(st.integers(1, 255))
    try:
        other = read_wallet_proof(bytes(changed))
    except BadSignature:
        return
    assert other != proof
    assert wrap(other) == changed


@given(
    st.binary(max_size=300)
    | st.lists(st.integers(0, 200), max_size=9).map(lambda numbers: b"".join(map(word, numbers)))
)
def test_only_our_errors_come_out_of_what_is_marked(data: bytes) -> None:
    try:
        proof = read_wallet_proof(data + MARK)
    except SaysoError:
        return
    assert wrap(proof) == data + MARK


@given(st.binary(min_size=66, max_size=300).filter(lambda data: not data.endswith(MARK)))
def test_what_is_not_marked_is_the_wallets_own(data: bytes) -> None:
    assert read_wallet_proof(data) == WalletProof(data, DEPLOYED, b"")


BAD = {
    "only the mark": MARK,
    "dirty address": b"\x01" + wrap(WalletProof(EOA, FACTORY, b"\x01"))[1:],
    "bytes between": FACTORY.rjust(32, b"\0")
    + word(128)
    + word(192)
    + word(0) * 2
    + word(0)
    + word(0)
    + MARK,
    "dirty padding": wrap(WalletProof(b"\x01", FACTORY))[:-33] + b"\x01" + MARK,
    "tails exchanged": FACTORY.rjust(32, b"\0") + word(128) + word(96) + word(0) + word(0) + MARK,
    "one tail for both": FACTORY.rjust(32, b"\0") + word(96) + word(96) + word(0) + MARK,
    "a length beyond the end": FACTORY.rjust(32, b"\0") + word(96) + word(128) + word(2**255) + MARK,
    "more after it": wrap(WalletProof(EOA, FACTORY))[:-32] + word(0) + MARK,
    "calldata without factory": wrap(WalletProof(EOA, DEPLOYED, b"\x01")),
}


@pytest.mark.parametrize("signature", BAD.values(), ids=BAD)
def test_another_form_is_a_bad_signature(signature: bytes) -> None:
    with pytest.raises(BadSignature):
        read_wallet_proof(signature)
    if len(signature) > 65:  # anybody can see it, without asking the chain
        with pytest.raises(BadSignature):
            EoaVerifier().check(ADA, DIGEST, signature)


def test_a_keys_signature_in_a_wrapping_is_still_a_question_to_the_chain() -> None:
    with pytest.raises(Unsupported):
        EoaVerifier().check(ADA, DIGEST, wrap(WalletProof(EOA)))


def test_a_signature_may_have_8_kib() -> None:
    message = Revocation(ADA, ("everything",))
    read_wallet_proof(bytes(8_192))
    data = encode(Envelope(message, NETWORK, bytes(8_192)))
    assert decode(data, NETWORK).claim.is_contract_wallets
    with pytest.raises(TooLarge):
        read_wallet_proof(bytes(8_193))
    with pytest.raises(TooLarge):
        decode(encode(Envelope(message, NETWORK, bytes(8_193))), NETWORK)


def test_each_claim_of_a_batch_has_its_own_outcome() -> None:
    claims = [
        Claim(ADA, DIGEST, EOA),
        Claim(BEN, DIGEST, EOA),
        Claim(ADA, DIGEST, EOA + b"\0"),
        Claim(ADA, DIGEST, bytes(9_000)),
        Claim(ADA, DIGEST, EOA),
    ]
    outcomes = [type(one) for one in EoaVerifier().verify(claims)]
    assert outcomes == [type(None), BadSignature, Unsupported, TooLarge, type(None)]


@pytest.mark.parametrize(
    ("source", "name"), [("WalletProbe", "FACTORY_GAS"), ("WalletSignature", "ERC1271_GAS")]
)
def test_the_gas_that_contracts_get_is_in_the_document(source: str, name: str) -> None:
    """Nodes that gave another amount would disagree about who signed."""
    solidity = (ROOT / "contracts" / "src" / f"{source}.sol").read_text()
    found = re.search(rf"constant {name} = ([\d_]+);", solidity)
    assert found
    gas = f"{int(found[1]):,} gas"
    rule = (ROOT / "docs" / "protocol.md").read_text().split("**4.4**")[1].split("**4.5**")[0]
    assert gas in rule


def test_the_gas_from_which_a_wallet_may_have_run_out_is_in_the_document() -> None:
    """Rule 4.4.14; the registry and the node's probe have one constant."""
    solidity = (ROOT / "contracts" / "src" / "WalletSignature.sol").read_text()
    found = re.search(r"constant RAN_OUT_GAS = ERC1271_GAS \* (\d+) / (\d+);", solidity)
    whole = re.search(r"constant ERC1271_GAS = ([\d_]+);", solidity)
    assert found
    assert whole
    gas = int(whole[1]) * int(found[1]) // int(found[2])
    rule = (ROOT / "docs" / "protocol.md").read_text().split("**4.4.14**")[1].split("**4.4.15**")[0]
    assert f"used {gas:,} gas or more" in rule
