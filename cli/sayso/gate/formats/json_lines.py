"""JSON Lines: each line is an object; a row that two readers would read differently is refused."""

from collections.abc import Callable, Iterator
from operator import methodcaller
from pathlib import Path
from typing import IO, Any, Final

import msgspec

from sayso.errors import BadManifest
from sayso.gate.formats.base import OR_REJECT, Columns
from sayso.gate.formats.json_rows import ROW_LINE_BYTES, parse_fields
from sayso.gate.formats.lines import Line, LineSource, lines_in, without_mark
from sayso.gate.names import (
    ITEM_NAMES,
    KEYS_ONLY,
    LICENSE_NAMES,
    keys_of,
    refuse_both,
    refuse_twins,
    twin_of,
)
from sayso_protocol.encoding.json_text import NESTING

_NAMES: Final = 4_096  # that are remembered
Getter = Callable[[dict[str, Any]], Any]


class JsonLines(LineSource):
    """JSON Lines: each line is an object with the two hashes and any other fields."""

    name = "jsonl"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path, columns)
        self._found: tuple[str, str] | None = None

    def _names(self) -> tuple[str, str]:
        return self._found or self._names_in({})

    def _names_in(self, fields: dict[str, Any]) -> tuple[str, str]:
        """Return the names of the two fields, found in the first row and in the folders."""
        keys = keys_of(self.path)
        both = {**fields, **keys}
        found = (
            self._columns.license or _first(both, LICENSE_NAMES, "license"),
            self._columns.item or _first(both, ITEM_NAMES, "item"),
        )
        self._keys = {name: keys[name] for name in found if name in keys}
        if len(self._keys) == len(found):
            raise BadManifest(f"{str(self.path)!r}: {KEYS_ONLY}")
        return found

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
                get_license, get_item = map(self._getter, self._found)
            if not plain.issuperset(fields) and (why := self._twins(fields, plain)):
                if not reject:
                    raise self.bad_row(number, why + OR_REJECT)
                yield number, raw, "", "", why
                continue
            yield number, raw, get_license(fields), get_item(fields), ""

    def _twins(self, fields: dict[str, Any], plain: set[str]) -> str:
        """Return why a row is refused for its names, or add them to the plain ones."""
        try:
            for name in self._names():
                if name in self._keys and name in fields:
                    return f"the column {name!r} occurs 2 times, in the row and in its folders"
                refuse_both(fields, name)
                refuse_twins(fields, name if name in fields else name.partition(".")[0])
            for chosen, usual, what in (
                (self._columns.license, LICENSE_NAMES, "license"),
                (self._columns.item, ITEM_NAMES, "item"),
            ):
                if chosen is None:
                    self._refuse_better(fields, usual, what)
        except BadManifest as error:
            return str(error)
        if len(plain) < _NAMES:
            plain.update(fields)
        return ""

    def _refuse_better(self, fields: dict[str, Any], usual: tuple[str, ...], what: str) -> None:
        """Raise BadManifest if a row has a usual name that counts before the one of the first row."""
        first = next(name for name in (*usual, *self._names()) if name in (*self._names(), *fields))
        if first not in self._names():
            raise BadManifest(
                f"it has a field {first!r}, which the first row has not: say --{what}-column"
            )

    def _getter(self, name: str) -> Getter:
        if (value := self._keys.get(name)) is not None:
            return lambda _fields: value
        return _getter(name)

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
