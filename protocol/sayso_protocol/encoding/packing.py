"""Canonical msgpack: each value has one encoding (rule 6.1).

Values are nil, unsigned integers, bytes, texts and arrays, in the shortest forms, which the encoder
writes. A reader knows the shape of what it reads: it refuses the first byte that does not fit, and an
array that is too long before it builds any of it. Then it encodes the value again, and refuses it if the
bytes differ.

    REQUEST = Reader(fields_of(Uint, bytes), max_bytes=64)
    number, salt = REQUEST.read(data)
"""

from types import GenericAlias
from typing import Annotated, Any, Generic, TypeVar

import msgspec
from msgspec import Meta

from sayso_protocol.errors import Malformed, NotCanonical, TooLarge
from sayso_protocol.limits import LIMITS

T = TypeVar("T")
Uint = Annotated[int, Meta(ge=0)]

_encode = msgspec.msgpack.Encoder().encode


def array_of(kind: Any, most: int = LIMITS.items) -> Any:
    """Return the type of an array of one type with at most `most` elements (rule 6.1.4)."""
    return Annotated[tuple[kind, ...], Meta(max_length=most)]


def fields_of(*kinds: Any) -> Any:
    """Return the type of an array with one field of each of these types."""
    return GenericAlias(tuple, kinds)


def pack(value: Any) -> bytes:
    """Encode a value; integers beyond 64 bits must be given as bytes (rule 6.1)."""
    return _encode(value)


class Reader(Generic[T]):
    """Reader decodes canonical bytes of one shape, which is a type in the form of msgspec."""

    def __init__(self, kind: Any, max_bytes: int) -> None:
        self._decode = msgspec.msgpack.Decoder(kind).decode
        self._max_bytes = max_bytes

    def read(self, data: bytes) -> T:
        """Decode a value (rule 6.1); raises TooLarge, Malformed or NotCanonical."""
        if len(data) > self._max_bytes:
            raise TooLarge(f"{len(data)} bytes, the limit is {self._max_bytes}")
        try:
            value: T = self._decode(data)
        except (ValueError, RecursionError) as error:
            raise Malformed(f"not msgpack of the expected form: {error}") from error
        if _encode(value) != data:
            raise NotCanonical("the bytes are not the canonical encoding of their value")
        return value
