"""Canonical msgpack: one value, one encoding (rule 6.1).

Only nil, unsigned integers, bytes, text and arrays; shortest forms, as the `msgpack` package writes
them. What does not come out again byte for byte was not canonical and is refused.
"""

from typing import Any

import msgpack

from sayso_protocol.errors import Malformed, NotCanonical, TooLarge
from sayso_protocol.limits import LIMITS

_DEPTH = 8


def pack(value: Any) -> bytes:
    """Encode; integers beyond 64 bits must have been turned into bytes."""
    data: bytes = msgpack.packb(value, use_bin_type=True)
    return data


def unpack(data: bytes, *, max_bytes: int, max_array: int = LIMITS.items) -> Any:
    """Decode canonical bytes; raises TooLarge, Malformed or NotCanonical.

    msgpack reserves an array's room on its header's word, and nests a thousand deep: without
    `max_array`, the longest array in use, a few bytes could ask for a lot of memory and time.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"{len(data)} bytes, the limit is {max_bytes}")
    try:
        value = msgpack.unpackb(
            data, raw=False, use_list=True, max_array_len=max_array, max_map_len=0, max_ext_len=0
        )
    except (ValueError, msgpack.UnpackException, RecursionError) as error:
        raise Malformed("not msgpack, truncated, or followed by more bytes") from error
    if not _plain(value):
        raise Malformed("only nil, unsigned integers, bytes, text and arrays are allowed")
    if pack(value) != data:
        raise NotCanonical("the bytes are not the canonical encoding of what they say")
    return value


def _plain(value: Any, depth: int = 0) -> bool:
    """Whether only allowed types occur, nested no deeper than any message of ours."""
    if isinstance(value, list):
        return depth < _DEPTH and all(_plain(one, depth + 1) for one in value)
    if isinstance(value, bool):
        return False
    return value is None or isinstance(value, (bytes, str)) or (isinstance(value, int) and value >= 0)


def fields(value: Any, kinds: tuple[type, ...]) -> list[Any]:
    """Check that a value is an array of exactly these types; raises Malformed."""
    if not isinstance(value, list) or len(value) != len(kinds):
        raise Malformed(f"expected an array of {len(kinds)} fields")
    for position, (one, kind) in enumerate(zip(value, kinds, strict=True)):
        if type(one) is not kind:
            raise Malformed(f"field {position} must be {kind.__name__}, not {type(one).__name__}")
    return value


def all_of(values: list[Any], kind: type) -> tuple[Any, ...]:
    """Check that an array holds one type only; raises Malformed."""
    if not all(type(one) is kind for one in values):
        raise Malformed(f"expected an array of {kind.__name__}")
    return tuple(values)
