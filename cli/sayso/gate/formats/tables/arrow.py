"""Arrow files and streams (IPC, Feather of version 2), batch by batch in mapped memory."""

import shutil
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import Any, Final

import numpy as np

from sayso.errors import BadManifest
from sayso.extras import extra
from sayso.files import opening
from sayso.gate.columns import column_or_key, filtered, join_columns
from sayso.gate.formats.base import OR_REJECT, ROWS_AT_ONCE, Batch, Columns, Source
from sayso.gate.formats.packed import refuse_no_table
from sayso.gate.formats.tables.arrow_messages import check_messages
from sayso.gate.formats.tables.parquet import line_of, table_errors, write_errors
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import find_with_keys
from sayso.outputs import Outputs, StagedFile

with extra("data"):
    import pyarrow as pa

_FILE: Final = b"ARROW1"
_FIRST_FEATHER: Final = b"FEA1"
_HEAD_BYTES: Final = 1 << 20
_FRAMES: Final = {b"\x28\xb5\x2f\xfd": "zstd", b"\x04\x22\x4d\x18": "lz4"}  # of compressed buffers
_PIECE_BYTES: Final = 64 * 1024 * 1024  # of a batch at once, if it is larger


class Arrow(Source):
    """Arrow is one file of record batches."""

    name = "arrow"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path)
        refuse_no_table(path, _FILE)
        with opening(path) as file:
            self._head = file.read(_HEAD_BYTES)
        if self._head.startswith(_FIRST_FEATHER):
            raise BadManifest(
                f"{str(path)!r} is Feather of version 1; write it as version 2 or as Parquet"
            )
        self.is_file = self._head.startswith(_FILE)
        with self._opened() as reader, arrow_errors(path):
            self.schema = reader.schema
            names = self.schema.names
        with arrow_errors(path):
            self._names, self._keys = find_with_keys(path, names, columns, is_nested=True)
        self._reject_bad = columns.dialect.reject_bad

    @property
    def compression(self) -> str | None:
        """Return the compression of the buffers, by the first one, or None."""
        places = {self._head.find(magic): kind for magic, kind in _FRAMES.items()}
        places.pop(-1, None)
        return places[min(places)] if places else None

    @contextmanager
    def _opened(self) -> Iterator[Any]:
        with ExitStack() as stack:
            with arrow_errors(self.path):
                source = stack.enter_context(pa.memory_map(str(self.path)))
                of = pa.ipc.open_file if self.is_file else pa.ipc.open_stream
                reader = stack.enter_context(of(source))
            yield reader

    def read(self) -> Iterator[Any]:
        """Yield the record batches; raises BadManifest and FileUnreadable."""
        with self._opened() as reader, arrow_errors(self.path):
            if self.is_file:
                yield from (reader.get_batch(at) for at in range(reader.num_record_batches))
            else:
                yield from reader

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield the hashes of all rows in order; raises BadManifest and FileUnreadable."""
        wanted, number = min(most, ROWS_AT_ONCE), 1
        rows: list[Any] = []
        with arrow_errors(self.path):
            check_messages(self.path, self.schema)
        for content in self.read():
            with arrow_errors(self.path):
                found = [column_or_key(content, name, self._keys) for name in self._names]
                for column in found:
                    column.validate(full=True)
            for at in range(0, content.num_rows, wanted):
                with arrow_errors(self.path):
                    joined, well_named = join_columns(*(one.slice(at, wanted) for one in found))
                if not well_named.all() and not self._reject_bad:
                    bad = number + int((~well_named).argmax())
                    raise self.bad_row(bad, f"its {' or '.join(self._names)} is not a hash{OR_REJECT}")
                number += len(joined)
                if rows and sum(map(len, rows)) + len(joined) > wanted:
                    yield Batch(np.concatenate(rows).tobytes(), None)
                    rows = []
                rows.append(joined)
        if rows:
            yield Batch(np.concatenate(rows).tobytes(), None, self.size[0])

    def writer(self, outputs: Outputs, path: Path) -> "ArrowWriter":
        """Open a file of the same schema, batches and compression."""
        return ArrowWriter(self, outputs.open(path), path)


class ArrowWriter:
    """ArrowWriter writes each record batch once all of its rows are judged."""

    def __init__(self, source: Arrow, staged: StagedFile, path: Path) -> None:
        self._source, self._part, self._path = source, staged.part, path
        self._flags = np.zeros(0, bool)
        self._all_clear = True
        self._unread: Any = None
        self._out: Any = None
        self._file: Any = None

    def write(self, batch: Batch, clear: Flags) -> None:
        """Take the verdicts of a batch, and write the record batches that it completes."""
        del batch
        self._flags = np.concatenate([self._flags, clear])
        self._all_clear &= bool(clear.all())
        if not self._all_clear:
            self._write()

    def _write(self) -> None:
        if self._out is None:
            self._begin()
        while self._unread is not None and len(self._flags) >= self._unread.num_rows:
            content, size = self._unread, self._unread.num_rows
            mine, self._flags = self._flags[:size], self._flags[size:]
            for some in _kept(content, mine, self._source.path):
                with write_errors(self._path):
                    self._out.write_batch(some)
            self._unread = next(self._batches, None)

    def _begin(self) -> None:
        source = self._source
        self._batches = source.read()
        self._unread = next(self._batches, None)
        of = pa.ipc.new_file if source.is_file else pa.ipc.new_stream
        # No deltas, which not every reader of streams knows.
        options = pa.ipc.IpcWriteOptions(
            compression=source.compression, unify_dictionaries=source.is_file
        )
        with write_errors(self._path):
            self._file = pa.OSFile(str(self._part), "wb")
            self._out = of(self._file, source.schema, options=options)

    def close(self) -> None:
        """Complete the output, or copy the whole file; raises OutputFailed."""
        with write_errors(self._path):
            if self._out is None:
                with self._source.path.open("rb") as file, self._part.open("r+b") as out:
                    shutil.copyfileobj(file, out, 1 << 20)
            else:
                self._out.close()
                self._file.close()


def _kept(content: Any, clear: Flags, path: Path) -> Iterator[Any]:
    """Yield the clear rows of a record batch, in pieces of bounded memory."""
    with arrow_errors(path):
        content.validate(full=True)  # before anything else touches it
    step = max(1, min(content.num_rows, _PIECE_BYTES * content.num_rows // max(1, content.nbytes)))
    for at in range(0, content.num_rows, step):
        with arrow_errors(path):
            piece = content.slice(at, step)
            kept = filtered(piece, clear[at : at + step])
        if kept.num_rows:
            yield kept


@contextmanager
def arrow_errors(path: Path) -> Iterator[None]:
    """Turn errors of pyarrow into BadManifest or FileUnreadable."""
    with table_errors(path, "Arrow"):
        try:
            yield
        except pa.ArrowNotImplementedError as error:
            raise BadManifest(
                f"{str(path)!r} has a column of a type that pyarrow cannot filter, which must be written"
                f" as another type: {line_of(error)}"
            ) from error
