"""Footers of Parquet: what they say about a file that pyarrow would change, and how it is put back.

pyarrow reads columns as types of its own and writes the types it likes. So the gate reads every leaf as
the bytes that are there. It hands pyarrow a footer without the leaf's meaning, lets it write the bytes
of kept rows again, and puts the meaning back into the footer of the output. Field numbers are those of
parquet.thrift.
"""

import os
from collections.abc import Iterator, Mapping, Sequence
from copy import deepcopy
from io import BytesIO
from operator import eq
from pathlib import Path
from typing import IO, Any, Final

from sayso.errors import BadManifest
from sayso.files import opening
from sayso.gate.formats.tables.chunk import (
    BLOOM_LENGTH,
    BLOOM_OFFSET,
    CHUNK_OFFSET,
    COMPRESSED,
    DATA,
    DICTIONARY,
    FILE_PATH,
    INDEX,
    META,
    PATH,
    STATISTICS,
    TYPE,
    Chunk,
)
from sayso.gate.formats.tables.leaf import CHILDREN, FIXED, INT96, LENGTH, REPETITION, Leaf, leaf_paths
from sayso.gate.formats.tables.thrift import (
    BINARY,
    I32,
    I64,
    LIST,
    STRUCT,
    Struct,
    Values,
    read_struct,
    write_struct,
)

PARQUET_MAGIC: Final = b"PAR1"
_ENCRYPTED: Final = b"PARE"
_TAIL: Final = 8
_PAGE_HEADER_BYTES: Final = 65_536

# FileMetaData
VERSION, SCHEMA, ROWS, GROUPS, PAIRS, ORDERS, ENCRYPTION = 1, 2, 3, 4, 5, 7, 8
# RowGroup
COLUMNS, GROUP_ROWS, SORTING, GROUP_OFFSET, GROUP_NUMBER = 1, 3, 4, 5, 7
_INDEXES: Final = (4, 5, 6, 7)  # of pages: places in the file they were written for


