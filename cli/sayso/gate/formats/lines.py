"""Text formats, JSON Lines and CSV, which keep clear rows byte for byte."""

import csv
import itertools
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any, NamedTuple

from sayso.gate.formats.base import BATCH_BYTES, Batch, Columns, Stamp, refuse_row
from sayso.gate.formats.json_rows import ROW_LINE_BYTES, lines_of, parse_fields, raw_rows, row_of
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import ITEM_NAMES, LICENSE_NAMES, find_columns
from sayso.outputs import Outputs, StagedFile
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import hash_from_text, hex_text
from sayso_protocol.receipts.receipt import join_rows
from sayso_protocol.verdicts.verdict import Row


class Line(NamedTuple):
    """Line is a row as text: its line number, its bytes, its fields and its joined hashes."""

    number: int
    raw: bytes
    fields: dict[str, Any]
    row: Row


class LineWriter:
    """LineWriter copies the bytes of clear rows."""

    def __init__(self, file: StagedFile, head: bytes = b"") -> None:
        self._file = file
        self._file.write(head)

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows; raises OutputFailed."""
        lines = zip(batch.content, clear.tolist(), strict=True)
        self._file.write(b"".join([line.raw for line, is_clear in lines if is_clear]))

    def close(self) -> None:
        """Do nothing, because every row is already written."""


class _Lines:
    """The common part of both formats."""

    name = ""
    line_name = "line"

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self._columns = columns
        self._stamp = Stamp.of(path)
        self.size = (self._stamp.seen[2], "bytes")

    def _read(self) -> Iterator[Line]:
        raise NotImplementedError

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows in order; raises BadManifest and FileUnreadable."""
        lines: list[Line] = []
        size = 0
        for line in self._read():
            lines.append(line)
            size += len(line.raw)
            if len(lines) == most or size > BATCH_BYTES:
                yield Batch(join_rows(one.row for one in lines), lines)
                lines, size = [], 0
        if lines:
            yield Batch(join_rows(one.row for one in lines), lines)

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if the file has changed."""
        self._stamp.check()

    def progress(self, batch: Batch) -> int:
        """Return the bytes of a batch."""
        return sum(len(line.raw) for line in batch.content)

    def places(self, batch: Batch, first: int) -> list[int]:  # noqa: ARG002
        """Return the line of each row."""
        return [line.number for line in batch.content]

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:  # noqa: ARG002
        """Return all fields of the row, and its line."""
        line: Line = batch.content[at]
        return {**line.fields, "line": line.number}


class JsonLines(_Lines):
    """JSON Lines: each line is an object with the two hashes and any other fields."""

    name = "jsonl"

    def _read(self) -> Iterator[Line]:
        names: tuple[str, str] | None = None
        for number, raw in raw_rows(self.path):
            fields = parse_fields(self.path, number, raw)
            names = names or self._names(fields)
            yield Line(number, raw, fields, row_of(self.path, number, fields, names))

    def _names(self, fields: dict[str, Any]) -> tuple[str, str]:
        """Return the names of the two fields, found in the first row."""
        return (
            self._columns.license or _first(fields, LICENSE_NAMES, "license"),
            self._columns.item or _first(fields, ITEM_NAMES, "item"),
        )

    def writer(self, outputs: Outputs, path: Path) -> LineWriter:
        """Open a file of JSON Lines."""
        return LineWriter(outputs.open(path))


def _first(fields: dict[str, Any], usual: tuple[str, ...], otherwise: str) -> str:
    return next((name for name in usual if name in fields), otherwise)


class _Taken:
    """The lines of one record, which together are no longer than one line may be."""

    def __init__(self) -> None:
        self._lines: list[bytes] = []
        self._size = 0

    def add(self, raw: bytes) -> None:
        self._lines.append(raw)
        self._size += len(raw)
        if self._size > ROW_LINE_BYTES:  # the line may have been cut, and is not a whole one
            raise csv.Error("a record is longer than 16 MiB")

    def give(self) -> list[bytes]:
        lines, self._lines, self._size = self._lines, [], 0
        return lines


class CommaSeparated(_Lines):
    """CSV (RFC 4180) in UTF-8 with a header line; tab-separated in a file that ends in .tsv."""

    name = "csv"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path, columns)
        self._delimiter = "\t" if path.suffix == ".tsv" else ","
        self._head = b""

    def _read(self) -> Iterator[Line]:
        records = self._records()
        first = next(records, None)
        if first is None:
            return
        self._head, names = first[1], first[2]
        chosen = find_columns(names, self._columns.license, self._columns.item)
        places = [names.index(one) for one in chosen]
        for number, raw, values in records:
            if len(values) != len(names):
                why = f"{len(values)} values under {len(names)} names"
                raise refuse_row(self.path, number, why, self.line_name)
            hashes = [self._hash(number, names[at], values[at]) for at in places]
            yield Line(number, raw, dict(zip(names, values, strict=True)), Row(*hashes))

    def _hash(self, number: int, name: str, text: str) -> bytes:
        try:
            return hash_from_text(text)
        except Malformed as error:
            why = f"its {name} is {error}" if text else f"it has no {name}"
            raise refuse_row(self.path, number, why, self.line_name) from error

    def _records(self) -> Iterator[tuple[int, bytes, list[str]]]:
        """Yield the first line, the bytes and the values of each record that is not blank."""
        taken = _Taken()
        number = 1
        texts = self._texts(taken.add)
        reader = csv.reader(texts, delimiter=self._delimiter, strict=True)
        csv.field_size_limit(ROW_LINE_BYTES)
        while True:
            try:
                values = next(reader, None)
            except (csv.Error, UnicodeDecodeError) as error:
                raise refuse_row(self.path, number, f"not CSV in UTF-8 ({error})", "line") from error
            if values is None:
                return
            lines = taken.give()
            if values:
                yield number, b"".join(lines), values
            number += len(lines)

    def _texts(self, take: Callable[[bytes], None]) -> Iterator[str]:
        """Yield lines as text; the reader takes as many as a record has."""
        for raw in _raw_lines(self.path):
            take(raw)
            text = raw.decode()
            if "\0" in text:
                raise csv.Error("a zero byte")
            yield text

    def writer(self, outputs: Outputs, path: Path) -> LineWriter:
        """Open a CSV with the same header."""
        return LineWriter(outputs.open(path), self._ended_head())

    def _ended_head(self) -> bytes:
        if not self._head:
            self._head = next((raw for _, raw, _ in self._records()), b"")
        return self._head


def _raw_lines(path: Path) -> Iterator[bytes]:
    """Yield every line, also blank lines, without a byte order mark."""
    lines = lines_of(path)
    first = next(lines, None)
    if first is not None:
        yield from itertools.chain([first.removeprefix(b"\xef\xbb\xbf")], lines)


def named(row: bytes) -> dict[str, str]:
    """Return the two hashes of a joined row, for formats without text fields."""
    return {"license": hex_text(row[:32]), "item": hex_text(row[32:])}
