"""Vectors of chain proofs, right ones and others (rules 10.5 to 10.7)."""

import copy
from collections.abc import Callable
from typing import Any

from evidence.chain_proofs import ChainProof, chain_proof
from sayso_protocol.ethereum.chain_proofs import check_chain_proof
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.revocation import Revocation
from sayso_protocol.primitives import address_text, hex_text, sha256
from sayso_protocol.verdicts.covering import Place
from sayso_protocol.verdicts.query import Query
from support.protocol_strategies import ADA, BEN, CLEO, NETWORK, NODE, a_consent, item_hashes, signed
from vectors.texts import code_of

Json = dict[str, Any]
ITEMS = item_hashes(70)
PURPOSES = tuple(f"p{number:02}" for number in range(8))
GUARDED = signed(a_consent(ITEMS, guardian=CLEO, purposes=PURPOSES), ITEMS).sponsored_by(NODE)
RENEWED = signed(
    a_consent(ITEMS, guardian=CLEO, purposes=PURPOSES, expires_at=1_800_000_001), ITEMS
).sponsored_by(NODE)
TO_ANYONE = signed(a_consent(ITEMS[:1], grantee=bytes(20), via=""), ITEMS[:1]).sponsored_by(NODE)
PASSED_ON = signed(a_consent(ITEMS, purposes=("resale", "train-ai")), ITEMS).sponsored_by(NODE)
TO_BEN, TO_CLEO = Query(BEN, "p07"), Query(CLEO, "train-ai")
Shown = Callable[[Place], int]


def _scope(beginning: str, bits: int = 1) -> Shown:
    return lambda place: bits if (place.scope or "").startswith(beginning) else 0


def _documents() -> dict[str, ChainProof]:
    """One for each consent and each bit that revokes."""
    ward = f"ward {hex_text(ADA)} "
    shown: dict[str, Shown] = {
        "its own bit": lambda place: int(place.scope is None) << place.bit,
        "another bit of its word": lambda place: int(place.scope is None) << (place.bit ^ 1),
        "nothing": lambda _place: 0,
        "everything": _scope("everything"),
        "everything, for the purpose": _scope("everything for "),
        "the agreement": _scope("agreement "),
        "the file": _scope("file "),
        "the marketplace": _scope("via "),
        "to the grantee": _scope("to "),
        "the guardian's word": _scope(ward + "to "),
        "another bit of a scope's word": _scope("everything", 1 << 255 | 2),
    }
    found = {
        name: chain_proof(GUARDED, NETWORK, ITEMS[69], TO_BEN, bits) for name, bits in shown.items()
    }
    resale: Shown = lambda place: int(place.scope is None and place.bit % 2 == 0) << place.bit  # noqa: E731
    anyone = Query(bytes(20), "train-ai")
    return found | {
        "not anchored": chain_proof(
            GUARDED, NETWORK, ITEMS[69], TO_BEN, shown["nothing"], is_anchored=False
        ),
        "for a purpose that is not there": chain_proof(
            GUARDED, NETWORK, ITEMS[69], Query(BEN, "train-ai"), shown["nothing"]
        ),
        "for anyone, though to one grantee": chain_proof(
            GUARDED, NETWORK, ITEMS[69], Query(bytes(20), "p07"), shown["nothing"]
        ),
        "for anyone": chain_proof(TO_ANYONE, NETWORK, ITEMS[0], anyone, shown["nothing"]),
        "for one of all": chain_proof(TO_ANYONE, NETWORK, ITEMS[0], TO_CLEO, _scope("to ")),
        "for whom it was passed on to": chain_proof(
            PASSED_ON, NETWORK, ITEMS[1], TO_CLEO, shown["nothing"]
        ),
        "that it may be passed on": chain_proof(PASSED_ON, NETWORK, ITEMS[1], TO_CLEO, resale),
        "everything for resale": chain_proof(
            PASSED_ON, NETWORK, ITEMS[1], TO_CLEO, _scope("everything for resale")
        ),
    }


def _changes(right: Json) -> dict[str, tuple[list[Any], Any]]:
    """Where a proof of `its own bit` is changed, and to what."""
    return _of_its_subject(right) | _of_its_places(right)


