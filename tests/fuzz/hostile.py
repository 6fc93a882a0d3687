"""Inputs that cost most: long, deep and many, alone and in the place of each value of an example.

Each is the kind of input by which a few bytes once took gigabytes or seconds: long texts and digits,
nesting without end, many small elements with a wrong one at the end, headers that promise too much.
"""

import json
from collections.abc import Iterator
from typing import Any, Final

import msgpack
import msgspec
from msgspec import Raw

SIZE: Final = 65_536  # bytes of one hostile value
PLACES: Final = 24  # values of an example that are replaced


def texts(size: int = SIZE) -> dict[str, bytes]:
    """JSON values; many are no JSON at their end."""
    half = size // 2
    return {
        "a long text": b'"' + b"a" * size + b'"',
        "a wide text": b'"' + b"a" * size + '\U0001f600"'.encode(),
        "long hex": b'"0x' + b"ab" * half + b'"',
        "long digits in a text": b'"' + b"9" * size + b'"',
        "long digits": b"9" * size,
        "a huge number": b"1e" + b"9" * size,
        "escapes": b'"' + b"\\n" * half + b'"',
        "unicode escapes": b'"' + b"\\u0041" * (size // 6) + b'"',
        "surrogates": b'"' + b"\\ud800" * (size // 6) + b'"',
        "quotes": b'"' + b'\\"' * half + b'"',
        "backslashes": b'"' + b"\\" * size + b'"',
        "no end": b'"' + b"\\\\" * half,
        "nested lists": b"[" * size,
        "nested lists, closed": b"[" * half + b"]" * half,
        "nested objects": b'{"a":' * (size // 5),
        "many lists": b"[" + b"[]," * (size // 3) + b"1]",
        "many objects": b"[" + b"{}," * (size // 3) + b"1]",
        "many texts": b"[" + b'"ab",' * (size // 5) + b"1]",
        "many empty texts": b"[" + b'"",' * (size // 3) + b"1]",
        "many pairs": b"[" + b'["",""],' * (size // 8) + b"1]",
        "many numbers": b"[" + b"1," * half + b'"x"]',
        "many fractions": b"[" + b"1.5," * (size // 4) + b'"x"]',
        "many keys": b"{" + b",".join(b'"%x":0' % at for at in range(size // 9)) + b"}",
        "one key": b"{" + b'"a":0,' * (size // 6) + b'"a":0}',
    }


def packed(size: int = SIZE) -> dict[str, bytes]:
    """msgpack values; many are wrong at their end."""
    many = b"\xdd" + size.to_bytes(4)
    pairs = b"\xdd" + (size // 2).to_bytes(4)
    tables = b"\xdc\x04\x00" * (size // 1_027 + 1)
    return {
        "many nils": many + b"\xc0" * (size - 1) + b"\xc3",
        "many numbers": many + b"\x01" * (size - 1) + b"\xc3",
        "many empty lists": many + b"\x90" * (size - 1) + b"\xc3",
        "many lists of one": pairs + b"\x91\xc0" * (size // 2 - 1) + b"\x91\xc3",
        "many empty bytes": pairs + b"\xc4\x00" * (size // 2 - 1) + b"\x01",
        "many texts": pairs + b"\xa1a" * (size // 2 - 1) + b"\xc4\x00",
        "lists of lists": b"\xdc\x04\x00" + (b"\xdc\x04\x00" + b"\xc0" * 1_024) * (size // 1_027),
        "nested": b"\x91" * size,
        "nested tables": tables + b"\xc0" * size,
        "a promise": b"\xdd\xff\xff\xff\xff",
        "promises": b"\xdc\xff\xff" * (size // 3),
        "a promise of bytes": b"\xc6\xff\xff\xff\xff",
        "long bytes": b"\xc6" + size.to_bytes(4) + bytes(size),
        "a long text": b"\xdb" + size.to_bytes(4) + b"a" * size,
        "a map": b"\xdf" + (size // 3).to_bytes(4) + b"\xa1a\x01" * (size // 3),
        "nested maps": b"\x81\xa1a" * (size // 3),
        "an extension": b"\xc9" + size.to_bytes(4) + b"\x05" + bytes(size),
    }


def inputs(
    seeds: tuple[bytes, ...], size: int = SIZE, places: int = PLACES
) -> Iterator[tuple[str, bytes]]:
    """Yield hostile inputs for a door, by name: the values alone, and in the places of its examples."""
    alone = {**texts(size), **packed(size)}
    yield from alone.items()
    seed = max(seeds, key=len)
    for name in ("a long text", "nested lists", "many keys"):
        yield f"an example and {name}", seed + alone[name]
    yield "an example again and again", seed * (size // max(1, len(seed)) + 1)
    for one in (_json(seed), _msgpack(seed)):
        yield from (one and _in_places(*one, size, places)) or ()


def _json(seed: bytes) -> tuple[Any, bool] | None:
    try:
        value = json.loads(seed)
    except ValueError:
        return None
    return (value, False) if isinstance(value, dict | list) else None


def _msgpack(seed: bytes) -> tuple[Any, bool] | None:
    try:
        value = msgpack.unpackb(seed, raw=False)
    except (ValueError, msgpack.UnpackException):
        return None
    return (value, True) if isinstance(value, dict | list) else None


def _in_places(value: Any, is_packed: bool, size: int, places: int) -> Iterator[tuple[str, bytes]]:
    values = packed(size) if is_packed else texts(size)
    for place in list(_places(value))[:places]:
        for name, hostile in values.items():
            yield f"{name} at {place}", _with(value, place, hostile, is_packed=is_packed)


def _places(value: Any, before: tuple[Any, ...] = ()) -> Iterator[tuple[Any, ...]]:
    within = value.items() if isinstance(value, dict) else enumerate(value)
    for name, one in within:
        yield (*before, name)
        if isinstance(one, dict | list):
            yield from _places(one, (*before, name))


def _with(value: Any, place: tuple[Any, ...], hostile: bytes, *, is_packed: bool) -> bytes:
    marked = _replaced(value, place, Raw(hostile))
    encode = msgspec.msgpack.encode if is_packed else msgspec.json.encode
    return encode(marked)


def _replaced(value: Any, place: tuple[Any, ...], by: Any) -> Any:
    if not place:
        return by
    copy = dict(value) if isinstance(value, dict) else list(value)
    copy[place[0]] = _replaced(value[place[0]], place[1:], by)
    return copy
