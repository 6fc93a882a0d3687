"""Receipt proofs: the published ones, tries against a library, senders against another, and liars."""

import contextlib
import json
from collections.abc import Iterator
from typing import Any

import pytest
from eth_account import Account
from hypothesis import given
from hypothesis import strategies as st
from trie.hexary import HexaryTrie

from sayso_protocol.errors import BadProof, SaysoError
from sayso_protocol.ethereum.headers import read_header
from sayso_protocol.ethereum.transaction_proofs import check_receipt_proof
from sayso_protocol.ethereum.transactions import is_signed, logs_of, sender_of
from sayso_protocol.ethereum.trie_building import trie_over
from sayso_protocol.ethereum.tries import (
    EMPTY_ROOT,
    decode_rlp,
    encode_rlp,
    index_key,
    number_bytes,
    trie_value,
)
from sayso_protocol.primitives import address_text, hash_from_text, keccak, sha256
from support.protocol_strategies import ADA, NETWORK
from vectors.landings import (
    ALL,
    KINDS,
    OWNER,
    RELAYER,
    UNSIGNED,
    block,
    proof_of,
    receipt,
    transaction,
    unsigned_transaction,
)
from vectors.make import FOLDER

PUBLISHED = json.loads((FOLDER / "landings.json").read_text())
TRUSTED = [hash_from_text(one) for one in PUBLISHED["blocks"]]
# As EIP-155 shows it: the one transaction that everybody can look up.
EIP_155 = bytes.fromhex(
    "f86c098504a817c800825208943535353535353535353535353535353535353535880de0b6b3a76400008025a028ef61"
    "340bd939bc2195fe537567866003e1a15d3c71ff63e1590620aa636276a067cbe9d8997f761aecb703304b3800ccf555"
    "c9f3dc64214b297fb1966a3b6d83"
)


@pytest.mark.parametrize("case", PUBLISHED["proofs"], ids=lambda case: case["name"])
def test_the_published_proofs(case: dict[str, Any]) -> None:
    proof = proof_of(case, PUBLISHED)
    if case["code"]:
        with pytest.raises(SaysoError) as refusal:
            check_receipt_proof(proof, NETWORK, TRUSTED)
        assert refusal.value.code == case["code"]
        return
    found = check_receipt_proof(proof, NETWORK, TRUSTED).landings
    assert [one.sender for one in found] == [bytes.fromhex(one["sender"][2:]) for one in case["found"]]
    assert [one.is_signed for one in found] == [one["signed"] for one in case["found"]]
    for block_hash in {hash_from_text(one["block"]["hash"]) for one in proof["landings"]}:
        others = [one for one in TRUSTED if one != block_hash]
        with pytest.raises(BadProof):  # each of the blocks has to be trusted
            check_receipt_proof(proof, NETWORK, others)


@given(st.lists(st.binary(min_size=1, max_size=80), max_size=300), st.data())
def test_a_trie_is_that_of_the_library(values: list[bytes], data: st.DataObject) -> None:
    ours, theirs = trie_over(values), HexaryTrie({})
    for index, value in enumerate(values):
        theirs[index_key(index)] = value
    assert ours.root == theirs.root_hash
    if not values:
        assert ours.root == EMPTY_ROOT
        return
    index = data.draw(st.integers(0, len(values) - 1))
    proof = ours.proof(index)
    assert trie_value(ours.root, index_key(index), proof) == values[index]
    cut = proof[:-1]
    with pytest.raises(BadProof):
        trie_value(ours.root, index_key(index), cut)
    with pytest.raises(BadProof):
        trie_value(sha256(b"another"), index_key(index), proof)


@pytest.mark.parametrize("kind", KINDS)
@pytest.mark.parametrize("account", [OWNER, RELAYER])
def test_who_sent_a_transaction(kind: str, account: Any) -> None:
    for nonce in range(8):  # signatures of all kinds
        raw = transaction(kind, account, nonce)
        assert address_text(sender_of(raw)) == account.address
        assert Account.recover_transaction(raw) == account.address


@pytest.mark.parametrize("name", UNSIGNED)
def test_who_is_named_in_a_transaction_without_a_signature(name: str) -> None:
    """On the commit before, each of them was refused, and so was every proof in its block."""
    raw = unsigned_transaction(name)
    assert sender_of(raw) == ADA
    assert not is_signed(raw)
    fields = decode_rlp(raw[1:])
    assert isinstance(fields, list)
    for wrong in (fields[:-1], [*fields, b""], [b"" if one == ADA else one for one in fields]):
        with pytest.raises(BadProof):
            sender_of(raw[:1] + encode_rlp(wrong))


def test_transactions_of_the_first_years() -> None:
    assert address_text(sender_of(EIP_155)) == "0x9d8A62f656a8d1615C1294fd71e9CFb3E4855A4F"
    fields = decode_rlp(EIP_155)
    assert isinstance(fields, list)
    unsigned = keccak(encode_rlp(fields[:6]))
    signed = OWNER.unsafe_sign_hash(unsigned)
    raw = encode_rlp([*fields[:6], *map(number_bytes, (signed.v, signed.r, signed.s))])
    assert address_text(sender_of(raw)) == OWNER.address


@pytest.mark.parametrize(
    "raw",
    [
        b"",
        b"\5\xc0",
        b"\2",
        b"\2\xc0",
        b"\2\xc3\1\1\1",
        b"\xc0",
        b"\2\x80",
        b"\x7e" + EIP_155,
        EIP_155[:-1],
    ],
)
def test_what_is_no_transaction(raw: bytes) -> None:
    with pytest.raises(BadProof):
        sender_of(raw)


@pytest.mark.parametrize(
    "raw", [b"", b"\2", b"\2\xc0", receipt(b"\2", ALL, b""), b"\2" + encode_rlp([b"\1", b"", b"", b""])]
)
def test_what_is_no_receipt_of_success(raw: bytes) -> None:
    with pytest.raises(BadProof):
        logs_of(raw)


def test_a_header_that_is_cut_short() -> None:
    whole = decode_rlp(block(1).header)
    assert isinstance(whole, list)
    raw = encode_rlp(whole[:14])
    with pytest.raises(BadProof):
        read_header(raw, keccak(raw))


def everywhere(value: Any, path: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    """Every place of a JSON value."""
    inside = (
        value.items() if isinstance(value, dict) else enumerate(value) if isinstance(value, list) else ()
    )
    for name, one in inside:
        yield (*path, name)
        yield from everywhere(one, (*path, name))


THREE = next(one for one in PUBLISHED["proofs"] if one["name"] == "three transactions")
PLACES = list(everywhere(proof_of(THREE, PUBLISHED)))
OTHERS: list[Any] = [None, 0, 1, "", "0x", "0x00", [], {}, True, -1, 1 << 70]


@given(st.sampled_from(PLACES), st.sampled_from(OTHERS))
def test_whatever_is_changed_is_refused_or_means_the_same(path: tuple[Any, ...], value: Any) -> None:
    proof = proof_of(THREE, PUBLISHED)
    right = check_receipt_proof(proof, NETWORK, TRUSTED)
    inside: Any = proof
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    with contextlib.suppress(SaysoError):
        assert check_receipt_proof(proof, NETWORK, TRUSTED) == right
