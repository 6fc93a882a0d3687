"""The JSON values of the HTTP API, as JSON Schema 2020-12: the components of the OpenAPI document.

Texts name the rules of docs/protocol.md; they are not repeated here.
"""

from collections.abc import Mapping
from typing import Final

from sayso_node.api.routes.checks import MAX_AGE_S, ROWS, RUN_ID_CHARS
from sayso_node.api.schema.message_json import FORMS, Field
from sayso_node.api.schema.schema_words import (
    ADDRESS,
    BASE64,
    COUNT,
    DECIMAL,
    HASH,
    PURPOSE,
    SIGNATURE,
    Schema,
    array,
    fields,
    nullable,
    ref,
    text,
)
from sayso_protocol.messages.kinds import KINDS
from sayso_protocol.verdicts.verdict import Reason

TIME: Final[Schema] = {"type": "number", "minimum": 0, "description": "Seconds since the epoch."}
KEY: Final = ref("Key")
BYTES: Final = text(r"^0x([0-9a-f]{2})+$")
BLOCK: Final = fields({"number": COUNT, "hash": HASH})
NETWORK: Final = fields({"chain_id": COUNT, "registry": ADDRESS})
REASON: Final[Schema] = {"enum": [str(reason) for reason in Reason]}
MAX_AGE: Final[Schema] = {"type": "integer", "minimum": 0, "maximum": MAX_AGE_S - 1}

_SIGNED: Final = {"type": text(), "network": NETWORK, "node_key": KEY, "block": BLOCK, "time": COUNT}
_LISTED: Final[dict[str, Schema]] = {
    "license": HASH,
    "status": {"enum": ["active", "revoked", "expired", "not-yet-valid"]},
    "consent": {"type": "object"},
    "arrived_at": TIME,
    "permissions": COUNT,
    "revoked_permissions": COUNT,
}
_SLOT: Final = {"slot": HASH, "value": ref("Quantity"), "proof": array(BYTES)}


def message_components() -> dict[str, Schema]:
    """The forms of all kinds of messages, bare and signed."""
    found: dict[str, Schema] = {}
    for kind, form in FORMS.items():
        title, about = KINDS[kind].title, f"Rule {form.rule}, the notice left out."
        known = f"`{form.company}`: envelopes that make it known (rule 7.12)." if form.company else ""
        found[f"{title}Fields"] = _form(form.fields, about)
        found[f"Signed{title}"] = _form(form.signed, known)
    return found


def _form(named: Mapping[str, Field], about: str) -> Schema:
    required = {name: one.schema for name, one in named.items() if one.default is None}
    optional = {name: one.schema for name, one in named.items() if one.default is not None}
    return fields(required, optional, about)


