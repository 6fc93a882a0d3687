"""The published vectors are what the code makes, and what other libraries make of them."""

import json
from contextlib import nullcontext
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data
from nacl.signing import VerifyKey

from sayso_protocol.errors import BadSignature, SaysoError
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import decode, encode
from sayso_protocol.messages.message import as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.primitives import address_from_text, hash_from_text, salted_item, sha256
from sayso_protocol.signatures.contract_wallets import read_wallet_proof
from sayso_protocol.signatures.nodes import check_node_signature
from sayso_protocol.signatures.wallets import EoaVerifier
from sayso_protocol.sync.fingerprints import unpack_nodes
from sayso_protocol.sync.requests import decode_request, encode_request
from sayso_protocol.verdicts.query import Query
from sayso_protocol.verdicts.verdict import License, Reason, Row, verdict
from support.known import Disputing, Known, PassingOn, license_hash
from support.protocol_strategies import NETWORK
from vectors.make import FILES, FOLDER, render


def load(name: str) -> Any:
    return json.loads((FOLDER / name).read_text())


def unhex(text: str) -> bytes:
    return bytes.fromhex(text[2:])


@pytest.mark.parametrize("name", FILES)
def test_the_file_is_what_the_code_makes(name: str) -> None:
    assert (FOLDER / name).read_text() == render(name)


MESSAGES = [*load("messages.json"), *load("holders.json")["messages"]]
REFUSED = [*load("refused.json"), *load("holders.json")["refused"]]


@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["name"])
def test_eth_account_signs_a_message_the_same(vector: dict[str, Any]) -> None:
    shown = vector["typed_data"]
    for name in ("words", "masks"):
        if name in shown["message"]:
            shown["message"][name] = [int(number) for number in shown["message"][name]]
    signable = encode_typed_data(full_message=shown)
    signed = Account.from_key(vector["private_key"]).sign_message(signable)
    assert "0x" + signed.message_hash.hex() == vector["digest"]
    assert "0x" + signed.signature.hex() == vector["signature"]
    assert Account.recover_message(signable, signature=vector["signature"]) == (
        shown["message"].get("contributor") or shown["message"]["signer"]
    )


@pytest.mark.parametrize("vector", MESSAGES, ids=lambda vector: vector["name"])
def test_a_message_is_read_and_written_the_same(vector: dict[str, Any]) -> None:
    data = unhex(vector["envelope"])
    envelope = decode(data, NETWORK)
    envelope.check_signatures(EoaVerifier())
    assert encode(envelope) == data
    assert envelope.digest == hash_from_text(vector["digest"])


@pytest.mark.parametrize("vector", REFUSED, ids=lambda vector: vector["name"])
def test_a_wrong_message_is_refused_with_its_code(vector: dict[str, str]) -> None:
    with pytest.raises(SaysoError) as refusal:
        decode(unhex(vector["envelope"]), NETWORK).check_signatures(EoaVerifier())
    assert refusal.value.code == vector["code"]


@pytest.mark.parametrize("vector", load("ed25519.json"), ids=lambda vector: vector["name"])
def test_signatures_of_nodes_that_verifiers_disagree_about(vector: dict[str, Any]) -> None:
    key, signature = bytes.fromhex(vector["key"]), unhex(vector["signature"])
    context = vector["context"].encode() + b"\0"
    with pytest.raises(BadSignature) if vector["code"] else nullcontext():
        check_node_signature(key, context, unhex(vector["content"]), signature)


@pytest.mark.parametrize("vector", load("wallets.json"), ids=lambda vector: vector["name"])
def test_a_wallets_signature_is_read(vector: dict[str, str]) -> None:
    proof = read_wallet_proof(unhex(vector["signature"]))
    assert proof.signature == unhex(vector["signature_of_wallet"])
    assert (proof.factory, proof.deployment) == (unhex(vector["factory"]), unhex(vector["deployment"]))


def test_statements_are_signed_over_their_content() -> None:
    vectors = load("statements.json")
    for name in ("receipt", "acknowledgement", "status"):
        key = VerifyKey(bytes.fromhex(vectors[name]["node_key"]))
        content = unhex(vectors[name + "_content"])
        key.verify(b"sayso %s 1\x00" % name.encode() + content, unhex(vectors[name]["signature"]))


def heard(names: list[str], envelopes: dict[str, str]) -> tuple[Known, dict[str, bytes]]:
    known, names_of = Known(), {}
    for name, text in envelopes.items():
        envelope = decode(unhex(text), NETWORK)
        message = envelope.message
        if isinstance(message, Consent):
            names_of[name] = license_hash(message)
        if name in names:
            if isinstance(message, Revocation):
                known.hear(message)
            else:
                known.hear(License(as_kind(message, Consent), envelope.items))
    return known, names_of


def test_verdicts_are_those_of_the_file() -> None:
    vectors = load("verdicts.json")
    seen = set()
    for history in vectors["histories"]:
        known, licenses = heard(history["heard"], vectors["envelopes"])
        for asked in history["answers"]:
            row = Row(licenses[asked["license"]], hash_from_text(asked["item"]))
            query = Query(address_from_text(asked["grantee"]), asked["purpose"])
            assert verdict(known, row, query, asked["now"]) == asked["reason"]
            seen.add(asked["reason"])
    assert seen == {reason.value for reason in Reason} - {"stale", "disputed", "withdrawn"}


@pytest.mark.parametrize(
    "history",
    [*load("chains.json")["histories"], *load("disputes.json")["histories"]],
    ids=lambda one: one["name"],
)
def test_who_may_use_what_is_passed_on_or_disputed(history: dict[str, Any]) -> None:
    known = Known()
    for text in history["heard"]:
        envelope = decode(unhex(text), NETWORK)
        match envelope.message:
            case Consent() as consent:
                known.hear(License(consent, envelope.items))
            case Sublicense() as terms:
                known.hear(PassingOn(terms, envelope.items))
            case Dispute() as terms:
                known.hear(Disputing(terms, envelope.items))
            case message:
                known.hear(as_kind(message, Revocation))
    for asked in history["answers"]:
        row = Row(hash_from_text(asked["license"]), hash_from_text(asked["item"]))
        heed = asked.get("heed")
        listed = None if heed is None else tuple(map(address_from_text, heed))
        query = Query(address_from_text(asked["grantee"]), asked["purpose"], listed)
        assert verdict(known, row, query, asked["now"]) == asked["reason"]


def test_questions_of_sync_read_back_as_they_are() -> None:
    vectors = load("sync.json")
    for one in vectors["exchanges"]:
        question = bytes.fromhex(one["question"][2:])
        assert encode_request(decode_request(question)) == question
    for one in vectors["nodes"]:
        assert unpack_nodes(bytes.fromhex(one["bytes"][2:])) == [int(node) for node in one["numbers"]]


@pytest.mark.parametrize("vector", load("salts.json"), ids=lambda vector: vector["salt"][-4:])
def test_a_salted_item_hash(vector: dict[str, str]) -> None:
    plain = sha256(unhex(vector["bytes"]))
    assert plain == unhex(vector["plain"])
    assert salted_item(unhex(vector["salt"]), plain) == unhex(vector["item"])
