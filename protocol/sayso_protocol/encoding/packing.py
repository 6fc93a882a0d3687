"""Canonical msgpack: one value, one encoding (rule 6.1).

Only nil, unsigned integers, bytes, text and arrays; shortest forms, as the `msgpack` package writes
them. What does not come out again byte for byte was not canonical and is refused.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgpack

from sayso_protocol.errors import Malformed, NotCanonical, TooLarge
from sayso_protocol.limits import LIMITS

_DEPTH = 8
_packer = msgpack.Packer(use_bin_type=True)  # threads may share it: it never lets go of the GIL
_HASH_HEADER = b"\xc4\x20"  # bytes, 32 of them
_ARRAYS = (list, tuple)
_KINDS = frozenset({type(None), int, bytes, str, *_ARRAYS})


def pack(value: Any) -> bytes:
    """Encode; integers beyond 64 bits must have been turned into bytes."""
    data: bytes = _packer.pack(value)
    return data


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """Encode an array of values of 32 bytes, in a third of the time of `pack`; raises TypeError."""
    header: bytes = _packer.pack_array_header(len(hashes))
    return header + b"".join([_HASH_HEADER, _HASH_HEADER.join(hashes)])


def unpack(data: bytes, *, max_bytes: int, max_array: int = LIMITS.items) -> Any:
    """Decode canonical bytes; raises TooLarge, Malformed or NotCanonical."""
    value = unpack_unchecked(data, max_bytes=max_bytes, max_array=max_array, use_list=True)
    _check_plain(value)
    return value


def unpack_unchecked(
    data: bytes,
    *,
    max_bytes: int,
    max_array: int = LIMITS.items,
    use_list: bool = False,
    again: Callable[[Any], bytes] = pack,
) -> Any:
    """Like `unpack`, for a reader that checks type and sign of every value in it by itself.

    Arrays are tuples, which are made a little faster, or lists. `again` may pack what it knows faster
    than `pack` does.

    msgpack reserves an array's room on its header's word, and nests a thousand deep: without
    `max_array`, the longest array in use, a few bytes could ask for a lot of memory and time.
    """
    if len(data) > max_bytes:
        raise TooLarge(f"{len(data)} bytes, the limit is {max_bytes}")
    try:
        value = msgpack.unpackb(
            data, raw=False, use_list=use_list, max_array_len=max_array, max_map_len=0, max_ext_len=0
        )
        is_canonical = again(value) == data or pack(value) == data
    except (ValueError, TypeError, msgpack.UnpackException, RecursionError) as error:
        raise Malformed("not msgpack, nested too deep, truncated, or followed by more bytes") from error
    if not is_canonical:
        _check_plain(value)
        raise NotCanonical("the bytes are not the canonical encoding of what they say")
    return value


def _check_plain(value: Any) -> None:
    """Only allowed types, nested no deeper than any message of ours; a layer at a time, for speed."""
    layer = [value]
    for _ in range(_DEPTH + 1):
        kinds = set(map(type, layer))
        if not kinds <= _KINDS or (int in kinds and min(one for one in layer if type(one) is int) < 0):
            raise Malformed("only nil, unsigned integers, bytes, text and arrays are allowed")
        if kinds.isdisjoint(_ARRAYS):
            return
        layer = list(chain.from_iterable([one for one in layer if type(one) in _ARRAYS]))
    raise Malformed(f"arrays are nested at most {_DEPTH} deep")


def fields(value: Any, kinds: tuple[type, ...]) -> Sequence[Any]:
    """Check that a value is an array of exactly these types; raises Malformed."""
    if type(value) not in _ARRAYS or tuple(map(type, value)) != kinds:
        raise Malformed(f"expected an array of {', '.join(kind.__name__ for kind in kinds)}")
    array: Sequence[Any] = value
    return array


def all_of(values: Sequence[Any], kind: type) -> tuple[Any, ...]:
    """Check that an array holds one type only; raises Malformed."""
    if not {kind}.issuperset(map(type, values)):
        raise Malformed(f"expected an array of {kind.__name__}")
    return tuple(values)
