"""ERC-7730: a wallet that follows the standard can bind, match and show every message.

The rules below are those of the published schema, version 2, and of its text, as far as a descriptor of
typed data needs them; written again, so that nothing is taken from what makes the descriptor.
"""

import re
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

import pytest
from eth_account._utils.encode_typed_data.encoding_and_hashing import encode_type
from eth_utils.address import is_checksum_address
from eth_utils.crypto import keccak
from hypothesis import given

from sayso_contracts import clear_signing as module
from sayso_contracts.clear_signing import FIELDS, clear_signing
from sayso_protocol.encoding.eip712 import DOMAIN_FIELDS
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.messages.message import Message
from sayso_protocol.messages.statements.dispute import Dispute
from sayso_protocol.messages.statements.removal import Removal
from sayso_protocol.messages.statements.sublicense import Sublicense
from sayso_protocol.messages.statements.use import Use
from sayso_protocol.messages.typed_data import typed_data
from sayso_protocol.network import Network
from sayso_protocol.primitives import address_text
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN, NETWORK, licenses

DESCRIPTOR: Final = clear_signing(NETWORK)
FORMATS: Final[dict[str, Any]] = DESCRIPTOR["display"]["formats"]
KEY: Final = re.compile(r"(?P<type>[A-Z]\w*)\((?P<fields>[^()]*)\)")
PATH: Final = re.compile(r"[a-z][A-Za-z0-9]*(\.\[\])?")
SUITABLE: Final = {  # formats by type, from the reference of the standard
    "string": {"raw"},
    "bytes32": {"raw"},
    "address": {"raw", "addressName"},
    "uint": {"raw", "date", "unit"},
}
PARAMETERS: Final = {"date": {"encoding"}, "unit": {"base", "decimals", "prefix"}}
_ROOT: Final = b"\x07" * 32
STATEMENTS: Final = (
    Sublicense(ADA, _ROOT, 3, bytes(32), BEN, ("train-ai",), bytes(32), "", 0, 86_400),
    Use(ADA, _ROOT, 3, "train-ai", "run-7", bytes(32), 86_400),
    Removal(ADA, _ROOT, 3, 77, bytes(32)),
    Dispute(ADA, _ROOT, 3, "files", "voice", 0, 86_400),
)
SAID: Final[dict[str, dict[str, Any]]] = {
    "Sublicense": {"Purposes": "train-ai", "To": address_text(BEN), "Until": "1970-01-02"},
    "Use": {"Purpose": "train-ai", "Run": "run-7", "Used at": "1970-01-02", "How many": 3},
    "Removal": {"As of block": 77},
    "Dispute": {"Disputed": "files", "Reason": "voice"},
}
LABEL_CHARACTERS: Final = 20  # a line of the smallest devices


def fields_of(key: str) -> dict[str, str]:
    """Name -> type, as a wallet reads them from the key of a format."""
    match = KEY.fullmatch(key)
    assert match, key
    pairs = [one.split(" ") for one in match["fields"].split(",")]
    return {name: solidity for solidity, name in pairs}


def show(descriptor: dict[str, Any], data: dict[str, Any]) -> list[str] | None:
    """What a wallet shows of typed data, line by line; None if the descriptor is not for it."""
    bound = descriptor["context"]["eip712"]
    domain = data["domain"]
    if any(domain.get(name) != value for name, value in bound["domain"].items()):
        return None
    place = {"chainId": domain.get("chainId"), "address": domain.get("verifyingContract")}
    if place not in bound["deployments"]:
        return None
    types = {name: fields for name, fields in data["types"].items() if name != "EIP712Domain"}
    key = encode_type(data["primaryType"], types)
    form = descriptor["display"]["formats"].get(key)
    return None if form is None else [f"= {form['intent']}", *lines(form, data["message"])]


def lines(form: dict[str, Any], message: dict[str, Any]) -> list[str]:
    shown = []
    for field in form["fields"]:
        name, is_list, _ = field["path"].partition(".[]")
        values = message[name] if is_list else [message[name]]
        shown += [f"{field['label']}: {text(field, one)}" for one in values if is_visible(field, one)]
    return shown


def is_visible(field: dict[str, Any], value: Any) -> bool:
    rule = field["visible"]
    return rule == "always" or (isinstance(rule, dict) and value not in rule["ifNotIn"])


def text(field: dict[str, Any], value: Any) -> str:
    if field["format"] == "date":
        assert field["params"] == {"encoding": "timestamp"}
        return datetime.fromtimestamp(value, UTC).date().isoformat()
    return str(value) + (field["params"]["base"] if field["format"] == "unit" else "")


def test_it_has_the_parts_of_the_standard_and_no_others() -> None:
    assert [*DESCRIPTOR] == ["$schema", "context", "metadata", "display"]
    assert DESCRIPTOR["$schema"].endswith("/erc7730-v2.schema.json")
    assert DESCRIPTOR["metadata"].keys() <= {"owner", "contractName", "info", "constants", "enums"}
    assert DESCRIPTOR["display"].keys() == {"formats"}
    assert DESCRIPTOR["context"].keys() == {"$id", "eip712"}
    bound = DESCRIPTOR["context"]["eip712"]
    assert bound.keys() == {"domain", "deployments"}
    names = {name for _, name in DOMAIN_FIELDS}
    assert bound["domain"] == {"name": "Sayso", "version": "1"}
    assert bound["domain"].keys() <= names
    (place,) = bound["deployments"]
    assert place == {"chainId": NETWORK.chain_id, "address": address_text(NETWORK.registry)}
    assert is_checksum_address(place["address"])


