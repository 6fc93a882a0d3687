"""The types of signed fields, with their packing, reading, hashing and display.

Columns of values are processed by loops that run in C, and values that many messages share are hashed
once. Numbers beyond 64 bits are 32 big-endian bytes in an envelope (rule 6.2), and decimal text for
wallets, because JavaScript cannot hold them.
"""

from collections.abc import Callable, Iterable
from typing import Any, Final, NamedTuple

from sayso_protocol.encoding.columns import Column
from sayso_protocol.encoding.eip712 import (
    ADDRESS_PADDING,
    encode_number,
    hash_addresses,
    hash_numbers,
    hash_text,
    hash_texts,
)
from sayso_protocol.encoding.packing import Uint, array_of
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import HASH_BYTES, address_text, hex_text


class FieldType(NamedTuple):
    """FieldType is the treatment of one EIP-712 type.

    Attributes:
        packed: The type in an envelope, which its reader checks byte by byte.
        hashes: Turns a column of values into 32 bytes each (EIP-712 encodeData).
        shown: Turns a value into the JSON that wallets take.
        pack: Turns a value into its form in an envelope (rule 6.2).
        read: Turns a decoded column into values, or raises Malformed; None if they are its own.
    """

    packed: Any
    hashes: Callable[[Column], Iterable[bytes]]
    shown: Callable[[Any], Any]
    pack: Callable[[Any], Any]
    read: Callable[[Column], Column] | None = None


def _same(value: Any) -> Any:
    return value


def _each_once(hashed: Callable[[Any], bytes]) -> Callable[[Column], Iterable[bytes]]:
    """Return a function that hashes each different value of a column once."""

    def hashes(column: Column) -> Iterable[bytes]:
        if len(column) == 1:
            return (hashed(column[0]),)
        known = {value: hashed(value) for value in set(column)}
        return map(known.__getitem__, column)

    return hashes


def _numbers(values: Column) -> tuple[int, ...]:
    if any(len(value) != HASH_BYTES for value in values):
        raise Malformed("a word or mask is 32 bytes")
    return tuple(map(int.from_bytes, values))


_TEXT: Final = FieldType(str, _each_once(hash_text), _same, _same)
_TEXTS: Final = FieldType(array_of(str), _each_once(hash_texts), list, list)
_ADDRESS: Final = FieldType(bytes, lambda one: map(ADDRESS_PADDING.__add__, one), address_text, _same)
_ADDRESSES: Final = FieldType(
    array_of(bytes),
    lambda column: map(hash_addresses, column),
    lambda value: [address_text(one) for one in value],
    list,
)
_HASH: Final = FieldType(bytes, _same, hex_text, _same)
_NUMBER: Final = FieldType(Uint, lambda column: map(encode_number, column), _same, _same)
_LARGE_NUMBERS: Final = FieldType(
    array_of(bytes),
    lambda column: map(hash_numbers, column),
    lambda value: [str(one) for one in value],
    lambda value: [one.to_bytes(HASH_BYTES) for one in value],
    lambda column: tuple(map(_numbers, column)),
)
TYPES: Final = {
    "string": _TEXT,
    "string[]": _TEXTS,
    "address": _ADDRESS,
    "address[]": _ADDRESSES,
    "bytes32": _HASH,
    "uint16": _NUMBER,
    "uint32": _NUMBER,
    "uint64": _NUMBER,
    "uint248[]": _LARGE_NUMBERS,
    "uint256[]": _LARGE_NUMBERS,
}
