"""Writing of the clear rows of Parquet: untouched row groups are copied, others are written again.

A file whose rows are all clear is copied byte for byte. pyarrow writes only the rows of groups that lose
some, with the encodings, compression and pages of the input; `footer.py` puts the meaning of the columns
back.
"""

import shutil
from pathlib import Path
from typing import Any, Final

import numpy as np

from sayso.extras import extra
from sayso.gate.formats.base import Batch
from sayso.gate.formats.tables.chunk import BLOOM_OFFSET, CODECS, COLUMN_INDEX, HADOOP_LZ4
from sayso.gate.formats.tables.footer import copy_group, finish, plain_shape, shape_of_file
from sayso.gate.formats.tables.parquet import Parquet, table_errors, write_errors
from sayso.gate.formats.tables.thrift import Struct
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import StagedFile

with extra("data"):
    import pyarrow as pa
    import pyarrow.parquet as pq

GROUP_BYTES: Final = 96 * 1024 * 1024  # of the kept rows of a group in memory; a larger group is split


class ParquetWriter:
    """ParquetWriter writes each row group once all of its rows are judged."""

    def __init__(self, source: Parquet, staged: StagedFile, path: Path) -> None:
        self._source, self._part, self._path = source, staged.part, path
        self._flags = np.zeros(0, bool)
        self._next = 0  # the row group whose rows are judged next
        self._untouched: list[int] = []  # row groups before the first that loses rows
        self._open: _Open | None = None
        self._groups = source.footer.rows

    def write(self, batch: Batch, clear: Flags) -> None:
        """Take the verdicts of a batch, and write the row groups that it completes."""
        del batch
        self._flags = np.concatenate([self._flags, clear])
        while self._next < len(self._groups) and len(self._flags) >= self._groups[self._next]:
            size = self._groups[self._next]
            mine, self._flags = self._flags[:size], self._flags[size:]
            self._group(self._next, mine)
            self._next += 1

    def _group(self, number: int, clear: Flags) -> None:
        if self._open is None and clear.all():
            self._untouched.append(number)
            return
        if self._open is None:
            with write_errors(self._path), table_errors(self._source.path):
                self._open = _Open(self._source, self._part)
            for one in self._untouched:
                self._add(one, np.ones(self._groups[one], bool))
        self._add(number, clear)

    def _add(self, number: int, clear: Flags) -> None:
        assert self._open  # noqa: S101 - opened before
        with write_errors(self._path), table_errors(self._source.path):
            if clear.all() and self._open.is_exact:
                self._open.copy(number)
            elif clear.any():
                self._open.rewrite(number, clear)

    def close(self) -> None:
        """Write the footer, or copy the whole file; raises OutputFailed."""
        with write_errors(self._path):
            if self._open is not None:
                self._open.close()
            else:
                with self._source.path.open("rb") as file, self._part.open("r+b") as out:
                    shutil.copyfileobj(file, out, 1 << 20)


class _Open:
    """_Open is an output in which some row groups were written again."""

    def __init__(self, source: Parquet, part: Path) -> None:
        self._source, self._part = source, part
        footer = source.footer
        self._metadata = pq.read_metadata(pa.BufferReader(footer.plain()))
        schema = self._metadata.schema.to_arrow_schema()
        paths = _written_paths(schema)
        self.is_exact = shape_of_file(_trial(schema)) == plain_shape(footer)
        if not self.is_exact:
            self._metadata = pq.read_metadata(pa.BufferReader(footer.plain(with_meaning=True)))
            schema = self._metadata.schema.to_arrow_schema()
            paths = _written_paths(schema)
            source.notes.append("lists of an old layout are kept in the layout of today's Parquet")
        self._file = pa.OSFile(str(part), "wb")
        self._writer = pq.ParquetWriter(self._file, schema, **_options(source, paths))
        self._schema = schema
        self._copied: dict[int, Struct] = {}
        self._written: list[int] = []
        self._kept = 0

    def copy(self, number: int) -> None:
        """Copy a row group as it is."""
        self._kept += self._source.footer.rows[number]
        place = len(self._copied) + len(self._written)
        with self._source.path.open("rb") as file:
            self._copied[place] = copy_group(self._source.footer, number, file, self._file)

    def rewrite(self, number: int, clear: Flags) -> None:
        """Write the clear rows of a row group."""
        self._kept += int(clear.sum())
        kept, size, at = list[Any](), 0, 0
        for batch in self._source.columns(number, self._metadata):
            mask = clear[at : at + batch.num_rows]
            at += batch.num_rows
            some = batch if mask.all() else batch.filter(pa.array(mask))
            if some.num_rows:
                kept.append(some)
                size += some.nbytes
            if size > GROUP_BYTES:
                self._write(kept, number)
                kept, size = [], 0
        if kept:
            self._write(kept, number)

    def _write(self, kept: list[Any], number: int) -> None:
        table = pa.Table.from_batches(kept, self._schema)
        self._writer.write_table(table, row_group_size=max(1, len(table)))
        self._written.append(number)

    def close(self) -> None:
        """Complete the file."""
        self._writer.close()
        self._file.close()
        exact = self._written if self.is_exact else None
        finish(self._source.footer, self._part, self._copied, exact)
        if pq.read_metadata(self._part).num_rows != self._kept:
            raise OSError("the file that was written has other rows than were clear")


def _trial(schema: Any) -> bytes:
    """Return a file without rows as pyarrow writes it for a schema."""
    out = pa.BufferOutputStream()
    pq.ParquetWriter(out, schema, store_schema=False).close()
    data: bytes = out.getvalue().to_pybytes()
    return data


def _written_paths(schema: Any) -> list[str]:
    """Return the paths of the leaves that pyarrow writes for a schema."""
    found = pq.read_metadata(pa.BufferReader(_trial(schema))).schema
    return [found.column(at).path for at in range(len(found))]


def _options(source: Parquet, paths: list[str]) -> dict[str, Any]:
    """Return the options with which pyarrow writes columns most like those of the input."""
    footer = source.footer
    has_checksum, is_v2 = footer.checks_pages()
    ordered = [path for path, leaf in zip(paths, footer.leaves, strict=True) if leaf.has_order]
    groups = [footer.columns(at) for at in range(len(footer.groups))]
    every = [one for group in groups for one in group]
    if any(BLOOM_OFFSET in one.meta for one in every):
        source.notes.append("Bloom filters are not kept")
    if any(one.codec == HADOOP_LZ4 for one in every):
        source.notes.append("LZ4 in the frames of Hadoop, which nobody writes, is kept as LZ4_RAW")
    dictionaries, encodings, codecs = list[str](), dict[str, str](), dict[str, str]()
    for path, chunks in zip(paths, zip(*groups, strict=True), strict=True):
        codecs[path] = CODECS[chunks[0].codec]
        if any(one.has_dictionary for one in chunks):
            dictionaries.append(path)
        elif named := [one.encoding for one in chunks if one.encoding]:
            encodings[path] = named[0]
    return {
        "compression": codecs,
        "use_dictionary": dictionaries or False,
        "column_encoding": encodings or None,
        "write_statistics": ordered or False,
        "data_page_version": "2.0" if is_v2 else "1.0",
        "write_page_checksum": has_checksum,
        "write_page_index": any(COLUMN_INDEX in one.fields for one in every),
        "store_schema": False,
        "store_decimal_as_integer": True,
    }
