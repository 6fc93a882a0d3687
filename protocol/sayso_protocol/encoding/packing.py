"""Canonical msgpack: each value has one encoding (rule 6.1).

Values are nil, unsigned integers, bytes, texts and arrays, in the shortest forms, which the `msgpack`
package writes. The reader encodes each value again, and refuses it if the bytes differ.
"""

from collections.abc import Callable, Sequence
from itertools import chain
from typing import Any

import msgpack

from sayso_protocol.errors import Malformed, NotCanonical, TooLarge
from sayso_protocol.limits import LIMITS

_DEPTH = 8
_packer = msgpack.Packer(use_bin_type=True)  # threads may share it, because it never releases the GIL
_HASH_HEADER = b"\xc4\x20"  # bytes, 32 of them
_ARRAYS = (list, tuple)
_KINDS = frozenset({type(None), int, bytes, str, *_ARRAYS})


def pack(value: Any) -> bytes:
    """Encode a value; integers beyond 64 bits must be given as bytes (rule 6.1)."""
    data: bytes = _packer.pack(value)
    return data


def pack_hashes(hashes: Sequence[bytes]) -> bytes:
    """Encode an array of 32-byte values, in a third of the time of `pack`; raises TypeError."""
    header: bytes = _packer.pack_array_header(len(hashes))
    return header + b"".join([_HASH_HEADER, _HASH_HEADER.join(hashes)])


def unpack(data: bytes, *, max_bytes: int, max_array: int = LIMITS.items) -> Any:
    """Decode canonical bytes (rule 6.1); raises TooLarge, Malformed or NotCanonical."""
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
    """Decode like `unpack`, for a caller that checks the type and sign of every value itself.

    Arrays become tuples, which are slightly faster, or lists. `again` encodes the value for the
    comparison, and can be faster than `pack` for a known shape.

    msgpack allocates the length that an array's header states, up to a thousand levels deep. Without
    `max_array`, a few bytes could therefore use much memory and time.
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
        raise NotCanonical("the bytes are not the canonical encoding of their value")
    return value


def _check_plain(value: Any) -> None:
    """Check types, signs and depth (rule 6.1), one layer at a time for speed."""
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
    """Return an array if its fields have exactly these types; raises Malformed."""
    if type(value) not in _ARRAYS or tuple(map(type, value)) != kinds:
        raise Malformed(f"expected an array of {', '.join(kind.__name__ for kind in kinds)}")
    array: Sequence[Any] = value
    return array


def all_of(values: Sequence[Any], kind: type) -> tuple[Any, ...]:
    """Return an array as a tuple if all values have this type; raises Malformed."""
    if not {kind}.issuperset(map(type, values)):
        raise Malformed(f"expected an array of {kind.__name__}")
    return tuple(values)