COMPONENTS: Final[dict[str, Schema]] = {
    "Hash": text(r"^0x[0-9a-f]{64}$", "Rule 1.3."),
    "Address": text(r"^0x([0-9a-f]{40}|[0-9a-fA-F]{40})$", "Rule 1.2: EIP-55, or all lower case."),
    "Key": text(r"^[0-9a-f]{64}$", "An Ed25519 public key."),
    "Decimal": text(r"^(0|[1-9][0-9]{0,77})$", "A whole number in decimal digits."),
    "Quantity": text(r"^0x[0-9a-f]{1,64}$", "A whole number in hexadecimal digits."),
    "Cursor": text(r"^[A-Za-z0-9_-]{27}$", "Opaque: as it was given out, for the same path."),
    "Code": fields({"code": text(r"^[a-z-]+$", "One of docs/reference/errors.md."), "message": text()}),
    "Error": fields({"error": ref("Code")}),
    **message_components(),
    "TypedData": fields(
        {"digest": HASH, "typed_data": {"type": "object"}},
        description="`typed_data` is what `eth_signTypedData_v4` takes; `digest` is what it signs.",
    ),
    "Acknowledgement": fields(_SIGNED | {"digest": HASH, "signature": SIGNATURE}, None, "Rule 9.6."),
    "Result": fields(
        {
            "digest": nullable(HASH),
            "status": {"enum": ["stored", "known", "pending", "refused"]},
        },
        {"error": ref("Code"), "acknowledgement": ref("Acknowledgement")},
        "What became of one message.",
    ),
    "Results": fields({"results": array(ref("Result"))}, None, "In the order of the messages."),
    "License": fields(
        _LISTED
        | {
            "envelope": BASE64,
            "items": array(HASH),
            "revoked_masks": array(DECIMAL, maxItems=64),
            "anchor": nullable(ref("Anchor")),
        },
        None,
        "`revoked_masks`: by rule 8.2, one for each word from the first on (rule 5.5).",
    ),
    "Listed": fields(_LISTED | {"anchor_block": nullable(COUNT)}),
    "Consents": fields({"consents": array(ref("Listed")), "next": nullable(ref("Cursor"))}),
    "Progress": fields(
        {
            "digest": HASH,
            "status": {"enum": ["stored", "pending"]},
            "sent_to": nullable(COUNT),
            "on_chain": {"type": "boolean"},
            "chain_block": nullable(COUNT),
            "block": nullable(BLOCK),
            "acknowledgement": nullable(ref("Acknowledgement")),
        },
        None,
        "`sent_to`: how many peers this node gave it to; null if it has not, or no longer knows."
        " `on_chain`: every bit of it is on the chain as it was read up to `block`, the last of them"
        " since `chain_block`.",
    ),
    "Anchor": fields(
        {"root": HASH, "block_number": COUNT, "submitter": ADDRESS, "proof": ref("AnchorProof")}
    ),
    "AnchorProof": fields(
        {"sponsor": KEY, "count": COUNT, "index": COUNT, "path": array(HASH), "tree": HASH},
        None,
        "Rule 10.2.",
    ),
    "ChainProof": fields(
        {
            "type": text(),
            "network": NETWORK,
            "license": HASH,
            "item": HASH,
            "purpose": PURPOSE,
            "envelope": BYTES,
            "block": fields({"number": COUNT, "hash": HASH, "header": BYTES}),
            "account": fields(
                {
                    "account_proof": array(BYTES),
                    "balance": ref("Quantity"),
                    "nonce": ref("Quantity"),
                    "code_hash": BYTES,
                    "storage_hash": BYTES,
                }
            ),
            "places": array(
                fields(
                    {"address": ADDRESS, "word": DECIMAL, "bit": COUNT, "scope": nullable(text())}
                    | _SLOT
                )
            ),
            "anchor": nullable(fields({"root": HASH} | _SLOT, {"batch": ref("AnchorProof")})),
        },
        None,
        "Rule 10.6: EIP-1186 proofs of every place that rule 8.2 looks at.",
    ),
    "ReceiptProof": fields(
        {
            "type": text(),
            "network": NETWORK,
            "digest": HASH,
            "envelope": BYTES,
            "landings": array(
                fields(
                    {
                        "block": fields({"number": COUNT, "hash": HASH, "header": BYTES}),
                        "index": COUNT,
                        "transaction": array(BYTES),
                        "receipt": array(BYTES),
                    }
                )
            ),
        },
        None,
        "Rule 10.10: by which transactions a revocation came to the chain.",
    ),
    "Batch": fields({"root": HASH, "sponsor": KEY, "licenses": array(HASH)}, None, "Rule 10.1."),
    "Licenses": fields({"licenses": array(HASH), "next": nullable(ref("Cursor"))}),
    "Claim": fields(
        {
            "license": HASH,
            "contributor": ADDRESS,
            "parties": array(ADDRESS),
            "grantee": ADDRESS,
            "via": text(),
            "purposes": array(PURPOSE),
            "revoked_purposes": array(PURPOSE),
            "issued_at": COUNT,
            "expires_at": COUNT,
        }
    ),
    "Claims": fields(
        {"clear": {"const": False}, "claims": array(ref("Claim")), "next": nullable(ref("Cursor"))},
        None,
        "Rule 8.11: an item without a license is never clear.",
    ),
    "Check": fields(
        {
            "grantee": ADDRESS,
            "purpose": PURPOSE,
            "max_age_s": MAX_AGE,
            "run_id": {"type": "string", "maxLength": RUN_ID_CHARS},
            "rows": array(array(HASH, minItems=2, maxItems=2), minItems=1, maxItems=ROWS),
        },
        None,
        "A row is license hash and item hash.",
    ),
    "Checked": fields({"reasons": array(REASON), "receipt": nullable(ref("Receipt"))}),
    "Receipt": fields(
        _SIGNED
        | {
            "grantee": ADDRESS,
            "purpose": PURPOSE,
            "max_age_s": MAX_AGE,
            "run_id": text(),
            "manifest_root": HASH,
            "results_root": HASH,
            "counts": {"type": "object", "additionalProperties": COUNT},
            "sequence": COUNT,
            "state": HASH,
            "signature": SIGNATURE,
        },
        None,
        "Rule 9.6.",
    ),
    "Status": fields(
        _SIGNED
        | {
            "root": HASH,
            "count": COUNT,
            "state": HASH,
            "license": HASH,
            "item": HASH,
            "grantee": ADDRESS,
            "purpose": PURPOSE,
            "max_age_s": MAX_AGE,
            "reason": REASON,
            "index": COUNT,
            "path": array(HASH),
            "signature": SIGNATURE,
        },
        None,
        "Rule 9.10.",
    ),
    "Snapshots": fields({"files": array(ref("SnapshotFile"))}),
    "SnapshotFile": fields(
        {
            "name": text(description="Below /v1/snapshots/."),
            "id": HASH,
            "number": {**COUNT, "description": "0: the snapshot; then which delta it is."},
            "bytes": COUNT,
            "keys": COUNT,
            "time": COUNT,
            "as_of": COUNT,
            "expires_at": COUNT,
        },
        None,
        "Rule 13.2.",
    ),
    "Node": {
        "type": "object",
        "properties": {
            "name": text(),
            "version": text(),
            "node_key": KEY,
            "peer_id": text(),
            "network": NETWORK,
            "operators": array(fields({"name": text(), "node_key": KEY, "url": nullable(text())})),
            "time": TIME,
            "block": nullable(fields({"number": COUNT, "hash": HASH, "time": TIME})),
            "listen": array(text()),
            "counters": {"type": "object", "additionalProperties": COUNT},
        },
        "required": ["name", "version", "node_key", "peer_id", "network", "time", "block", "counters"],
    },
    "Peers": fields(
        {
            "peers": array(
                fields({"peer_id": text(), "address": text(), "connected": {"type": "boolean"}})
            )
        }
    ),
    "Health": fields({"ok": {"const": True}}),
    "Ready": {
        "type": "object",
        "properties": {"ready": {"type": "boolean"}, "parts_down": array({"type": "string"})},
        "required": ["ready", "parts_down"],
        "description": "Chain and peers were read lately, and no part of the node is down.",
    },
}
