"""CSV and TSV, kept byte for byte.

Readers disagree about quotes. Some readers take them as RFC 4180 says, some take them as ordinary
characters, some end a row at every line, some let a backslash escape a quote. A row that these would cut
in different places is refused, unless the dialect says which reading is meant.
"""

import re
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import IO, Any, Final

from sayso.errors import BadManifest
from sayso.gate.formats.base import OR_REJECT, Columns, Quoting
from sayso.gate.formats.endings import DELIMITERS, Form, form_said
from sayso.gate.formats.json_rows import ROW_LINE_BYTES
from sayso.gate.formats.lines import Line, LineSource, lines_in, without_mark
from sayso.gate.formats.packed import opened
from sayso.gate.names import ITEM_NAMES, LICENSE_NAMES, find_with_keys

_DECIDE: Final = (
    "readers disagree about it: say --quoting double if quotes are meant as in RFC 4180, or"
    " --quoting none if they are ordinary characters"
)


class _NoRecord(Exception):
    """The lines are no record of this dialect."""


class Cutter:
    """Cutter cuts one record into values, in one dialect, or raises."""

    def __init__(self, delimiter: bytes, quoting: Quoting | None) -> None:
        self._delimiter, self._quoting = delimiter, quoting
        cut = re.escape(delimiter)
        self._one = value = rb'"[^"]*+(?:""[^"]*+)*+"|[^"\r\n' + cut + rb"]*+"
        self._value = re.compile(rb"(" + value + rb")(?:" + cut + rb"|\Z)")
        self._record = re.compile(rb"(?:" + value + rb")(?:" + cut + rb"(?:" + value + rb"))*+")

    def picker(self, count: int, places: tuple[int, int]) -> Callable[[bytes], re.Match[bytes] | None]:
        """Return a function that finds two values in a record of `count`, if its quotes are RFC 4180's.

        The groups of its match are the value at the lower place and that at the higher one.
        """
        value = self._one.join([b"(?:", b")"])
        values = [b"(" + self._one + b")" if at in places else value for at in range(count)]
        return re.compile(re.escape(self._delimiter).join(values)).fullmatch

    def is_plain(self, raw: bytes) -> bool:
        """Return whether a record with quotes of RFC 4180 has no other reading."""
        if self._quoting == "double":
            return True
        return self._quoting is None and self._delimiter != b"\t" and not (b"\r" in raw or b'\\"' in raw)

    def is_open(self, line: bytes, *, was_open: bool = False) -> bool:
        """Return whether a record goes on behind a line of it, by the quotes in it."""
        return self._quoting == "double" and (line.count(b'"') % 2 == 1) != was_open

    def cut(self, raw: bytes) -> list[bytes]:
        """Return the values of a record without its line end; raises _NoRecord."""
        if b"\0" in raw:
            raise _NoRecord("it has a zero byte; is it in UTF-16? Write it in UTF-8, with iconv")
        if b'"' not in raw or self._quoting == "none":
            if b"\r" in raw:
                raise _NoRecord(
                    "it has a line end of another system within; end every line alike, with mac2unix"
                )
            return raw.split(self._delimiter)
        if self._quoting == "double":
            return self._quoted(raw)
        return self._of_one_reading(raw)

    def _quoted(self, raw: bytes) -> list[bytes]:
        if not self._record.fullmatch(raw):
            raise _NoRecord("its quotes are not as in RFC 4180; is it --quoting none?")
        return [_unquoted(one) for one in self._value.findall(raw + self._delimiter)[:-1]]

    def _of_one_reading(self, raw: bytes) -> list[bytes]:
        """Cut a record that every usual reader cuts in the same places."""
        plain = raw.split(self._delimiter)
        if b"\r" in raw or b'\\"' in raw:
            raise _NoRecord(f"a quote stands beside a backslash or a line end; {_DECIDE}")
        if all(one.count(b'"') % 2 == 0 for one in plain):
            return [_unquoted(one) for one in plain]
        if self._delimiter != b"\t" and self._record.fullmatch(raw):
            return self._quoted(raw)
        if raw.count(b'"') % 2:
            raise _NoRecord(f"it has a lone quote, or a value over several lines; {_DECIDE}")
        raise _NoRecord(f"quotes stand around a separator; {_DECIDE}")


def _unquoted(value: bytes) -> bytes:
    if len(value) > 1 and value[:1] == value[-1:] == b'"':
        return value[1:-1].replace(b'""', b'"')
    return value