def _of_its_subject(right: Json) -> dict[str, tuple[list[Any], Any]]:
    places, anchor = right["places"], right["anchor"]
    other = signed(Revocation(ADA, ("everything",)))
    capital = "0x" + right["account"]["account_proof"][0][2:].upper()
    return {
        "unchanged": (["type"], right["type"]),
        "a field more": (["note"], "nobody proved this"),
        "nodes more": (["places", 0, "proof"], [*places[0]["proof"], anchor["proof"][-1], "0xc0"]),
        "without anchor": (["anchor"], None),
        "an anchor without batch": (
            ["anchor"],
            {name: anchor[name] for name in anchor if name != "batch"},
        ),
        "another type": (["type"], "sayso-receipt-proof-1"),
        "another chain": (["network", "chain_id"], 1),
        "another registry": (["network", "registry"], address_text(CLEO)),
        "another license": (["license"], hex_text(sha256(b"other"))),
        "another consent": (["envelope"], hex_text(encode(PASSED_ON))),
        "the consent that renews it": (["envelope"], hex_text(encode(RENEWED))),
        "a revocation for a consent": (["envelope"], hex_text(encode(other))),
        "an item that is not there": (["item"], hex_text(sha256(b"other"))),
        "another item": (["item"], hex_text(ITEMS[0])),
        "a purpose that is not there": (["purpose"], "train-ai"),
        "another purpose": (["purpose"], "p06"),
        "anyone for one grantee": (["grantee"], address_text(bytes(20))),
        "another grantee": (["grantee"], address_text(CLEO)),
        "another header": (["block", "header"], right["block"]["header"][:-2] + "01"),
        "another height": (["block", "number"], 20),
        "another block hash": (["block", "hash"], hex_text(bytes(32))),
        "an account without its nodes": (["account", "account_proof"], []),
        "nodes in capitals": (["account", "account_proof", 0], capital),
        "another balance": (["account", "balance"], "0x6"),
        "a balance with a leading zero": (["account", "balance"], "0x05"),
        "another nonce": (["account", "nonce"], "0x2"),
        "other code": (["account", "code_hash"], hex_text(bytes(32))),
        "other storage": (["account", "storage_hash"], hex_text(bytes(32))),
    }


def _of_its_places(right: Json) -> dict[str, tuple[list[Any], Any]]:
    places = right["places"]
    return {
        "a place too few": (["places"], places[:-1]),
        "a place more": (["places"], [*places, places[0]]),
        "places in another order": (["places"], [places[1], places[0], *places[2:]]),
        "another address": (["places", 0, "address"], address_text(BEN)),
        "another word": (["places", 0, "word"], "7"),
        "another bit": (["places", 0, "bit"], places[0]["bit"] ^ 1),
        "another scope": (["places", 1, "scope"], "nothing"),
        "another slot": (["places", 1, "slot"], places[2]["slot"]),
        "another value": (["places", 0, "value"], "0x0"),
        "a value that is not there": (["places", 1, "value"], "0x1"),
        "a value without its nodes": (["places", 0, "proof"], []),
        "nothing without its nodes": (["places", 1, "proof"], []),
        "the anchor of another root": (["anchor", "root"], hex_text(bytes(32))),
        "another time of the anchor": (["anchor", "value"], "0x1"),
        "another index": (["anchor", "batch", "index"], 0),
        "another count": (["anchor", "batch", "count"], 2),
        "another maker": (["anchor", "batch", "sponsor"], "00" * 32),
        "no list": (["places"], 7),
    }


def _changed(document: Json, path: list[Any], value: Any) -> Json:
    changed = copy.deepcopy(document)
    inside: Any = changed
    for name in path[:-1]:
        inside = inside[name]
    inside[path[-1]] = value
    return changed


def _case(name: str, of: str, proof: ChainProof, change: tuple[list[Any], Any] | None) -> Json:
    document = _changed(proof.document, *change) if change else proof.document
    case: Json = {"name": name, "document": of, "change": change}
    case["code"] = code_of(lambda one: check_chain_proof(one, NETWORK, proof.block_hash), document)
    if case["code"] is None:
        found = check_chain_proof(document, NETWORK, proof.block_hash)
        case["found"] = {
            "number": found.number,
            "time": found.time,
            "revoked_by": list(found.revoked_by),
            "anchored_in": found.anchored_in,
        }
    return case


def chain_proofs() -> Json:
    """Documents with the hashes of their blocks, what is changed in them, and what they show then."""
    documents, base = _documents(), "its own bit"
    cases = [_case(name, name, proof, None) for name, proof in documents.items()]
    changes = _changes(documents[base].document)
    cases += [_case(name, base, documents[base], change) for name, change in changes.items()]
    return {
        "documents": {
            name: {"block_hash": hex_text(one.block_hash), "document": one.document}
            for name, one in documents.items()
        },
        "proofs": cases,
    }
