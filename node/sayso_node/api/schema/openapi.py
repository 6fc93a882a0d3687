"""GET /v1/openapi.json: the whole API as an OpenAPI 3.1 document. A test holds it to the routes.

Every route may also answer with `Error`, in the status that docs/reference/api.md gives for the code.
"""

from collections.abc import Mapping
from typing import Any, Final

from aiohttp import web

from sayso_node.api.http.bodies import JSON, MSGPACK
from sayso_node.api.http.negotiation import EVENTS, OCTETS
from sayso_node.api.routes.licenses import CONSENTS
from sayso_node.api.routes.listings import CLAIMS, LICENSES
from sayso_node.api.schema.message_json import FORMS
from sayso_node.api.schema.schema_words import ADDRESS, HASH, PURPOSE, Schema, ref, text
from sayso_node.api.schema.schemas import COMPONENTS, MAX_AGE, message_components
from sayso_protocol.messages.kinds import KINDS

TITLE: Final = "A Sayso node"
ABOUT: Final = (
    "Nothing is used without your say-so. Rules are those of docs/protocol.md. Where JSON is answered,"
    " the header Accept may ask for the same values in msgpack."
)
OPAQUE: Final[Schema] = {"description": "The same values in msgpack."}


def _parameter(place: str, name: str, schema: Schema, *, required: bool = True) -> Schema:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _query(name: str, schema: Schema, *, required: bool = True) -> Schema:
    return _parameter("query", name, schema, required=required)


def _paged(largest: int) -> list[Schema]:
    limit = {"type": "integer", "minimum": 1, "maximum": largest, "default": largest}
    return [
        _query("limit", limit, required=False),
        _query("cursor", ref("Cursor"), required=False),
    ]


def _answer(about: str, schema: str) -> Schema:
    return {
        "description": about,
        "content": {JSON: {"schema": ref(schema)}, MSGPACK: {"schema": OPAQUE}},
    }


ERROR: Final = {"default": _answer("Refused.", "Error")}


def _get(name: str, about: str, schema: str, *parameters: Schema, **others: Schema) -> Schema:
    same = {"304": {"description": "As `If-None-Match` says."}}
    more = {status.removeprefix("s"): answer for status, answer in others.items()}
    return {
        "get": {
            "operationId": name,
            "summary": about,
            "parameters": list(parameters),
            "responses": {"200": _answer("Here it is.", schema)} | same | more | ERROR,
        }
    }


def _stream(name: str, about: str, kind: str, *parameters: Schema) -> Schema:
    answer = {"description": "Here it is.", "content": {kind: {"schema": {"type": "string"}}}}
    found = {"operationId": name, "summary": about, "parameters": list(parameters)}
    return {"get": found | {"responses": {"200": answer} | ERROR}}


def _file(name: str, about: str, *parameters: Schema) -> Schema:
    """Bytes of which parts may be asked for (RFC 9110, section 14)."""
    content = {"content": {OCTETS: {"schema": {"description": "Bytes."}}}}
    answers = {
        "200": {"description": "Here it is."} | content,
        "206": {"description": "The part that `Range` asks for."} | content,
        "304": {"description": "As `If-None-Match` says."},
        "416": {"description": "It has no such part."},
    }
    found = {"operationId": name, "summary": about, "parameters": list(parameters)}
    return {"get": found | {"responses": answers | ERROR}}


def _post(name: str, about: str, content: Mapping[str, Schema], answers: Mapping[str, Schema]) -> Schema:
    body = {"required": True, "content": {kind: {"schema": one} for kind, one in content.items()}}
    return {
        "post": {
            "operationId": name,
            "summary": about,
            "requestBody": body,
            "responses": {**answers, **ERROR},
        }
    }


def _hash(name: str) -> Schema:
    return _parameter("path", name, HASH)


TAKEN: Final = {
    "200": _answer("Every message is kept; revocations are acknowledged.", "Results"),
    "202": _answer("Those that are `pending` are no promise (rule 7.14).", "Results"),
    "422": _answer("Some are refused; the others are kept.", "Results"),
}
BUNDLE: Final = {"description": "A canonical array of envelopes (rule 7.1), at most 4 MiB."}
ROWS: Final = {"description": "The fields of Check; grantee 20 bytes, rows 64 bytes each, joined."}


def message_paths() -> dict[str, Schema]:
    """Where each kind of message is handed in, and made into what a wallet signs."""
    found: dict[str, Schema] = {}
    for number, form in FORMS.items():
        kind = KINDS[number]
        body = {JSON: ref(f"Signed{kind.title}")}
        found[f"/v1/{form.path}"] = _post(form.verb, f"Hand in one {kind.name}.", body, TAKEN)
        found[f"/v1/typed-data/{kind.name}"] = _post(
            f"typed{kind.title}",
            f"What a wallet signs to {form.verb}.",
            {JSON: ref(f"{kind.title}Fields")},
            {"200": _answer("For the wallet.", "TypedData")},
        )
    return found