class Separated(LineSource):
    """Separated is CSV with a header line; its ending says the separator, a comma otherwise."""

    name = "csv"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path, columns)
        dialect = columns.dialect
        usual = DELIMITERS.get(form_said(path).format or "", ",")
        self._encoding = dialect.encoding
        self._delimiter = (dialect.delimiter or usual).encode()
        self._cutter = Cutter(self._delimiter, dialect.quoting)
        self._header: tuple[bytes, list[str]] = (b"", [])
        self._chosen: tuple[str, str] = ("", "")
        self._places: tuple[int | None, int | None] = (0, 0)  # None for a value of the folders

    @property
    def form(self) -> Form:
        """Return the format by the delimiter, which the ending of a name says."""
        said = (name for name, one in DELIMITERS.items() if one.encode() == self._delimiter)
        return Form(next(said, self.name), self._packed)

    def _names(self) -> tuple[str, str]:
        return self._chosen

    def _read(self, file: IO[bytes]) -> Iterator[Line]:
        records = self._records(file)
        if (first := next(records, None)) is None:
            return
        self._read_header(*first)
        (at_license, at_item), count = self._places, len(self._header[1])
        if at_license is None or at_item is None:
            yield from (self._slowly(*one) for one in records)
            return
        pick, is_plain = self._cutter.picker(count, (at_license, at_item)), self._cutter.is_plain
        low, high = (1, 2) if at_license < at_item else (2, 1)
        delimiter, is_same = self._delimiter, at_license == at_item
        for number, raw, body in records:
            is_text = body.isascii() and b"\0" not in body
            if is_text and b'"' not in body and b"\r" not in body:
                values = body.split(delimiter)
                if len(values) == count:
                    yield number, raw, values[at_license], values[at_item], ""
                    continue
            elif is_text and not is_same and is_plain(body) and (found := pick(body)):
                yield number, raw, _unquoted(found[low]), _unquoted(found[high]), ""
                continue
            yield self._slowly(number, raw, body)

    def _slowly(self, number: int, raw: bytes, body: bytes) -> Line:
        """Return a row that needs a closer look; raises BadManifest."""
        values, why = self._cut(body)
        count = len(self._header[1])
        if why is None and len(values) == count:
            found = [
                self._keys[name] if at is None else values[at]
                for name, at in zip(self._chosen, self._places, strict=True)
            ]
            return number, raw, found[0], found[1], ""
        why = why or f"{len(values)} values under {count} names"
        if not self._columns.dialect.reject_bad:
            raise self.bad_row(number, why + OR_REJECT)
        return number, raw, "", "", why

    def _read_header(self, number: int, raw: bytes, body: bytes) -> None:
        values, why = self._cut(body)
        if why is not None:
            raise self.bad_row(number, why)
        names = [one.decode(self._encoding) for one in values]
        self._header = (raw, names)
        try:
            self._chosen, self._keys = find_with_keys(self.path, names, self._columns)
        except BadManifest as error:
            raise BadManifest(f"{str(self.path)!r}: {error}{self._guess(raw)}") from error
        at = [None if one in self._keys else names.index(one) for one in self._chosen]
        self._places = (at[0], at[1])

    def _guess(self, raw: bytes) -> str:
        """Suggest the delimiter with which the header has the usual names."""
        if raw.lower().startswith(b"sep="):
            return "; its first line is for Excel: take it out"
        usual = {one.encode() for one in (*LICENSE_NAMES, *ITEM_NAMES)}
        for other in (b";", b"\t", b"|", b","):
            names = {one.strip(b'"') for one in raw.rstrip(b"\r\n").split(other)}
            if other != self._delimiter and len(names & usual) > 1:
                return f"; it is separated by {other.decode()!r}: say --delimiter {other.decode()!r}"
        return ""

    def _records(self, file: IO[bytes]) -> Iterator[tuple[int, bytes, bytes]]:
        """Yield line number, bytes, and bytes without the line end of each record that is not blank."""
        lines, number = without_mark(lines_in(file)), 1
        is_open = self._cutter.is_open
        for raw in lines:
            whole, count = raw, 1
            if is_open(raw):
                whole, count = self._over_lines(raw, lines)
            if body := _without_end(whole):
                yield number, whole, body
            number += count

    def _over_lines(self, raw: bytes, lines: Iterator[bytes]) -> tuple[bytes, int]:
        """Return a record that goes on in further lines, and their number; each is looked at once."""
        parts, size, goes_on = [raw], len(raw), True
        while goes_on and size <= ROW_LINE_BYTES and (more := next(lines, None)):
            goes_on = self._cutter.is_open(more, was_open=goes_on)
            parts.append(more)
            size += len(more)
        return b"".join(parts), len(parts)

    def _cut(self, body: bytes) -> tuple[list[bytes], str | None]:
        """Return the values of a record, or why it is invalid."""
        if len(body) > ROW_LINE_BYTES:
            raise BadManifest(f"{str(self.path)!r} has a record longer than 16 MiB")
        try:
            if not body.isascii():
                body.decode(self._encoding)
            return self._cutter.cut(body), None
        except UnicodeDecodeError as error:
            return [], f"not in {self._encoding} ({error.reason}); name its character set: --encoding"
        except _NoRecord as error:
            return [], str(error)

    def fields(self, line: int, raw: bytes) -> dict[str, Any]:  # noqa: ARG002
        """Return the values of a row by their names; raises BadManifest."""
        values, why = self._cut(_without_end(raw))
        if why or len(values) != len(self._header[1]):
            raise BadManifest("no record")
        texts = [one.decode(self._encoding) for one in values]
        return dict(zip(self._header[1], texts, strict=True))

    def _head(self) -> bytes:
        with opened(self.path) as file:
            first = next(self._records(file), None)
            file_head = first[1] if first else b""
        return super()._head() + file_head


def _without_end(raw: bytes) -> bytes:
    return raw[:-2] if raw.endswith(b"\r\n") else raw.removesuffix(b"\n")
