"""Text formats, which keep clear rows byte for byte.

A source of lines yields each row as its number, its bytes and the texts of its hashes. Hashes are
decoded for a whole batch at once, and other fields are read again only for rows that are not clear.
"""

from collections.abc import Iterator, Sequence
from functools import partial
from itertools import chain, compress
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, cast

import numpy as np

from sayso.errors import BadManifest
from sayso.gate.formats.base import (
    BATCH_BYTES,
    NO_ROW,
    OR_REJECT,
    Batch,
    Columns,
    Source,
    named,
)
from sayso.gate.formats.endings import Form
from sayso.gate.formats.json_rows import ROW_LINE_BYTES
from sayso.gate.formats.packed import Packing, kind_of, opened, refuse_letters
from sayso.gate.hashes import hashes_of
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs
from sayso_protocol.encoding.row_tree import ROW_BYTES

BOM: Final = b"\xef\xbb\xbf"


# A row as text: its line number, its bytes, the texts of its two hashes, and why it is no row.
Line = tuple[int, bytes, Any, Any, str]


class Texts(NamedTuple):
    """Texts is the content of a batch: the number and the bytes of each row."""

    numbers: list[int]
    raws: list[bytes]


class LineWriter:
    """LineWriter copies the bytes of clear rows, in the compression of the input."""

    def __init__(self, file: Packing, head: bytes = b"") -> None:
        self._file = file
        self._file.write(head)

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows; raises OutputFailed."""
        raws = batch.content.raws
        self._file.write(b"".join(raws if clear.all() else compress(raws, clear.tolist())))

    def close(self) -> None:
        """Complete the compressed data; raises OutputFailed."""
        self._file.close()


class LineSource(Source):
    """LineSource is the common part of the text formats."""

    line_name = "line"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path)
        self._columns = columns
        self._packed = kind_of(path)
        self._keys: dict[str, str] = {}  # values that all rows have by their folders

    @property
    def form(self) -> Form:
        """Return its format, in the compression of the input."""
        return Form(self.name, self._packed)

    def _read(self, file: IO[bytes]) -> Iterator[Line]:
        """Yield the rows of a file; raises BadManifest."""
        raise NotImplementedError

    def _names(self) -> tuple[str, str]:
        """Return the names of the two columns, once a row was read."""
        raise NotImplementedError

    def _head(self) -> bytes:
        """Return the bytes that precede the rows, which every output begins with."""
        with opened(self.path) as file:
            first: bytes = file.read(len(BOM))
        return first if first == BOM else b""

    def fields(self, line: int, raw: bytes) -> dict[str, Any]:
        """Return all fields of a row; raises BadManifest."""
        raise NotImplementedError

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows in order; raises BadManifest and FileUnreadable."""
        with opened(self.path) as file:
            refuse_letters(self.path, cast("Any", file).peek(1))
            numbers, raws = list[int](), list[bytes]()
            licenses, items = list[Any](), list[Any]()
            whys, size = dict[int, str](), 0
            for number, raw, license_, item, why in self._read(file):
                if why:
                    whys[len(raws)] = why
                numbers.append(number)
                raws.append(raw)
                licenses.append(license_)
                items.append(item)
                size += len(raw)
                if size > BATCH_BYTES or len(raws) == most:
                    yield self._batch(Texts(numbers, raws), (licenses, items), whys, size)
                    numbers, raws, licenses, items = [], [], [], []
                    whys, size = {}, 0
            if raws:
                yield self._batch(Texts(numbers, raws), (licenses, items), whys, size)

    def _batch(
        self, content: Texts, texts: tuple[list[Any], list[Any]], whys: dict[int, str], size: int
    ) -> Batch:
        (licenses, right), (items, well) = map(hashes_of, texts)
        rows = np.concatenate([licenses, items], axis=1)
        if not (right & well).all():
            bad = ~(right & well)
            at = int(bad.argmax())
            if not self._columns.dialect.reject_bad:
                why = whys.get(at) or self._why(texts[0][at], texts[1][at])
                raise self.bad_row(content.numbers[at], why + OR_REJECT)
            rows[bad] = np.frombuffer(NO_ROW, np.uint8)
        # Nobody knows how far a decompressor has come.
        return Batch(rows.tobytes(), content, 0 if self._packed else size)

    def _why(self, *texts: Any) -> str:
        for name, text in zip(self._names(), texts, strict=True):
            if text is None or text in ("", b""):
                return f"it has no {name}"
            if not isinstance(text, str | bytes):
                return f"its {name} is not a text"
            if not hashes_of([text])[1].all():
                return f"its {name} is not a hash, 0x and 64 hexadecimal digits"
        return "it names no license and no item"

    def places(self, batch: Batch, first: int) -> Sequence[int]:  # noqa: ARG002
        """Return the line of each row."""
        numbers: list[int] = batch.content.numbers
        return numbers

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return all fields of the row, and its line; of a row without hashes NO_ROW."""
        line, row = batch.content.numbers[at], batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
        if row != NO_ROW:
            return {**self._keys, **self.fields(line, batch.content.raws[at]), "line": line}
        try:
            fields = self.fields(line, batch.content.raws[at])
        except BadManifest:
            fields = {}
        hashes = dict(zip(self._names(), named(row).values(), strict=True))
        return {**fields, **hashes, "line": line}

    def writer(self, outputs: Outputs, path: Path) -> LineWriter:
        """Open a file of the same format, head and compression."""
        return LineWriter(Packing(outputs.open(path), self._packed, path), self._head())


def without_mark(lines: Iterator[bytes]) -> Iterator[bytes]:
    """Yield the lines without the mark that some systems put first."""
    if (first := next(lines, None)) is not None:
        yield from chain([first.removeprefix(BOM)], lines)


def lines_in(file: IO[bytes]) -> Iterator[bytes]:
    """Yield the bytes of each line with its end, cut at the length limit."""
    return iter(partial(file.readline, ROW_LINE_BYTES + 1), b"")
