"""Parquet, read in batches; all other columns stay unchanged."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Final

from sayso.errors import BadManifest, FileUnreadable, OutputFailed
from sayso.extras import extra
from sayso.gate.columns import join_columns
from sayso.gate.formats.base import Batch, Columns, Stamp, refuse_row
from sayso.gate.formats.lines import named
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import find_columns
from sayso.outputs import Outputs

with extra("data"):
    import pyarrow as pa
    import pyarrow.parquet as pq

_CODECS: Final = {"UNCOMPRESSED": "NONE"}  # the writer has another name for it
# Approximate size of a batch in memory. Three batches are in memory at once, and Arrow holds more than
# twice of each: for very many rows the gate takes 890 MiB with 32 MiB here and 700 MiB with 16 MiB.
PARQUET_BATCH_BYTES: Final = 16 * 1024 * 1024
LEAST_ROWS: Final = 1_024  # the fewest rows of a batch, for any row width


class Parquet:
    """Parquet is one Parquet file."""

    name = "parquet"
    line_name = "row"

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self._stamp = Stamp.of(path)
        with _parquet_errors(path):
            self._file = pq.ParquetFile(path, page_checksum_verification=True)
            self._meta = self._file.metadata
            self._schema = self._file.schema_arrow
        self._names = find_columns(self._schema.names, columns.license, columns.item)
        self.size = (self._meta.num_rows, "rows")

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows in order; raises BadManifest and FileUnreadable."""
        number, found = 1, 0
        with _parquet_errors(self.path):
            stream = self._file.iter_batches(min(most, self._rows_at_once()), use_threads=True)
            for content in stream:
                rows, well_named = join_columns(*(content.column(name) for name in self._names))
                if not well_named.all():
                    at = number + int((~well_named).argmax())
                    raise refuse_row(self.path, at, f"its {' or '.join(self._names)} is not a hash")
                number += len(rows)
                found += len(rows)
                if len(rows):
                    yield Batch(rows.tobytes(), content)
        if found != self._meta.num_rows:
            raise BadManifest(f"{str(self.path)!r} has {found} rows of {self._meta.num_rows}")

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if the file has changed."""
        self._stamp.check()

    def _rows_at_once(self) -> int:
        groups = range(self._meta.num_row_groups)
        size = sum(self._meta.row_group(one).total_byte_size for one in groups)
        rows: int = self._meta.num_rows
        wanted: int = PARQUET_BATCH_BYTES * max(1, rows) // max(1, size)
        return max(LEAST_ROWS, wanted)

    def progress(self, batch: Batch) -> int:
        """Return the number of rows."""
        return len(batch)

    def places(self, batch: Batch, first: int) -> range:
        """Return the numbers of the rows, from 1."""
        return range(first + 1, first + len(batch) + 1)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the two hashes and the row's number."""
        return {**named(batch.rows[at * 64 : at * 64 + 64]), "row": number}

    def writer(self, outputs: Outputs, path: Path) -> "ParquetWriter":
        """Open a file of the same schema and compression."""
        return ParquetWriter(outputs.open(path).part, path, self._schema, self._compression())

    def _compression(self) -> dict[str, str] | str:
        if not self._meta.num_row_groups:
            return "snappy"
        first = self._meta.row_group(0)
        chunks = [first.column(at) for at in range(first.num_columns)]
        return {one.path_in_schema: _CODECS.get(one.compression, one.compression) for one in chunks}


class ParquetWriter:
    """ParquetWriter writes the clear rows of batches."""

    def __init__(self, part: Path, path: Path, schema: Any, compression: dict[str, str] | str) -> None:
        self._path = path
        with _write_errors(path):
            self._writer = pq.ParquetWriter(part, schema, compression=compression)

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows; raises OutputFailed."""
        content = batch.content if clear.all() else batch.content.filter(pa.array(clear))
        if content.num_rows:
            with _write_errors(self._path):
                self._writer.write_batch(content)

    def close(self) -> None:
        """Write the footer; raises OutputFailed."""
        with _write_errors(self._path):
            self._writer.close()


@contextmanager
def _parquet_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (pa.ArrowInvalid, pa.ArrowNotImplementedError, pa.ArrowKeyError, ValueError) as error:
        # ValueError: names in a damaged footer that are not UTF-8.
        raise BadManifest(f"{str(path)!r} cannot be read as Parquet: {_line(error)}") from error
    except OSError as error:
        # Arrow also raises OSError for a cut or damaged file.
        raise FileUnreadable(f"cannot read {str(path)!r}: {_line(error)}") from error


@contextmanager
def _write_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (OSError, pa.ArrowException) as error:
        raise OutputFailed(f"cannot write {str(path)!r}: {_line(error)}") from error


def _line(error: Exception) -> str:
    return " ".join(str(error).split())[:200]
