"""The messages of an Arrow file or stream, one after the other, as readers see them that know no footer.

Readers of streams stop at the first end mark, or see another stream behind it. Readers of files follow a
footer, or read the file as a stream. So a file is refused unless all of these see the same batches. Only
the frames are read here: field numbers are those of Message.fbs and File.fbs.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from struct import error as NoStruct  # noqa: N812 - it has a name that says nothing
from struct import unpack_from
from typing import IO, Any, Final, NamedTuple

from sayso.errors import BadManifest
from sayso.extras import extra
from sayso.files import opening

with extra("data"):
    import pyarrow as pa

_MAGIC: Final = b"ARROW1"
_HEAD: Final = 8  # the magic, and what fills it up
_TAIL: Final = 4 + len(_MAGIC)  # the length of the footer, and the magic
_CONTINUES: Final = b"\xff\xff\xff\xff"
_METADATA_BYTES: Final = 64 * 1024 * 1024
_LEAST_BYTES: Final = 12  # of metadata: the place of its table, that of the table's fields, their sizes
_DICTIONARY, _BATCH = 2, 3  # kinds of messages
_KIND, _HEADER, _BODY = 1, 2, 3  # fields of a Message
_FOOTER_SCHEMA, _DICTIONARIES, _BATCHES = 1, 2, 3  # fields of a Footer
_FIELDS: Final = 1  # of a Schema
_ENCODING, _CHILDREN = 4, 5  # fields of a Field
_NUMBER: Final = 0  # of a DictionaryEncoding
_BLOCK: Final = 24  # bytes of a Block
_AGAIN: Final = "; write it again with its own library, as one file"


class _Message(NamedTuple):
    """_Message is a message of a place and kind; the first, which has the schema, with its metadata."""

    place: int
    kind: int
    metadata: bytes


def check_messages(path: Path, schema: Any) -> None:
    """Check that every reader sees the same batches, of the columns of this schema.

    Raises:
        BadManifest: It is cut, something follows its end, or its footer names other batches or columns.
        FileUnreadable: It cannot be read.
        ArrowException: Its first message is no schema.
    """
    with opening(path) as file:
        size = os.fstat(file.fileno()).st_size
        is_file = file.read(len(_MAGIC)) == _MAGIC
        try:
            if is_file:
                _check_file(file, size, schema)
            else:
                _check_stream(file, size)
        except (NoStruct, IndexError) as error:
            raise BadManifest(f"{str(path)!r} is damaged or cut{_AGAIN}") from error
        except BadManifest as error:
            raise BadManifest(f"{str(path)!r} {error}{_AGAIN}") from error


def _check_stream(file: IO[bytes], size: int) -> None:
    _, end, is_ended = _messages(file, 0, size)
    if not is_ended:
        raise BadManifest("ends without an end mark, so it may be cut")
    if end != size:
        raise BadManifest("has something behind its end, which some readers read and some do not")


def _check_file(file: IO[bytes], size: int, schema: Any) -> None:
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    (length,) = unpack_from("<i", tail)
    begin = size - _TAIL - length
    if not tail.endswith(_MAGIC) or not _HEAD <= begin <= size:
        raise BadManifest("does not end with a footer, so it may be cut")
    if length > _METADATA_BYTES:
        raise BadManifest(f"has a footer of {length:,} bytes, and the limit is {_METADATA_BYTES:,}")
    file.seek(begin)
    footer = file.read(length)
    place, bare = _bare_schema(file, footer, _first(file, begin), begin)
    messages, end, _ = _messages(file, place, begin)
    messages = bare + messages
    _check_schema(messages[0], footer, schema)
    if any(one.kind not in (_DICTIONARY, _BATCH) for one in messages[1:]):
        raise BadManifest("has a message that is neither a batch nor a dictionary")
    for kind, field in ((_DICTIONARY, _DICTIONARIES), (_BATCH, _BATCHES)):
        if [one.place for one in messages if one.kind == kind] != list(_blocks(footer, field)):
            raise BadManifest("has a footer that names other batches than the file holds, in order")
    if end != begin:
        raise BadManifest("has something before its footer, which some readers read and some do not")


def _check_schema(first: _Message, footer: bytes, schema: Any) -> None:
    """Compare the schema before the batches with the footer's, by which pyarrow has read `schema`."""
    size = len(first.metadata).to_bytes(4, "little")
    before = pa.ipc.read_schema(pa.py_buffer(_CONTINUES + size + first.metadata))
    tables = (
        _child(first.metadata, _table(first.metadata), _HEADER),
        _child(footer, _table(footer), _FOOTER_SCHEMA),
    )
    # pyarrow has verified both, so what follows ends.
    one, two = (
        [*_dictionaries(data, at, _FIELDS)]
        for data, at in zip((first.metadata, footer), tables, strict=True)
    )
    if not before.equals(schema) or one != two:
        raise BadManifest("has other columns in its footer than before its batches")