class Footer:
    """Footer is the metadata of one Parquet file.

    Attributes:
        fields: The FileMetaData.
        start: The place of the footer in the file.
        leaves: The leaves in order.

    Raises:
        BadManifest: The file is not Parquet, is encrypted, or keeps columns in other files.
        FileUnreadable: It cannot be read.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        with opening(path) as file:
            size = os.fstat(file.fileno()).st_size
            data, self.start = _footer_bytes(file, size)
        self.fields = read_struct(data)
        if ENCRYPTION in self.fields:
            raise BadManifest("it has encrypted columns; decrypt it before the check")
        try:
            elements: list[Struct] = self.fields[SCHEMA][1].items
            self.leaves = [Leaf(one) for one in elements[1:] if not one.get(CHILDREN, (0, 0))[1]]
            if any(one < 0 for one in self.rows):
                raise BadManifest("a row group has fewer rows than none")
            if (said := self.fields[ROWS][1]) != (found := sum(self.rows)):
                raise BadManifest(f"its footer says {said} rows, and its row groups have {found}")
            for chunk in self.chunks():
                if FILE_PATH in chunk:
                    raise BadManifest("its columns are in other files; name those")
                _range(chunk[META][1], self.start)
            self._check_columns(elements)
            self._check_counts()
        except (KeyError, AttributeError, TypeError) as error:
            raise BadManifest("its footer is damaged") from error

    def _check_columns(self, elements: Sequence[Struct]) -> None:
        """Refuse a group with other columns than the schema; readers find them by name or by place."""
        first = list[Any]()
        for number in range(len(self.groups)):
            found = [chunk.meta[PATH][1].items for chunk in self.columns(number)]
            if not number:
                first = found if all(map(eq, leaf_paths(elements), found)) else []
            if found != first or len(found) != len(self.leaves):
                raise BadManifest("a row group has other columns than its schema, or in another order")

    def _check_counts(self) -> None:
        """Refuse a group in which a column has fewer values than rows, or more without being nested.

        Readers that follow the rows see other rows than those that follow the values. Refuse a column,
        too, of which readers see other values.
        """
        for number, rows in enumerate(self.rows):
            for leaf, chunk in zip(self.leaves, self.columns(number), strict=True):
                if rows and chunk.meta.get(DICTIONARY, (0, 0))[1] > chunk.meta[DATA][1]:
                    # Readers begin at the first of both, or at the dictionary.
                    raise BadManifest(f"the dictionary of {chunk.path!r} stands behind its values")
                is_nested = len(chunk.meta[PATH][1].items) > 1 or leaf.is_repeated
                if chunk.values < rows or (chunk.values > rows and not is_nested):
                    raise BadManifest(
                        f"the column {chunk.path!r} has {chunk.values} values in a group of {rows} rows"
                    )

    @property
    def groups(self) -> list[Struct]:
        """Return the row groups."""
        found: list[Struct] = self.fields[GROUPS][1].items
        return found

    @property
    def rows(self) -> list[int]:
        """Return the number of rows of each row group."""
        return [int(one[GROUP_ROWS][1]) for one in self.groups]

    def columns(self, group: int) -> list[Chunk]:
        """Return the columns of a row group."""
        return [Chunk(one) for one in self.groups[group][COLUMNS][1].items]

    def chunks(self) -> Iterator[Struct]:
        """Yield every column chunk."""
        for group in self.groups:
            yield from group[COLUMNS][1].items

    def plain(self, *, with_meaning: bool = False) -> bytes:
        """Return a file of a footer only, by which pyarrow reads the bytes that are there.

        With meaning, leaves keep theirs, and only what Arrow once wrote about its own types is gone.
        """
        fields = dict(self.fields)
        fields.pop(PAIRS, None)
        if not with_meaning:
            elements = [
                one if one.get(CHILDREN, (0, 0))[1] else Leaf(one).plain()
                for one in self.fields[SCHEMA][1].items
            ]
            fields[SCHEMA] = LIST, Values(STRUCT, elements)
            if any(one.type == INT96 for one in self.leaves):
                groups = deepcopy(self.fields[GROUPS])
                for group in groups[1].items:
                    _retype(group, [Leaf(one.plain()) for one in self.leaves])
                fields[GROUPS] = groups
        return as_file(fields)

    def checks_pages(self) -> tuple[bool, bool]:
        """Return whether pages have checksums, and whether data pages are of version 2."""
        filled = [one for one, rows in zip(self.groups, self.rows, strict=True) if rows]
        for chunk in (one for group in filled for one in group[COLUMNS][1].items):
            meta: Struct = chunk[META][1]
            with opening(self.path) as file:
                file.seek(meta[DATA][1])
                head = read_struct(file.read(_PAGE_HEADER_BYTES))
            return 4 in head, head.get(1, (0, 0))[1] == 3
        return False, False


def _footer_bytes(file: IO[bytes], size: int) -> tuple[bytes, int]:
    file.seek(max(0, size - _TAIL))
    tail = file.read(_TAIL)
    if tail[4:] == _ENCRYPTED:
        raise BadManifest("it is encrypted; decrypt it before the check")
    length = int.from_bytes(tail[:4], "little")
    if tail[4:] != PARQUET_MAGIC or length + _TAIL + len(PARQUET_MAGIC) > size:
        raise BadManifest("it does not end with a footer; it may be cut")
    start = size - _TAIL - length
    file.seek(start)
    return file.read(length), start


def shape_of_file(data: bytes) -> list[tuple[int, ...]]:
    """Return the shape of a whole file in memory."""
    fields = read_struct(_footer_bytes(BytesIO(data), len(data))[0])
    return [_shape(one) for one in fields[SCHEMA][1].items[1:]]


def _shape(element: Struct) -> tuple[int, ...]:
    kind = element.get(TYPE, (0, -1))[1]
    length = element.get(LENGTH, (0, 0))[1] if kind == FIXED else 0
    return kind, length, element.get(REPETITION, (0, 0))[1], element.get(CHILDREN, (0, 0))[1]


def plain_shape(footer: Footer) -> list[tuple[int, ...]]:
    """Return what decides the layout of the columns, types and repetitions, with INT96 as its bytes."""
    elements = footer.fields[SCHEMA][1].items[1:]
    return [_shape(one if one.get(CHILDREN, (0, 0))[1] else Leaf(one).plain()) for one in elements]


def _retype(group: Struct, leaves: Sequence[Leaf]) -> None:
    for chunk, leaf in zip(group[COLUMNS][1].items, leaves, strict=True):
        chunk[META][1][TYPE] = I32, leaf.type


def as_file(fields: Struct) -> bytes:
    """Return a Parquet file that has this footer and nothing else."""
    data = write_struct(fields)
    return PARQUET_MAGIC + data + len(data).to_bytes(4, "little") + PARQUET_MAGIC


def _range(meta: Struct, end: int) -> tuple[int, int]:
    """Return the place and size of a chunk's bytes; raises BadManifest."""
    places = [meta[number][1] for number in (DATA, DICTIONARY) if meta.get(number, (0, 0))[1] > 0]
    start, size = min(places, default=0), meta[COMPRESSED][1]
    if start < len(PARQUET_MAGIC) or size < 0 or start + size > end:
        raise BadManifest("its footer names bytes that are not there")
    return start, size


