"""Types of JSON values, for reading, writing and JSON Schema.

Hashes, addresses and keys remain texts here. Their patterns appear in the schema only, because the
functions of `primitives` read the texts and raise errors with their own codes. msgspec checks types and
lengths.

    found = typed(parse_json(data), NetworkJson)

The types also say how values are written and read: `texts_of` writes what an object has under the names
of a struct's fields, and `values_of` reads it again.
"""

from collections.abc import Callable
from functools import cache
from typing import Annotated, Any, Final, NamedTuple, TypeVar, get_args, get_origin, get_type_hints

import msgspec
from msgspec import UNSET, Meta, Struct

from sayso_protocol.errors import Malformed
from sayso_protocol.limits import LIMITS
from sayso_protocol.network import Network
from sayso_protocol.primitives import (
    address_from_text,
    address_text,
    bytes_from_text,
    hash_from_text,
    hex_text,
)
from sayso_protocol.verdicts.query import Heed, check_heed

T = TypeVar("T")
Json = dict[str, Any]
_NONCE_CHARS: Final = 2 + 2 * LIMITS.nonce_bytes


def _text(title: str, pattern: str, description: str | None = None, chars: int | None = None) -> Meta:
    schema = {"pattern": pattern}
    return Meta(title=title, description=description, max_length=chars, extra_json_schema=schema)


Hash = Annotated[str, _text("Hash", "^0x[0-9a-f]{64}$", "Rule 1.3.")]
Address = Annotated[
    str, _text("Address", "^0x([0-9a-f]{40}|[0-9a-fA-F]{40})$", "Rule 1.2: EIP-55, or all lower case.")
]
Key = Annotated[str, _text("Key", "^[0-9a-f]{64}$", "An Ed25519 public key.")]
Hex = Annotated[str, _text("Hex", "^0x([0-9a-f]{2})*$")]
Nonce = Annotated[str, _text("Nonce", "^0x([0-9a-f]{2}){0,32}$", "Rule 9.1.1.", _NONCE_CHARS)]
Purpose = Annotated[str, _text("Purpose", "^[a-z][a-z0-9-]{0,31}$", "Rule 3.3.")]
Count = Annotated[int, Meta(ge=0, le=2**53 - 1)]  # what JSON holds exactly (rule 9.6.8)
HeedJson = Annotated[
    list[Address], Meta(description="Rule 8.17: whose disputes count.", max_length=LIMITS.heeded)
]


class NetworkJson(Struct):
    """NetworkJson is a network as JSON: chain id and registry (rule 1.1)."""

    chain_id: Count
    registry: Address

    @classmethod
    def of(cls, network: Network) -> "NetworkJson":
        """Return the JSON form of a network."""
        return cls(network.chain_id, address_text(network.registry))

    def read(self) -> Network:
        """Return the network; raises InvalidAddress."""
        return Network(self.chain_id, address_from_text(self.registry))


def node_key_of(text: str) -> bytes:
    """Read a node key, 64 hexadecimal digits, to 32 bytes (rule 9.6); raises Malformed."""
    return hash_from_text("0x" + text)


def nonce_from_text(text: str) -> bytes:
    """Read a nonce: `0x` and 0 to 64 lower-case hexadecimal digits (rule 9.1.1); raises Malformed."""
    try:
        nonce = bytes.fromhex(text[2:_NONCE_CHARS])
    except ValueError:
        nonce = b""
    if text != "0x" + nonce.hex():
        raise Malformed(f"a nonce is 0x and up to {LIMITS.nonce_bytes} bytes as hexadecimal digits")
    return nonce


def heed_texts(heed: Heed) -> list[str]:
    """Return the JSON form of a list of heeded addresses (rule 8.17)."""
    return [*map(address_text, heed)]


def heed_of(texts: list[str]) -> Heed:
    """Read a list of heeded addresses (rule 8.17.1); raises InvalidAddress, Malformed."""
    heed = tuple(map(address_from_text, texts))
    check_heed(heed)
    return heed


class _Form(NamedTuple):
    """How values of a type are written as JSON, and read from it."""

    write: Callable[[Any], Any]
    read: Callable[[Any], Any]


def _same(value: Any) -> Any:
    return value


_SAME: Final = _Form(_same, _same)
_FORMS: Final = (
    (Hash, _Form(hex_text, hash_from_text)),
    (Address, _Form(address_text, address_from_text)),
    (Key, _Form(bytes.hex, node_key_of)),
    (Hex, _Form(hex_text, bytes_from_text)),
    (Nonce, _Form(hex_text, nonce_from_text)),
    (HeedJson, _Form(heed_texts, heed_of)),
)


def texts_of(kind: type[Struct], source: object) -> Json:
    """Return, as JSON, what an object has under the names of a struct's fields."""
    return {
        name: form.write(getattr(source, name))
        for name, form in _forms_of(kind).items()
        if hasattr(source, name)
    }


def values_of(found: Struct) -> Json:
    """Return the values of a struct's fields; raises Malformed, InvalidAddress."""
    texts = ((name, form, getattr(found, name)) for name, form in _forms_of(type(found)).items())
    return {name: form.read(text) for name, form, text in texts if text is not UNSET}


@cache
def _forms_of(kind: type[Struct]) -> dict[str, _Form]:
    hints = get_type_hints(kind, include_extras=True)
    return {name: _form(hints[name]) for name in kind.__struct_fields__}


def _form(hint: Any) -> _Form:
    for known, form in _FORMS:
        if hint == known:
            return form
    if get_origin(hint) is Annotated:
        return _form(get_args(hint)[0])
    if get_origin(hint) is list:
        write, read = _form(get_args(hint)[0])
        return _Form(lambda value: [*map(write, value)], lambda value: tuple(map(read, value)))
    if hasattr(hint, "of") and hasattr(hint, "read"):
        return _Form(hint.of, hint.read)
    return _SAME


def typed(value: Any, kind: type[T]) -> T:
    """Convert an untrusted value to a type; raises Malformed, which names the field.

    JSON can hold lone surrogates, which have no UTF-8 form. Encoding the value as msgpack refuses them.
    """
    try:
        found = msgspec.convert(value, kind)
        msgspec.msgpack.encode(found)
    except (ValueError, OverflowError) as error:
        raise Malformed(str(error)) from error
    return found