def _dictionaries(data: bytes, table: int, field: int) -> Iterator[int | None]:
    """Yield the number of the dictionary of each column within a table, or None, parents first."""
    if not (vector := _child(data, table, field)):
        return
    for at in range(vector + 4, vector + 4 + 4 * unpack_from("<I", data, vector)[0], 4):
        column = at + unpack_from("<I", data, at)[0]
        encoding = _child(data, column, _ENCODING)
        number_at = _field(data, encoding, _NUMBER) if encoding else 0
        number = unpack_from("<q", data, number_at)[0] if number_at else 0
        yield number if encoding else None
        yield from _dictionaries(data, column, _CHILDREN)


def _first(file: IO[bytes], end: int) -> int:
    """Return the place of the first message, before which some writers fill up with zeros."""
    place = _HEAD
    file.seek(place)
    while place < end and file.read(_HEAD) == bytes(_HEAD):
        place += _HEAD
    return place


def _bare_schema(file: IO[bytes], footer: bytes, place: int, limit: int) -> tuple[int, list[_Message]]:
    """Return the place of the next message, and the first one if it is a schema without its length.

    Polars writes files so. Nobody can read them as a stream, because the number that stands in the place
    of a length is too small for any message.
    """
    file.seek(place)
    (number,) = unpack_from("<i", file.read(4))
    if not 0 < number < _LEAST_BYTES:
        return place, []
    end = min([*_blocks(footer, _DICTIONARIES), *_blocks(footer, _BATCHES)], default=limit)
    if not place < end <= min(limit, place + _METADATA_BYTES):
        raise BadManifest("is damaged")
    file.seek(place)
    return end, [_Message(place, 0, file.read(end - place))]


def _messages(file: IO[bytes], place: int, limit: int) -> tuple[list[_Message], int, bool]:
    """Return the messages up to the end mark or the limit, where they end, and whether by a mark."""
    found = list[_Message]()
    while place < limit:
        file.seek(place)
        head = file.read(8)
        prefix = 8 if head[:4] == _CONTINUES else 4  # before 0.15 without a continuation
        (length,) = unpack_from("<i", head, prefix - 4)
        if length == 0:
            return found, place + prefix, True
        if not 0 < length <= _METADATA_BYTES:
            raise BadManifest("is damaged")
        file.seek(place + prefix)
        metadata = file.read(length)
        root = _table(metadata)
        at, kind_at = _field(metadata, root, _BODY), _field(metadata, root, _KIND)
        body = unpack_from("<q", metadata, at)[0] if at else 0
        kind = metadata[kind_at] if kind_at else 0
        found.append(_Message(place, kind, b"" if found else metadata))
        end = place + prefix + length + body
        if body < 0 or end > limit:
            raise BadManifest("ends within a batch, so it is cut")
        place = end
    return found, place, False


def _blocks(footer: bytes, field: int) -> Iterator[int]:
    """Yield the places of the messages that a footer names."""
    if not (vector := _child(footer, _table(footer), field)):
        return
    (count,) = unpack_from("<I", footer, vector)
    for number in range(min(count, len(footer) // _BLOCK + 1)):
        yield unpack_from("<q", footer, vector + 4 + number * _BLOCK)[0]


def _child(data: bytes, table: int, number: int) -> int:
    """Return the place of what a field of a table leads to, or 0."""
    at = _field(data, table, number)
    return at + int(unpack_from("<I", data, at)[0]) if at else 0


def _table(data: bytes) -> int:
    """Return the place of the root table of a flat buffer."""
    return int(unpack_from("<I", data)[0])


def _field(data: bytes, table: int, number: int) -> int:
    """Return the place of a field of a table, or 0 if it has its default."""
    vtable = table - unpack_from("<i", data, table)[0]
    if vtable < 0:
        raise BadManifest("is damaged")
    (size,) = unpack_from("<H", data, vtable)
    at = 4 + 2 * number
    offset = unpack_from("<H", data, vtable + at)[0] if at + 2 <= size else 0
    return table + offset if offset else 0
