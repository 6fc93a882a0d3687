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
from typing import IO, Final, NamedTuple

from sayso.errors import BadManifest
from sayso.files import opening

_MAGIC: Final = b"ARROW1"
_HEAD: Final = 8  # the magic, and what fills it up
_TAIL: Final = 4 + len(_MAGIC)  # the length of the footer, and the magic
_CONTINUES: Final = b"\xff\xff\xff\xff"
_METADATA_BYTES: Final = 64 * 1024 * 1024
_SCHEMA, _DICTIONARY, _BATCH = 1, 2, 3  # kinds of messages
_KIND, _BODY = 1, 3  # fields of a Message
_DICTIONARIES, _BATCHES = 2, 3  # fields of a Footer
_BLOCK: Final = 24  # bytes of a Block
_AGAIN: Final = "; write it again with its own library, as one file"


class _Message(NamedTuple):
    place: int
    kind: int


def check_messages(path: Path) -> None:
    """Check that every reader sees the same batches.

    Raises:
        BadManifest: It is cut, something follows its end, or its footer names other batches.
        FileUnreadable: It cannot be read.
    """
    with opening(path) as file:
        size = os.fstat(file.fileno()).st_size
        is_file = file.read(len(_MAGIC)) == _MAGIC
        try:
            if is_file:
                _check_file(file, size)
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


def _check_file(file: IO[bytes], size: int) -> None:
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
    messages, end, _ = _messages(file, _first(file, begin), begin)
    for kind, field in ((_DICTIONARY, _DICTIONARIES), (_BATCH, _BATCHES)):
        if [one.place for one in messages if one.kind == kind] != list(_blocks(footer, field)):
            raise BadManifest("has a footer that names other batches than the file holds, in order")
    if end != begin:
        raise BadManifest("has something before its footer, which some readers read and some do not")


def _first(file: IO[bytes], end: int) -> int:
    """Return the place of the first message, before which some writers fill up with zeros."""
    place = _HEAD
    file.seek(place)
    while place < end and file.read(_HEAD) == bytes(_HEAD):
        place += _HEAD
    return place


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
        found.append(_Message(place, metadata[kind_at] if kind_at else 0))
        end = place + prefix + length + body
        if body < 0 or end > limit:
            raise BadManifest("ends within a batch, so it is cut")
        place = end
    return found, place, False


def _blocks(footer: bytes, field: int) -> Iterator[int]:
    """Yield the places of the messages that a footer names."""
    at = _field(footer, _table(footer), field)
    if not at:
        return
    vector = at + unpack_from("<I", footer, at)[0]
    (count,) = unpack_from("<I", footer, vector)
    for number in range(min(count, len(footer) // _BLOCK + 1)):
        yield unpack_from("<q", footer, vector + 4 + number * _BLOCK)[0]


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
