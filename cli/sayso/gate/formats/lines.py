"""Text formats, which keep clear rows byte for byte; and JSON Lines.

A source of lines yields each row as its number, its bytes and the texts of its hashes. Hashes are
decoded for a whole batch at once, and other fields are read again only for rows that are not clear.
"""

from collections.abc import Callable, Iterator, Sequence
from functools import partial
from itertools import chain, compress
from operator import methodcaller
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

import msgspec
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
    refuse_row,
)
from sayso.gate.formats.json_rows import parse_fields
from sayso.gate.formats.packed import Packing, kind_of, opened
from sayso.gate.hashes import hashes_of
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import ITEM_NAMES, LICENSE_NAMES, refuse_twins, twin_of
from sayso.outputs import Outputs
from sayso_protocol.encoding.json_text import NESTING
from sayso_protocol.encoding.row_tree import ROW_BYTES

ROW_LINE_BYTES: Final = 16 * 1024 * 1024  # a longer line indicates a wrong file
BOM: Final = b"\xef\xbb\xbf"
_NAMES: Final = 4_096  # that are remembered
Getter = Callable[[dict[str, Any]], Any]


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
                raise refuse_row(self.path, content.numbers[at], why + OR_REJECT, self.line_name)
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
            return {**self.fields(line, batch.content.raws[at]), "line": line}
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


class JsonLines(LineSource):
    """JSON Lines: each line is an object with the two hashes and any other fields."""

    name = "jsonl"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path, columns)
        self._found: tuple[str, str] | None = None

    def _names(self) -> tuple[str, str]:
        return self._found or self._names_in({})

    def _names_in(self, fields: dict[str, Any]) -> tuple[str, str]:
        """Return the names of the two fields, found in the first row."""
        return (
            self._columns.license or _first(fields, LICENSE_NAMES, "license"),
            self._columns.item or _first(fields, ITEM_NAMES, "item"),
        )

    def _read(self, file: IO[bytes]) -> Iterator[Line]:
        decode, reject = msgspec.json.Decoder().decode, self._columns.dialect.reject_bad
        get_license: Getter | None = None
        get_item: Getter = _getter("")
        plain = set[str]()  # names that no reader takes for one of the two
        for number, raw in enumerate(without_mark(lines_in(file)), 1):
            fields = _fast(raw, decode)
            if fields is None:
                if not raw.strip():
                    continue
                try:
                    fields = self.fields(number, raw)
                except BadManifest as error:
                    if not reject:
                        raise BadManifest(f"{error}{OR_REJECT}") from error
                    yield number, raw, "", "", str(error)
                    continue
            if get_license is None:
                self._found = self._names_in(fields)
                get_license, get_item = map(_getter, self._found)
            if not plain.issuperset(fields) and (why := self._twins(fields, plain)):
                if not reject:
                    raise refuse_row(self.path, number, why + OR_REJECT, self.line_name)
                yield number, raw, "", "", why
                continue
            yield number, raw, get_license(fields), get_item(fields), ""

    def _twins(self, fields: dict[str, Any], plain: set[str]) -> str:
        """Return why a row is refused for its names, or add them to the plain ones."""
        try:
            for name in self._names():
                refuse_twins(fields, name if name in fields else name.partition(".")[0])
        except BadManifest as error:
            return str(error)
        if len(plain) < _NAMES:
            plain.update(fields)
        return ""

    def fields(self, line: int, raw: bytes) -> dict[str, Any]:
        """Parse a row strictly; raises BadManifest."""
        return parse_fields(self.path, line, raw)


def _getter(name: str) -> Getter:
    """Return a function that gets a field, or a field of a field: `meta.license`."""
    if "." not in name:
        return methodcaller("get", name)

    def get(fields: dict[str, Any]) -> Any:
        if name in fields:
            return fields[name]
        found: Any = fields
        for part in name.split("."):
            is_clear = isinstance(found, dict) and twin_of(found, part) is None
            found = found.get(part) if is_clear else None
        return found

    return get


def _first(fields: dict[str, Any], usual: tuple[str, ...], otherwise: str) -> str:
    return next((name for name in usual if name in fields), otherwise)


def _fast(raw: bytes, decode: Callable[[bytes], Any]) -> dict[str, Any] | None:
    """Return the fields of a row that the strict parser takes, too, but faster; None for any other.

    msgspec keeps the last of two equal names. No name is there twice if there are as many names in the
    result as `":` in the text, because every name is followed by it unless white space comes between.
    """
    if b'" ' in raw or b'"\t' in raw or b'"\r' in raw or len(raw) > ROW_LINE_BYTES:
        return None
    if raw.count(b"{") + raw.count(b"[") > NESTING:  # any decoder can take less
        return None
    try:
        fields = decode(raw)
    except (msgspec.DecodeError, RecursionError):
        return None
    if type(fields) is not dict:
        return None
    names = raw.count(b'":')
    return fields if names == len(fields) or names == _names_within(fields) else None


def _names_within(value: Any) -> int:
    """Count the names in a value and in everything within it."""
    waiting, count = [value], 0
    while waiting:
        one = waiting.pop()
        if type(one) is dict:
            count += len(one)
            waiting.extend(one.values())
        elif type(one) is list:
            waiting.extend(one)
    return count
