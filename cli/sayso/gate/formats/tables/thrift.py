"""Thrift's compact protocol without a schema: just enough to read and write footers of Parquet.

A struct is a dict from the number of a field to its type and value. A list is its type and values. So
what this code does not know is written back unchanged. Source: thrift-compact-protocol.md of Apache
Thrift.
"""

from collections.abc import Callable
from typing import Any, Final, NamedTuple

from sayso.errors import BadManifest

Struct = dict[int, tuple[int, Any]]

TRUE, FALSE, BYTE, I16, I32, I64, DOUBLE, BINARY, LIST, SET, MAP, STRUCT = range(1, 13)
DEEPEST: Final = 32
_VARINT_BYTES: Final = 10


class Values(NamedTuple):
    """Values is a list with the type of its elements."""

    kind: int
    items: list[Any]


class _Reader:
    def __init__(self, data: bytes) -> None:
        self.data, self.at = data, 0

    def varint(self) -> int:
        value = shift = 0
        for _ in range(_VARINT_BYTES):
            byte = self.data[self.at]
            self.at += 1
            value |= (byte & 0x7F) << shift
            if byte < 0x80:
                return value
            shift += 7
        raise ValueError("a number is too long")

    def zigzag(self) -> int:
        value = self.varint()
        return value >> 1 ^ -(value & 1)

    def take(self, size: int) -> bytes:
        if size > len(self.data) - self.at:
            raise ValueError("it is cut")
        self.at += size
        return self.data[self.at - size : self.at]

    def value(self, kind: int, depth: int) -> Any:
        if kind in (I16, I32, I64):
            return self.zigzag()
        if kind == BINARY:
            return self.take(self.varint())
        if kind == STRUCT:
            return self.struct(depth + 1)
        if kind in (LIST, SET):
            return self.list(depth + 1)
        if kind in (TRUE, FALSE):
            return kind == TRUE
        if kind in (BYTE, DOUBLE):
            return self.take(1 if kind == BYTE else 8)
        raise ValueError(f"type {kind} is not known")

    def struct(self, depth: int = 0) -> Struct:
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        fields: Struct = {}
        number = 0
        while head := self.take(1)[0]:
            kind, step = head & 0x0F, head >> 4
            number = number + step if step else self.zigzag()
            fields[number] = kind, self.value(kind, depth)
        return fields

    def list(self, depth: int) -> Values:
        if depth > DEEPEST:
            raise ValueError("it is nested too deeply")
        head = self.take(1)[0]
        kind, count = head & 0x0F, head >> 4
        count = self.varint() if count == 15 else count
        if count > len(self.data) - self.at:  # each takes a byte at least
            raise ValueError("it is cut")
        if not count:  # some writers give an empty list no type
            return Values(kind, [])
        if kind in (TRUE, FALSE):  # one byte each, within lists
            return Values(kind, [one == TRUE for one in self.take(count)])
        return Values(kind, [self.value(kind, depth) for _ in range(count)])


def read_struct(data: bytes) -> Struct:
    """Read a struct that begins at the start of the data; raises BadManifest."""
    try:
        return _Reader(data).struct()
    except (ValueError, IndexError) as error:
        raise BadManifest(f"its footer cannot be read: {error}") from error


def write_struct(fields: Struct) -> bytes:
    """Write a struct."""
    out = bytearray()
    _write_struct(fields, out)
    return bytes(out)


def _write_struct(fields: Struct, out: bytearray) -> None:
    last = 0
    for number, (kind, value) in sorted(fields.items()):
        kind_now = (TRUE if value else FALSE) if kind in (TRUE, FALSE) else kind
        if 0 < number - last < 16:
            out.append((number - last) << 4 | kind_now)
        else:
            out.append(kind_now)
            _varint(_zigzag(number), out)
        last = number
        if kind not in (TRUE, FALSE):
            _WRITE[kind](value, out)
    out.append(0)


def _write_list(values: Values, out: bytearray) -> None:
    count = len(values.items)
    out.append(min(count, 15) << 4 | values.kind)
    if count >= 15:
        _varint(count, out)
    for one in values.items:
        if values.kind in (TRUE, FALSE):
            out.append(TRUE if one else FALSE)
        else:
            _WRITE[values.kind](one, out)


def _varint(value: int, out: bytearray) -> None:
    while value > 0x7F:
        out.append(value & 0x7F | 0x80)
        value >>= 7
    out.append(value)


def _zigzag(value: int) -> int:
    return value << 1 ^ value >> 63


def _write_number(value: int, out: bytearray) -> None:
    _varint(_zigzag(value) & 0xFFFF_FFFF_FFFF_FFFF, out)


def _write_binary(value: bytes, out: bytearray) -> None:
    _varint(len(value), out)
    out += value


_WRITE: Final[dict[int, Callable[[Any, bytearray], None]]] = {
    BYTE: lambda value, out: out.extend(value),
    I16: _write_number,
    I32: _write_number,
    I64: _write_number,
    DOUBLE: lambda value, out: out.extend(value),
    BINARY: _write_binary,
    LIST: _write_list,
    SET: _write_list,
    STRUCT: _write_struct,
}
