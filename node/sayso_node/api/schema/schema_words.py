"""What JSON Schema 2020-12 is written with here, in a word each."""

from typing import Any, Final

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    """A reference to a component."""
    return {"$ref": f"#/components/schemas/{name}"}


def text(pattern: str = "", description: str = "") -> Schema:
    """A text."""
    found: Schema = {"type": "string"}
    return found | ({"pattern": pattern} if pattern else {}) | _described(description)


def array(items: Schema, **limits: int) -> Schema:
    """A list."""
    return {"type": "array", "items": items, **limits}


def fields(required: Schema, optional: Schema | None = None, description: str = "") -> Schema:
    """An object with these fields and no others."""
    return {
        "type": "object",
        "properties": {**required, **(optional or {})},
        "required": list(required),
        "additionalProperties": False,
    } | _described(description)


def nullable(schema: Schema) -> Schema:
    """The value, or null."""
    return {"anyOf": [schema, {"type": "null"}]}


def _described(description: str) -> Schema:
    return {"description": description} if description else {}


COUNT: Final[Schema] = {"type": "integer", "minimum": 0}
HASH, ADDRESS, DECIMAL = ref("Hash"), ref("Address"), ref("Decimal")
SIGNATURE: Final = text(r"^0x([0-9a-f]{2})*$")
PURPOSE: Final = text(r"^[a-z][a-z0-9-]{0,31}$", "Rule 3.3.")
BASE64: Final[Schema] = {"type": "string", "contentEncoding": "base64"}
LIST: Final = {"maxItems": 1_024}
