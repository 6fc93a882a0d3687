"""EIP-712 digests against eth-account, which shares no code with ours (rules 4.2 and 4.3.1)."""

import json
from typing import Any

import pytest
from eth_account.messages import SignableMessage, encode_typed_data
from eth_utils.crypto import keccak
from hypothesis import given
from hypothesis import strategies as st

from sayso_protocol.errors import Malformed
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.message import Message, as_kind
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.network import Network
from sayso_protocol.verdicts.verdict import License
from support.protocol_strategies import (
    ADA,
    NETWORK,
    a_consent,
    item_hashes,
    licenses,
    networks,
    revocations,
)

# Written out here, so that the code cannot change them unnoticed (docs/protocol.md, section 4).
CONSENT = (
    "string notice,address contributor,address[] parties,address grantee,string via,bytes32 content,"
    "uint32 items,string[] purposes,bytes32 terms,string termsUri,address guardian,uint64 issuedAt,"
    "uint64 expiresAt,uint16 recheckHours,uint16 removalDays"
)
REVOCATION = "string notice,address contributor,string[] scopes,uint248[] words,uint256[] masks"
DOMAIN = "string name,string version,uint256 chainId,address verifyingContract"


def types(fields: str) -> list[dict[str, str]]:
    pairs = (field.split(" ") for field in fields.split(","))
    return [{"name": name, "type": kind} for kind, name in pairs]


def hash_of(signable: SignableMessage) -> bytes:
    return keccak(b"\x19" + signable.version + signable.header + signable.body)


def oracle(message: Message, network: Network) -> bytes:
    """What eth-account signs, from types and values that this test spells out."""
    domain = {
        "name": "Sayso",
        "version": "1",
        "chainId": network.chain_id,
        "verifyingContract": network.registry,
    }
    if isinstance(message, Revocation):
        name, fields = "Revocation", REVOCATION
        values: dict[str, Any] = {
            "notice": message.notice,
            "contributor": message.contributor,
            "scopes": list(message.scopes),
            "words": list(message.words),
            "masks": list(message.masks),
        }
    else:
        message = as_kind(message, Consent)
        name, fields = "Consent", CONSENT
        values = {
            "notice": message.notice,
            "contributor": message.signer,
            "parties": list(message.parties),
            "grantee": message.grantee,
            "via": message.via,
            "content": message.content,
            "items": message.items,
            "purposes": list(message.purposes),
            "terms": message.terms,
            "termsUri": message.terms_uri,
            "guardian": message.guardian,
            "issuedAt": message.issued_at,
            "expiresAt": message.expires_at,
            "recheckHours": message.recheck_hours,
            "removalDays": message.removal_days,
        }
    whole = {
        "types": {"EIP712Domain": types(DOMAIN), name: types(fields)},
        "primaryType": name,
        "domain": domain,
        "message": values,
    }
    return hash_of(encode_typed_data(full_message=whole))


@given(licenses(), networks)
def test_the_digest_of_a_consent_is_that_of_eth_account(held: License, network: Network) -> None:
    assert digest(held.consent, network) == oracle(held.consent, network)


@given(revocations(), networks)
def test_the_digest_of_a_revocation_is_that_of_eth_account(
    revocation: Revocation, network: Network
) -> None:
    assert digest(revocation, network) == oracle(revocation, network)


@given(licenses().map(lambda held: held.consent) | revocations(), networks)
def test_what_a_wallet_is_given_has_the_same_digest(message: Message, network: Network) -> None:
    shown = json.loads(json.dumps(typed_data(message, network)))
    for name in ("words", "masks"):  # wallets take these as text, eth-account as integers
        if name in shown["message"]:
            shown["message"][name] = [int(number) for number in shown["message"][name]]
    assert hash_of(encode_typed_data(full_message=shown)) == digest(message, network)


@given(licenses().map(lambda held: held.consent) | revocations(), networks, networks)
def test_a_network_is_signed_with_every_message(message: Message, one: Network, other: Network) -> None:
    """Rule 4.2."""
    assert (digest(message, one) == digest(message, other)) is (one == other)


CHANGES: dict[str, Any] = {
    "grantee": ADA,
    "via": "neon.example",
    "parties": tuple(sorted([ADA, b"\x07" * 20])),
    "content": b"\x01" * 32,
    "items": 4,
    "purposes": ("evaluate", "resale"),
    "terms": b"\x01" * 32,
    "terms_uri": "https://kled.ai",
    "guardian": b"\x01" * 20,
    "issued_at": 1_700_000_001,
    "expires_at": 1_800_000_001,
    "recheck_hours": 169,
    "removal_days": 31,
}


@pytest.mark.parametrize("name", CHANGES)
def test_every_field_is_signed(name: str) -> None:
    items = item_hashes(3)
    changed = a_consent(items, **{name: CHANGES[name]})
    assert digest(changed, NETWORK) != digest(a_consent(items), NETWORK)


@pytest.mark.parametrize(
    ("chain_id", "registry"),
    [
        *((chain_id, bytes(20)) for chain_id in (-1, 0, 1 << 53, 1 << 64)),
        *((1, bytes(length)) for length in (0, 19, 21, 32)),
    ],
)
def test_what_is_not_a_network(chain_id: int, registry: bytes) -> None:
    with pytest.raises(Malformed):
        Network(chain_id, registry)
    assert Network((1 << 53) - 1, bytes(20)).chain_id == (1 << 53) - 1


@given(st.integers(1, 9))
def test_the_numbers_a_wallet_shows_are_text_when_javascript_cannot_hold_them(count: int) -> None:
    revocation = Revocation(ADA, (), tuple(range(count)), (2**256 - 1,) * count)
    shown = typed_data(revocation, NETWORK)["message"]
    assert shown["words"] == [str(word) for word in range(count)]
    assert shown["masks"] == [str(2**256 - 1)] * count
