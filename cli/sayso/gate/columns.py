"""Conversion of Arrow columns to joined rows, for every type that can hold a hash.

Hashes are 32 bytes (binary, large_binary, binary_view, fixed_size_binary) or texts (64 hexadecimal
digits of any case, after 0x or bare), sliced, chunked or dictionary-encoded. Nulls and invalid hashes
are marked, because a row without its hashes is never clear.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from numpy.typing import NDArray

from sayso.errors import BadManifest
from sayso.extras import extra
from sayso.gate.hashes import TEXT_BYTES, Hashes, decode_texts
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import refuse_twins
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.primitives import HASH_BYTES

with extra("data"):
    import pyarrow as pa
    import pyarrow.compute as pc


def column_of(table: Any, name: str) -> Any:
    """Return a column, or a field of it: `meta.license`; raises BadManifest."""
    if name in table.schema.names:
        return table.column(name)
    first, *rest = name.split(".")
    try:
        _refuse_twins_within(table.schema.field(first).type, rest)
        return pc.struct_field(table.column(first), rest)
    except (pa.ArrowException, KeyError) as error:
        raise BadManifest(f"there is no column {name!r}") from error


def column_or_key(content: Any, name: str, keys: Mapping[str, str]) -> Any:
    """Return a column of a batch, or one that all its rows have by their folders."""
    if name in keys:
        return pa.repeat(pa.scalar(keys[name], pa.large_string()), len(content))
    return column_of(content, name)


def _refuse_twins_within(kind: Any, path: list[str]) -> None:
    """Raise BadManifest if a part of a nested name has a twin (see refuse_twins)."""
    for part in path:
        if not pa.types.is_struct(kind):
            return
        refuse_twins([field.name for field in kind], part)
        at = kind.get_field_index(part)
        if at < 0:
            return
        kind = kind.field(at).type


def join_columns(licenses: Any, items: Any) -> tuple[NDArray[np.uint8], Flags]:
    """Join two columns to rows of 64 bytes, and mark the rows with valid hashes.

    Raises:
        BadManifest: A column holds neither bytes nor text.
    """
    rows = np.empty((len(licenses), ROW_BYTES), np.uint8)
    named = np.ones(len(licenses), bool)
    for start, column in ((0, licenses), (HASH_BYTES, items)):
        at = 0
        for chunk in column.chunks if isinstance(column, pa.ChunkedArray) else [column]:
            hashes, right = _hashes(chunk)
            rows[at : at + len(chunk), start : start + HASH_BYTES] = hashes
            named[at : at + len(chunk)] &= right
            at += len(chunk)
    rows[~named] = 0
    return rows, named


def filtered(data: Any, clear: Flags) -> Any:
    """Return the clear rows of a batch or table; views, which Arrow cannot filter, go as plain ones."""
    if clear.all():
        return data
    mask, columns = pa.array(clear), list[Any]()
    for column in data.columns:
        kind = column.type
        if pa.types.is_string_view(kind) or pa.types.is_binary_view(kind):
            plain = pa.large_string() if pa.types.is_string_view(kind) else pa.large_binary()
            columns.append(pc.filter(column.cast(plain), mask).cast(kind))
        else:
            columns.append(pc.filter(column, mask))
    return type(data).from_arrays(columns, schema=data.schema)


def _hashes(array: Any) -> tuple[Hashes, Flags]:
    """Return the (n, 32) bytes of an array, and a mask of the valid hashes."""
    if isinstance(array, pa.ExtensionArray):
        array = array.storage
    kind = array.type
    if pa.types.is_dictionary(kind):
        array, kind = array.dictionary_decode(), kind.value_type
    if pa.types.is_fixed_size_binary(kind) and kind.byte_width == HASH_BYTES and not array.null_count:
        data = np.frombuffer(array.buffers()[1], np.uint8) if len(array) else np.empty(0, np.uint8)
        start = array.offset * HASH_BYTES
        return data[start : start + len(array) * HASH_BYTES].reshape(-1, HASH_BYTES), _all(array)
    if pa.types.is_string(kind) or pa.types.is_large_string(kind) or pa.types.is_string_view(kind):
        return _from_texts(array.cast(pa.large_string()))
    if pa.types.is_null(kind):
        return np.zeros((len(array), HASH_BYTES), np.uint8), ~_all(array)
    binary = (pa.types.is_binary, pa.types.is_large_binary, pa.types.is_fixed_size_binary)
    if any(fits(kind) for fits in (*binary, pa.types.is_binary_view)):
        return _fixed(array.cast(pa.large_binary()), HASH_BYTES)
    raise BadManifest(f"a column of hashes must hold bytes or text, not {kind}")


def _all(array: Any) -> Flags:
    return np.ones(len(array), bool)


def _fixed(array: Any, width: int) -> tuple[Hashes, Flags]:
    """Return the (n, width) bytes of a large_binary array; values of another length become zeros."""
    lengths = pc.fill_null(pc.binary_length(array), 0)
    right: Flags = lengths.to_numpy(zero_copy_only=False) == width
    if not right.all():
        array = pc.if_else(pa.array(right), array, pa.scalar(bytes(width), pa.large_binary()))
    if not len(array):
        return np.empty((0, width), np.uint8), right
    offsets = np.frombuffer(array.buffers()[1], np.int64)[array.offset :]
    start = int(offsets[0])
    data = np.frombuffer(array.buffers()[2], np.uint8)[start : start + len(array) * width]
    return data.reshape(-1, width), right


def _from_texts(array: Any) -> tuple[Hashes, Flags]:
    """Decode 64 hexadecimal digits, with or without `0x`."""
    if pc.any(pc.equal(pc.binary_length(array), TEXT_BYTES - 2)).as_py():
        bare = pc.fill_null(pc.equal(pc.binary_length(array), TEXT_BYTES - 2), fill_value=False)
        prefix = pa.scalar("0x", pa.large_string())
        whole = pc.binary_join_element_wise(prefix, array, pa.scalar("", pa.large_string()))
        array = pc.if_else(bare, whole, array)
    texts, right = _fixed(array.cast(pa.large_binary()), TEXT_BYTES)
    hashes, well_formed = decode_texts(texts)
    return hashes, right & well_formed