def copy_group(footer: Footer, number: int, file: IO[bytes], out: Any) -> Struct:
    """Copy the bytes of a row group to `out`, and return its metadata at the new place.

    Page indexes and Bloom filters stay behind, and so do statistics of the old kind, which readers
    believe or not depending on the writer that the footer names.
    """
    group = deepcopy(footer.groups[number])
    for chunk in group[COLUMNS][1].items:
        meta: Struct = chunk[META][1]
        start, size = _range(meta, footer.start)
        shift = out.tell() - start
        file.seek(start)
        while size:
            piece = file.read(min(size, 1 << 20))
            if not piece:
                raise BadManifest("its footer names bytes that are not there")
            out.write(piece)
            size -= len(piece)
        for one in (DATA, INDEX, DICTIONARY):
            if meta.get(one, (0, 0))[1] > 0:
                meta[one] = I64, meta[one][1] + shift
        chunk[CHUNK_OFFSET] = I64, start + shift
        for one in _INDEXES:
            chunk.pop(one, None)
        for one in (BLOOM_OFFSET, BLOOM_LENGTH):
            meta.pop(one, None)
        for one in (1, 2):
            meta.get(STATISTICS, (0, {}))[1].pop(one, None)
    return group


def finish(footer: Footer, out: Path, copied: Mapping[int, Struct], exact: Sequence[int] | None) -> None:
    """Replace the footer that pyarrow wrote by one with the columns' own meaning.

    Args:
        footer: The footer of the input.
        out: The file that pyarrow completed.
        copied: The copied row groups by their place among all row groups.
        exact: The number of the input's row group for each that pyarrow wrote; None if the layout of
            nested columns differs, so that the schema of pyarrow stays.
    """
    written = Footer(out)
    fields, groups = written.fields, written.groups
    if exact is not None:
        leaves, first = footer.leaves, footer.groups[:1]
        paths = [chunk[META][1][PATH] for one in first for chunk in one[COLUMNS][1].items]
        for group, source in zip(groups, exact, strict=True):
            _retype(group, leaves)
            for chunk, path in zip(group[COLUMNS][1].items, paths, strict=True):
                chunk[META][1][PATH] = path
            _keep(group, SORTING, footer.groups[source])
        for number in (VERSION, SCHEMA, ORDERS):
            _keep(fields, number, footer.fields)
    _keep(fields, PAIRS, footer.fields)
    if exact is None and PAIRS in fields:
        pairs = [one for one in fields[PAIRS][1].items if one[1] != (BINARY, b"ARROW:schema")]
        fields[PAIRS] = LIST, Values(STRUCT, pairs)
    for place, group in sorted(copied.items()):
        groups.insert(place, group)
    for group in groups:
        group.pop(GROUP_NUMBER, None)  # optional, and now another
        _keep(group, GROUP_OFFSET, {})
    fields[ROWS] = I64, sum(one[GROUP_ROWS][1] for one in groups)
    fields[GROUPS] = LIST, Values(STRUCT, groups)
    with out.open("r+b") as file:
        file.truncate(written.start)
        file.seek(written.start)
        file.write(as_file(fields)[len(PARQUET_MAGIC) :])


def _keep(fields: Struct, number: int, source: Struct) -> None:
    fields.pop(number, None)
    if number in source:
        fields[number] = source[number]