PATHS: Final[dict[str, Schema]] = {
    "/v1/messages": _post("submit", "Hand in signed messages.", {MSGPACK: BUNDLE}, TAKEN),
    **message_paths(),
    "/v1/licenses/{license}": _get(
        "license", "A license, its status and its anchor.", "License", _hash("license")
    ),
    "/v1/licenses/{license}/proof": _get(
        "proof",
        "What the contract's storage says of one permission.",
        "ChainProof",
        _hash("license"),
        _query("item", HASH),
        _query("purpose", PURPOSE),
    ),
    "/v1/contributors/{address}/licenses": _get(
        "licensesOf",
        "The licenses of a contributor, oldest first.",
        "Licenses",
        _parameter("path", "address", ADDRESS),
        *_paged(LICENSES),
    ),
    "/v1/contributors/{address}/consents": _get(
        "consentsOf",
        "The same with what each allows, and how much of it is revoked.",
        "Consents",
        _parameter("path", "address", ADDRESS),
        *_paged(CONSENTS),
    ),
    "/v1/revocations/{digest}": _get(
        "revocation", "How far a revocation has come.", "Progress", _hash("digest")
    ),
    "/v1/revocations/{digest}/receipt-proof": _get(
        "receiptProof",
        "By which transactions a revocation came to the chain, whose, and when.",
        "ReceiptProof",
        _hash("digest"),
    ),
    "/v1/items/{item}/claims": _get(
        "claims", "Who licensed an item.", "Claims", _hash("item"), *_paged(CLAIMS)
    ),
    "/v1/batches/{root}": _get("batch", "A batch behind an anchor.", "Batch", _hash("root")),
    "/v1/check": _post(
        "check",
        "May these rows be used? In msgpack for a million of them.",
        {JSON: ref("Check"), MSGPACK: ROWS},
        {"200": _answer("A reason for each row, and the receipt.", "Checked")},
    ),
    "/v1/status/{license}/{item}": _get(
        "status",
        "May this one row be used, now?",
        "Status",
        _hash("license"),
        _hash("item"),
        _query("grantee", ADDRESS),
        _query("purpose", PURPOSE),
        _query("max_age_s", MAX_AGE),
    ),
    "/v1/events": _stream(
        "events",
        "Revocations as they become known; `after` and Last-Event-ID resume, 0 begins at the first.",
        EVENTS,
        _query("after", text(r"^(0|[0-9a-f]{32}-(0|[1-9][0-9]{0,18}))$"), required=False),
        _parameter("header", "Last-Event-ID", text(), required=False),
    ),
    "/v1/snapshots": _get("snapshots", "Today's snapshot, and its deltas in order.", "Snapshots"),
    "/v1/snapshots/{name}": _file(
        "snapshot",
        "A snapshot or a delta (rule 13.1); it never changes.",
        _parameter("path", "name", text(r"^[0-9]{1,20}-[0-9a-f]{16}\.(snapshot|delta)$")),
    ),
    "/v1/node": _get("node", "Who this node is.", "Node"),
    "/v1/peers": _get("peers", "Whom it is connected to.", "Peers"),
    "/v1/openapi.json": _get("openapi", "This document.", "Document"),
    "/healthz": _get("healthz", "The process answers.", "Health"),
    "/readyz": _get(
        "readyz",
        "Its answers are worth asking for.",
        "Ready",
        s503=_answer("Chain or peers were not read lately, or a part of the node is down.", "Ready"),
    ),
    "/metrics": _stream("metrics", "Counters in Prometheus text format.", "text/plain"),
}


def document(version: str) -> dict[str, Any]:
    """The OpenAPI document of a release."""
    return {
        "openapi": "3.1.0",
        "info": {
            "title": TITLE,
            "version": version,
            "description": ABOUT,
            "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
        },
        "servers": [{"url": "/"}],
        "paths": PATHS | message_paths(),
        "components": {"schemas": COMPONENTS | message_components() | {"Document": {"type": "object"}}},
    }


class DocumentRoutes:
    """Gives the document away."""

    def __init__(self, version: str) -> None:
        self._document = document(version)

    def routes(self) -> list[web.RouteDef]:
        """The routes of this file."""
        return [web.get("/v1/openapi.json", self.openapi)]

    async def openapi(self, _request: web.Request) -> web.Response:
        """The document."""
        return web.json_response(self._document)
