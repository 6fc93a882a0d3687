"""Parquet: the hashes are read first, and all other columns only to write what is kept.

Memory is bounded by what columns take decoded, not by what they take in the file, where a long text that
repeats takes nothing.
"""

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from functools import cached_property
from pathlib import Path
from typing import Any, Final

import numpy as np

from sayso.errors import BadManifest, FileUnreadable, OutputFailed
from sayso.extras import extra
from sayso.gate.columns import column_of, column_or_key, join_columns
from sayso.gate.formats.base import OR_REJECT, ROWS_AT_ONCE, Batch, Columns, Source
from sayso.gate.formats.packed import refuse_no_table
from sayso.gate.formats.tables.chunk import Chunk
from sayso.gate.formats.tables.footer import PARQUET_MAGIC, Footer
from sayso.gate.names import find_with_keys
from sayso.outputs import Outputs

with extra("data"):
    import pyarrow as pa
    import pyarrow.compute as pc
    import pyarrow.parquet as pq

PARQUET_BATCH_BYTES: Final = 32 * 1024 * 1024  # of columns at once in memory, decoded
DECODED_ROWS: Final = 1 << 17  # of columns at once
LEAST_ROWS: Final = 1
_VIEW_BYTES: Final = 16  # of a value beside its bytes: offset, length, null
FAULTS: Final = (
    pa.ArrowException,
    ValueError,
    KeyError,
    TypeError,
    AttributeError,
    IndexError,
    NotImplementedError,
    OverflowError,
    MemoryError,
)


