"""The bytes that rows stand for: a file that a row names, or a value of a table.

A text names a file beside the manifest, bytes are the value itself, and of a struct as in Hugging Face
datasets its field `bytes` is. An item is the SHA-256 of these bytes, with the salt that the row has in
`salt`, if any (rule 1.5.1).
"""

import os
from collections.abc import Iterator
from itertools import chain, repeat
from pathlib import Path
from typing import Any

from sayso.errors import BadManifest, BytesDiffer, FileUnreadable
from sayso.files import item_hash
from sayso.gate.formats.base import ROWS_AT_ONCE, Source
from sayso.gate.formats.lines import LineSource
from sayso.gate.formats.shards import Shards
from sayso.gate.hashes import SALT, salted_by
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.primitives import HASH_BYTES, sha256


def check_bytes(source: Source, column: str) -> None:
    """Check that each item is the hash of the bytes that its row names.

    Args:
        source: A manifest whose rows name items.
        column: The column of files or values.

    Raises:
        BytesDiffer: An item is another hash than that of its bytes.
        BadManifest: There is no such column, or the format has none. See Source.batches, too.
        FileUnreadable: A file is missing, or is not a regular file.
    """
    items = _items(source)
    for number, (digest, item) in enumerate(zip(digests(source, column), items, strict=True), 1):
        if digest != item:
            raise BytesDiffer(
                f"{str(source.path)!r}, row {number}: its item is not the hash of its bytes"
            )


def digests(source: Source, column: str) -> Iterator[bytes]:
    """Yield the item of the bytes of each row, in order; raises as check_bytes."""
    if isinstance(source, Shards):
        for one in source.sources():
            yield from digests(one, column)
    elif isinstance(source, LineSource):
        for batch in source.batches(ROWS_AT_ONCE):
            for number, raw in zip(*batch.content, strict=True):
                fields = source.fields(number, raw)
                yield salted_by(fields.get(SALT), digest_of(fields.get(column), source.path, column))
    elif hasattr(source, "values"):
        for value, salt in zip(source.values(column), _salts(source), strict=False):
            yield salted_by(salt, digest_of(value, source.path, column))
    else:
        raise BadManifest(f"a {source.name} has no column of bytes; its items are hashed by the check")


def digest_of(value: Any, path: Path, column: str) -> bytes:
    """Return the SHA-256 of the bytes of a value; raises BadManifest, FileUnreadable."""
    if isinstance(value, dict):
        value = value.get("bytes") or value.get("path")
    if isinstance(value, bytes):
        return sha256(value)
    if isinstance(value, str) and value:
        try:
            return item_hash(Path(os.path.normpath(path.parent / value)))
        except ValueError as error:
            raise FileUnreadable(f"{value!r} is not the name of a file") from error
    raise BadManifest(f"{str(path)!r} has a row without a file or bytes in {column!r}")


def _salts(source: Any) -> Iterator[Any]:
    """Yield the salts of a table's rows; None for ever if it has no such column."""
    salts = source.values(SALT)
    try:
        return chain([next(salts)], salts)
    except (BadManifest, StopIteration):
        return repeat(None)


def _items(source: Source) -> Iterator[bytes]:
    for batch in source.batches(ROWS_AT_ONCE):
        for at in range(HASH_BYTES, len(batch.rows), ROW_BYTES):
            yield batch.rows[at : at + HASH_BYTES]
