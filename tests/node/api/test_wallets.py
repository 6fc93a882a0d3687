"""What a page does: fields in, typed data out, a wallet's signature, and the message is handed in."""

import base64
from typing import Any

import pytest
from eth_account import Account
from eth_account.messages import encode_typed_data

from sayso_contracts.clear_signing import clear_signing
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.kinds import kind_of
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.messages.typed_data import digest, typed_data
from sayso_protocol.network import Network
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import address_from_text, address_text, hash_from_text, hex_text
from sayso_protocol.receipts.text import acknowledgement_from_json
from support.node_rig import consent, node_key, revocation
from support.protocol_strategies import BEN, NETWORK, item_hashes
from support.running_node import RunningNode

WALLET = Account.from_key(b"\x11" * 32)
TRUSTED = NetworkFile(NETWORK, 1, 0, (Operator("rig", bytes(node_key("rig").verify_key)),))
CONSENT: dict[str, Any] = {
    "contributor": WALLET.address,
    "grantee": address_text(BEN),
    "via": "kled.ai",
    "items": [hex_text(item) for item in item_hashes(3, 1)],
    "purposes": ["fine-tune", "train-ai"],
    "issued_at": 1_749_000_000,
    "expires_at": 1_760_000_000,
}
REVOCATION: dict[str, Any] = {"contributor": WALLET.address, "scopes": ["via kled.ai"]}


async def sign(node: RunningNode, kind: str, fields: dict[str, Any]) -> dict[str, Any]:
    """The fields with the signature that a wallet gives for the typed data."""
    status, body = await node.ask("POST", f"/v1/typed-data/{kind}", json=fields)
    assert status == 200, body
    signed = WALLET.sign_message(encode_typed_data(full_message=body["typed_data"]))
    assert hex_text(signed.message_hash) == body["digest"]
    return {**fields, "signature": hex_text(signed.signature)}


async def test_from_fields_to_a_promise(node: RunningNode) -> None:
    given = await sign(node, "consent", CONSENT)
    status, body = await node.ask("POST", "/v1/consents", json=given)
    assert (status, [one["status"] for one in body["results"]]) == (200, ["stored"])
    name = body["results"][0]["digest"]
    _, held = await node.get(f"/v1/licenses/{name}")
    assert (held["consent"]["via"], held["revoked_permissions"], held["status"]) == (
        "kled.ai",
        0,
        "active",
    )
    taken = await sign(node, "revocation", REVOCATION)
    status, body = await node.ask("POST", "/v1/revocations", json=taken)
    assert (status, body["results"][0]["status"]) == (200, "stored")
    promise = acknowledgement_from_json(body["results"][0]["acknowledgement"])
    assert promise.check(TRUSTED).name == "rig"
    assert hex_text(promise.statement.digest) == body["results"][0]["digest"]
    _, held = await node.get(f"/v1/licenses/{name}")
    assert (held["revoked_permissions"], held["status"]) == (6, "revoked")


CLOCKS: list[tuple[str, Any, str | None]] = [
    ("recheck_hours", 1, None),
    ("recheck_hours", 8_760, None),
    ("recheck_hours", 0, "invalid-consent"),
    ("recheck_hours", 8_761, "invalid-consent"),
    ("recheck_hours", -1, "invalid-consent"),
    ("recheck_hours", 1 << 70, "invalid-consent"),
    ("recheck_hours", "168", "bad-request"),
    ("recheck_hours", True, "bad-request"),
    ("recheck_hours", 1.5, "bad-request"),
    ("recheck_hours", None, "bad-request"),
    ("recheckHours", 168, "bad-request"),
    ("removal_days", 1, None),
    ("removal_days", 365, None),
    ("removal_days", 0, "invalid-consent"),
    ("removal_days", 366, "invalid-consent"),
    ("removal_days", "30", "bad-request"),
    ("removal_days", [30], "bad-request"),
]


@pytest.mark.parametrize(("field", "value", "code"), CLOCKS)
async def test_the_two_clocks_of_a_consent(
    node: RunningNode, field: str, value: Any, code: str | None
) -> None:
    fields = CONSENT | {field: value}
    status, body = await node.ask("POST", "/v1/typed-data/consent", json=fields)
    if code:
        assert (status, body["error"]["code"]) == (400, code)
    else:
        names = {"recheck_hours": "recheckHours", "removal_days": "removalDays"}
        assert body["typed_data"]["message"][names[field]] == value
    status, body = await node.ask("POST", "/v1/consents", json={**fields, "signature": "0x" + "00" * 65})
    assert status in {400, 422}
    assert node.stored()["messages"] == 0


async def test_without_clocks_a_consent_has_those_of_our_tools(node: RunningNode) -> None:
    _, body = await node.ask("POST", "/v1/typed-data/consent", json=CONSENT)
    message = body["typed_data"]["message"]
    assert (message["recheckHours"], message["removalDays"]) == (168, 30)