def test_every_kind_has_a_format_under_its_own_type_hash() -> None:
    hashes = {keccak(text=key): key for key in FORMATS}
    assert {one.type_hash for one in KINDS.values()} == hashes.keys()
    assert len({one["intent"] for one in FORMATS.values()}) == len(KINDS)


@pytest.mark.parametrize("key", FORMATS)
def test_every_format_obeys_the_rules_of_the_standard(key: str) -> None:
    form, types = FORMATS[key], fields_of(key)
    assert form.keys() == {"$id", "intent", "fields"}
    assert 0 < len(form["intent"]) <= LABEL_CHARACTERS
    for field in form["fields"]:
        assert {"path", "label", "format", "visible"} <= field.keys() <= {
            "path", "label", "format", "visible", "params",
        }  # fmt: skip
        assert PATH.fullmatch(field["path"])
        solidity = types[field["path"].removesuffix(".[]")]
        assert solidity.endswith("[]") == field["path"].endswith(".[]"), "a list is shown one by one"
        kind = re.sub(r"^uint\d+$", "uint", solidity.removesuffix("[]"))
        assert field["format"] in SUITABLE[kind]
        assert field.get("params", {}).keys() <= PARAMETERS.get(field["format"], set())
        assert ("params" in field) == (field["format"] in PARAMETERS)
        assert 0 < len(field["label"]) <= LABEL_CHARACTERS
        rule = field["visible"]
        assert rule in ("always", "optional") or [*rule] == ["ifNotIn"]


@pytest.mark.parametrize("key", FORMATS)
def test_every_signed_field_is_there_once_and_the_notice_is_first(key: str) -> None:
    fields = FORMATS[key]["fields"]
    names = [field["path"].removesuffix(".[]") for field in fields]
    assert names[0] == "notice"
    assert sorted(names) == sorted(fields_of(key))
    assert len({field["label"] for field in fields}) == len(fields)
    for name, field in zip(names, fields, strict=True):
        assert (field["visible"] == "optional") == bool(FIELDS[name].left_out), "without a reason"


def test_a_field_without_a_label_stops_the_import(monkeypatch: pytest.MonkeyPatch) -> None:
    """A new field, or a new kind, cannot be signed unseen because somebody forgot this table."""
    monkeypatch.delitem(FIELDS, "via")
    with pytest.raises(KeyError):
        clear_signing(NETWORK)
    source = module.__file__
    assert source
    code = Path(source).read_text("utf-8").replace('    "via": Shown("Through", ""),\n', "")
    with pytest.raises(Malformed, match="no label for the fields via"):
        exec(compile(code, source, "exec"), {"__name__": "changed"})


def test_a_wallet_shows_a_consent_in_words() -> None:
    message: Message = consent(1, count=3).message
    shown = show(DESCRIPTOR, typed_data(message, NETWORK))
    assert shown is not None
    assert shown[:2] == ["= License your data", f"You sign: {message.notice}"]
    labels = list(dict.fromkeys(one.partition(":")[0] for one in shown[2:]))
    first, *rest = ["Purposes", "Until", "To", "Through", "Files", "From", "People"]
    assert labels[0] == first
    assert [one for one in labels if one in rest] == rest
    assert not {"Guardian", "Terms at", "Hash of the terms", "Signer"} & {*labels}


@given(licenses().map(lambda held: held.consent))
def test_whatever_is_signed_is_shown_unless_it_says_nothing(message: Message) -> None:
    data = typed_data(message, NETWORK)
    shown = show(DESCRIPTOR, data)
    assert shown is not None
    told = "\n".join(shown)
    for name, value in data["message"].items():
        if FIELDS[name].left_out or name in {"issuedAt", "expiresAt"} or value == FIELDS[name].empty:
            continue
        for one in value if isinstance(value, list) else [value]:
            assert f": {one}" in told, name


def test_it_binds_one_registry_and_our_domain() -> None:
    message = consent(1).message
    here = typed_data(message, NETWORK)
    assert show(DESCRIPTOR, here)
    for elsewhere in (Network(NETWORK.chain_id + 1, NETWORK.registry), Network(NETWORK.chain_id, BEN)):
        assert show(DESCRIPTOR, typed_data(message, elsewhere)) is None
    for name, value in (("name", "Other"), ("version", "2")):
        assert show(DESCRIPTOR, here | {"domain": here["domain"] | {name: value}}) is None
    longer = here["types"] | {"Consent": [*here["types"]["Consent"], {"name": "more", "type": "string"}]}
    more = {**here, "types": longer, "message": here["message"] | {"more": ""}}
    assert show(DESCRIPTOR, more) is None, "another type is another message"


def test_the_numbers_of_a_revocation_are_shown_only_if_there_are_any() -> None:
    message = revocation("everything").message
    form = FORMATS[next(key for key in FORMATS if key.startswith("Revocation("))]
    shown = lines(form, typed_data(message, NETWORK)["message"])
    assert shown == [f"You sign: {message.notice}", "Takes back: everything"]


@pytest.mark.parametrize("message", STATEMENTS, ids=lambda one: type(one).__name__)
def test_a_wallet_shows_a_statement_in_words(message: Message) -> None:
    shown = show(DESCRIPTOR, typed_data(message, NETWORK))
    assert shown is not None
    assert shown[1] == f"You sign: {message.notice}"
    told = "\n".join(shown[2:])
    for name, value in SAID[type(message).__name__].items():
        assert f"{name}: {value}" in told
    assert "Hash of the list" not in told
