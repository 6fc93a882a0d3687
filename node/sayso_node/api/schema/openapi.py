"""Derives the OpenAPI 3.1 document of the API from operations and values.

Every route may also answer with `RefusalJson`, with the statuses in docs/reference/api.md.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Annotated, Any, Final

import msgspec
from msgspec import Meta, Struct

from sayso_node.api.schema.operations import MEDIA_TYPES, OCTETS, Body, Operation
from sayso_node.api.schema.values import RefusalJson
from sayso_protocol.receipts.json_values import Address, Hash

Schema = dict[str, Any]
TITLE: Final = "A Sayso node"
ABOUT: Final = (
    "Nothing is used without your say-so. Rules are those of docs/protocol.md. Where JSON is answered,"
    " the header Accept may ask for the same values in msgpack."
)
OPAQUE: Final[Schema] = {"description": "The same values in msgpack."}
REFS: Final = "#/components/schemas/{name}"
SnapshotName = Annotated[
    str, Meta(extra_json_schema={"pattern": r"^[0-9]{1,20}-[0-9a-f]{16}\.(snapshot|delta)$"})
]
PLACES: Final[Mapping[str, Any]] = {  # parameters in paths
    "license": Hash,
    "digest": Hash,
    "item": Hash,
    "root": Hash,
    "statement": Hash,
    "hash": Hash,
    "address": Address,
    "name": SnapshotName,
}


class Document(Struct):
    """The OpenAPI document."""

    openapi: str
    info: dict[str, Any]
    servers: list[dict[str, str]]
    paths: dict[str, Schema]
    components: dict[str, Schema]


def document(version: str, operations: Sequence[Operation]) -> Document:
    """Return the OpenAPI document of a release."""
    about = {
        "title": TITLE,
        "version": version,
        "description": ABOUT,
        "license": {"name": "Apache-2.0", "identifier": "Apache-2.0"},
    }
    paths = {one.path: {one.method.lower(): _operation(one)} for one in operations}
    return Document("3.1.0", about, [{"url": "/"}], paths, {"schemas": components(operations)})


def components(operations: Sequence[Operation]) -> Schema:
    """Return the JSON Schema of every value in requests and answers, by name."""
    values = [RefusalJson]
    for one in operations:
        asked = [body.value for body in one.takes.values() if not isinstance(body.value, str)]
        values += [value for value in (*asked, one.value) if value is not None]
    return msgspec.json.schema_components(values, ref_template=REFS)[1]


def _operation(one: Operation) -> Schema:
    found: Schema = {
        "operationId": one.name,
        "summary": one.about,
        "parameters": _parameters(one),
        "responses": _answers(one) | {"default": _answer("Refused.", RefusalJson)},
    }
    if one.takes:
        content = {kind: {"schema": _body(body)} for kind, body in one.takes.items()}
        found["requestBody"] = {"required": True, "content": content}
    return found


def _parameters(one: Operation) -> list[Schema]:
    places = re.findall(r"{(\w+)}", one.path)
    found = [_parameter("path", name, _schema(PLACES[name]), required=True) for name in places]
    if one.query and one.asked:
        query = _components(one.query)[one.query.__name__]["properties"]
        asked = one.asked.items()
        found += [_parameter("query", name, query[name], required=must) for name, must in asked]
    headers = one.headers.items()
    return found + [_parameter("header", name, schema, required=False) for name, schema in headers]


def _parameter(place: str, name: str, schema: Schema, *, required: bool) -> Schema:
    return {"name": name, "in": place, "required": required, "schema": schema}


def _answers(one: Operation) -> Schema:
    if one.value is not None:
        found = {str(status): _answer(about, one.value) for status, about in one.statuses.items()}
    else:
        kind = one.offers[0]
        schema = {"description": "Bytes."} if kind == OCTETS else {"type": "string"}
        content = {"content": {kind: {"schema": schema}}}
        found = {
            str(status): {"description": about} | (content if status < 300 else {})
            for status, about in one.statuses.items()
        }
    if one.method == "GET" and one.is_kept and one.offers == MEDIA_TYPES:
        found["304"] = {"description": "As `If-None-Match` says."}
    return found


def _answer(about: str, value: Any) -> Schema:
    forms = dict(zip(MEDIA_TYPES, ({"schema": _schema(value)}, {"schema": OPAQUE}), strict=True))
    return {"description": about, "content": forms}


def _body(body: Body) -> Schema:
    return {"description": body.value} if isinstance(body.value, str) else _schema(body.value)


def _schema(value: Any) -> Schema:
    """Return the JSON Schema of a type, by reference if it is a component."""
    return msgspec.json.schema_components([value], ref_template=REFS)[0][0]


def _components(value: Any) -> Schema:
    return msgspec.json.schema_components([value], ref_template=REFS)[1]