async def test_typed_data_is_that_of_the_protocol(node: RunningNode) -> None:
    for kind, envelope in (("consent", consent(1)), ("revocation", revocation(words={64: 3, 65: 1}))):
        told = typed_data(envelope.message, NETWORK)["message"]
        fields = {
            attribute: told[name]
            for name, attribute, _ in kind_of(envelope.message).columns
            if name not in {"notice", "content"}
        }
        if kind == "consent":
            fields["items"] = [hex_text(item) for item in envelope.items]
        status, body = await node.ask("POST", f"/v1/typed-data/{kind}", json=fields)
        assert status == 200
        assert body["typed_data"] == typed_data(envelope.message, NETWORK)
        assert hash_from_text(body["digest"]) == digest(envelope.message, NETWORK)
    assert node.stored()["messages"] == 0


async def test_a_revocation_of_what_nobody_knows_waits_unless_its_consent_comes_along(
    node: RunningNode,
) -> None:
    """Rules 7.12 and 7.14."""
    taken = await sign(node, "revocation", REVOCATION)
    status, body = await node.ask("POST", "/v1/revocations", json=taken)
    assert (status, body["results"][0]["status"]) == (202, "pending")
    assert "acknowledgement" not in body["results"][0]
    assert node.stored()["acknowledgements"] == 0
    one = consent(1)
    signed = revocation("everything")
    along = {
        "contributor": address_text(signed.message.signer),
        "scopes": ["everything"],
        "signature": hex_text(signed.signature),
        "consents": [base64.b64encode(encode(one)).decode()],
    }
    status, body = await node.ask("POST", "/v1/revocations", json=along)
    assert (status, [result["status"] for result in body["results"]]) == (200, ["stored", "stored"])
    assert "acknowledgement" in body["results"][0]


async def test_a_revocation_that_was_signed_on_another_chain(node: RunningNode) -> None:
    """Rule 6.2.5: whoever submits it states the chain id."""
    await node.ask("POST", "/v1/consents", json=await sign(node, "consent", CONSENT))
    there = Network(8_453, NETWORK.registry)
    stop = Revocation(address_from_text(WALLET.address), ("everything",))
    hashed: Any = digest(stop, there)
    by_fields = {
        "contributor": WALLET.address,
        "scopes": ["everything"],
        "signature": hex_text(WALLET.unsafe_sign_hash(hashed).signature),
    }
    status, body = await node.ask("POST", "/v1/revocations", json=by_fields)
    assert (status, body["results"][0]["error"]["code"]) == (422, "bad-signature")
    stated = by_fields | {"chain_id": 8_453}
    status, body = await node.ask("POST", "/v1/revocations", json=stated)
    assert (status, body["results"][0]["status"]) == (200, "stored")
    assert body["results"][0]["digest"] == hex_text(digest(stop, there))
    _, listed = await node.get(f"/v1/contributors/{WALLET.address}/revocations")
    [one] = listed["revocations"]
    assert (one["chain_id"], one["digest"]) == (8_453, hex_text(digest(stop, there)))


@pytest.mark.parametrize(
    ("chain_id", "code"),
    [
        *((number, "malformed") for number in (0, -1, 1 << 53, 1 << 64)),
        *((value, "bad-request") for value in ("1", 1.5, True, None)),
    ],
)
async def test_what_is_no_chain_id_is_refused(node: RunningNode, chain_id: object, code: str) -> None:
    taken = await sign(node, "revocation", REVOCATION)
    status, body = await node.ask("POST", "/v1/revocations", json=taken | {"chain_id": chain_id})
    assert (status, body["error"]["code"]) == (400, code)
    assert node.stored()["messages"] == 0


@pytest.mark.parametrize("kind", ["consent", "revocation"])
async def test_a_signature_for_other_fields_is_refused(node: RunningNode, kind: str) -> None:
    fields = CONSENT if kind == "consent" else REVOCATION
    given = await sign(node, kind, fields)
    changed = {"purposes": ["train-ai"]} if kind == "consent" else {"scopes": ["everything"]}
    status, body = await node.ask("POST", f"/v1/{kind}s", json=given | changed)
    assert (status, body["results"][0]["error"]["code"]) == (422, "bad-signature")
    assert node.stored()["messages"] == 0


async def test_how_a_wallet_may_show_it_is_served_for_this_network(node: RunningNode) -> None:
    status, body = await node.get("/v1/clear-signing/eip712.json")
    assert (status, body) == (200, clear_signing(NETWORK))
    _, typed = await node.ask("POST", "/v1/typed-data/consent", json=CONSENT)
    domain = typed["typed_data"]["domain"]
    place = {"chainId": domain["chainId"], "address": domain["verifyingContract"]}
    assert place in body["context"]["eip712"]["deployments"]