class Parquet(Source):
    """Parquet is a Parquet file, read one row group at a time."""

    name = "parquet"
    unwritten = 4  # hashes only; the last batch of a row group writes it, and the next ones are judged

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path)
        with table_errors(path):
            refuse_no_table(path, PARQUET_MAGIC)
            # Before pyarrow, which ends the process for some encrypted files.
            self.footer = Footer(path)
            with self._opened() as file:
                schema = file.schema_arrow
            self._names, self._keys = find_with_keys(path, schema.names, columns, is_nested=True)
            for name in self._read_names:
                column_of(schema.empty_table(), name)
        self._reject_bad = columns.dialect.reject_bad

    @property
    def _read_names(self) -> list[str]:
        """Return the columns of hashes that are in the file."""
        return [name for name in self._names if name not in self._keys]

    def _column(self, content: Any, name: str) -> Any:
        """Return a column of a batch, of the file or of its folders."""
        return column_or_key(content, name, self._keys)

    @contextmanager
    def _opened(self, **options: Any) -> Iterator[Any]:
        """Open the file for one use, so that many shards take no handles."""
        with pq.ParquetFile(self.path, page_checksum_verification=True, **options) as file:
            yield file

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield the hashes of all rows in order; raises BadManifest and FileUnreadable."""
        number, found, waiting = 1, 0, list[Any]()
        wanted = min(most, ROWS_AT_ONCE)
        with table_errors(self.path), self._opened() as file:
            for content in self._hashes(file, wanted):
                rows, well_named = join_columns(*(self._column(content, name) for name in self._names))
                if not well_named.all() and not self._reject_bad:
                    at = number + int((~well_named).argmax())
                    raise self.bad_row(at, f"its {' or '.join(self._names)} is not a hash{OR_REJECT}")
                number += len(rows)
                waiting.append(rows)
                if sum(map(len, waiting)) >= wanted:
                    yield from self._batches_of(waiting, wanted)
                    waiting = []
            found = number - 1
            yield from self._batches_of(waiting, wanted)
        if found != sum(self.footer.rows):
            raise BadManifest(f"{str(self.path)!r} has {found} rows of {sum(self.footer.rows)}")

    def _batches_of(self, parts: Sequence[Any], most: int) -> Iterator[Batch]:
        rows = np.concatenate(parts) if parts else np.empty((0, 64), np.uint8)
        for at in range(0, len(rows), most):
            some = rows[at : at + most]
            yield Batch(some.tobytes(), None, self.size[0] * len(some) // sum(self.footer.rows))

    def _hashes(self, file: Any, most: int) -> Iterator[Any]:
        names = self._read_names
        for group in range(len(self.footer.groups)):
            step = min(most, self.rows_at_once(group, names))
            yield from file.iter_batches(step, row_groups=[group], columns=names, use_threads=True)

    def rows_at_once(self, group: int, names: Sequence[str] = ()) -> int:
        """Return how many rows of a group may be decoded at once, of these columns or of all."""
        rows, each = max(1, self.footer.rows[group]), 1.0
        for chunk in self.footer.columns(group):
            path = chunk.path
            if names and not any(path == one or path.startswith(f"{one}.") for one in names):
                continue
            longest = self._longest(group, chunk) if chunk.repeats else 0
            each += max(1.0, chunk.values / rows) * (_VIEW_BYTES + longest) + chunk.size / rows
        return max(LEAST_ROWS, min(DECODED_ROWS, int(PARQUET_BATCH_BYTES / each)))

    def _longest(self, group: int, chunk: Chunk) -> int:
        """Return the length of the longest value that a column of texts may repeat, in bytes."""
        if chunk.has_prefixes or not chunk.has_dictionary:
            return chunk.size
        paths = [chunk.path]
        options = {"metadata": self._with_meaning, "read_dictionary": paths}
        with self._opened(**options, pre_buffer=False) as file:  # only its first pages
            first = next(file.iter_batches(1, row_groups=[group], columns=paths), None)
        found = None if first is None else _dictionary(first.column(0))
        if found is None:
            return chunk.size
        return int(pc.max(pc.binary_length(found)).as_py() or 0)

    @cached_property
    def _with_meaning(self) -> Any:
        return pq.read_metadata(pa.BufferReader(self.footer.plain(with_meaning=True)))

    def writer(self, outputs: Outputs, path: Path) -> Any:
        """Open a file of the same schema, encodings and row groups."""
        from sayso.gate.formats.tables.parquet_writing import ParquetWriter  # noqa: PLC0415 - imports this

        return ParquetWriter(self, outputs.open(path), path)

    def values(self, name: str) -> Iterator[Any]:
        """Yield the values of a column, in order; raises BadManifest and FileUnreadable."""
        with table_errors(self.path), self._opened() as file:
            if name not in file.schema_arrow.names:
                raise BadManifest(f"there is no column {name!r}")
            for group in range(len(self.footer.groups)):
                step = self.rows_at_once(group, [name])
                for batch in file.iter_batches(step, row_groups=[group], columns=[name]):
                    yield from batch.column(0).to_pylist()

    def columns(self, group: int, metadata: Any) -> Iterator[Any]:
        """Yield batches of all columns of a row group, read by another footer."""
        with self._opened(metadata=metadata) as file:
            yield from file.iter_batches(self.rows_at_once(group), row_groups=[group], use_threads=True)


def _dictionary(array: Any) -> Any:
    """Return the dictionary within an array of one column, or None."""
    while True:
        kind = array.type
        if pa.types.is_dictionary(kind):
            return array.dictionary
        if pa.types.is_struct(kind):
            array = array.field(0)
        elif pa.types.is_map(kind):
            array = array.keys if array.type.key_type != pa.null() else array.items
        elif hasattr(array, "values"):
            array = array.values
        else:
            return None


@contextmanager
def table_errors(path: Path, form: str = "Parquet") -> Iterator[None]:
    """Turn errors of pyarrow, and faults of a footer, into BadManifest or FileUnreadable."""
    try:
        yield
    except BadManifest as error:
        if str(path) in str(error):
            raise
        raise BadManifest(f"{str(path)!r} cannot be read as {form}: {error}") from error
    except FAULTS as error:
        # A damaged footer may have any shape, and names that are not UTF-8.
        raise BadManifest(f"{str(path)!r} cannot be read as {form}: {line_of(error)}") from error
    except OSError as error:
        # Arrow also raises OSError for a cut or damaged file.
        raise FileUnreadable(f"cannot read {str(path)!r}: {line_of(error)}") from error


@contextmanager
def write_errors(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow, and of the system, into OutputFailed."""
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise OutputFailed(f"cannot write {str(path)!r}: {line_of(error)}") from error


def line_of(error: Exception) -> str:
    """Return an error's text in one short line."""
    return " ".join(str(error).split())[:200] or type(error).__name__
