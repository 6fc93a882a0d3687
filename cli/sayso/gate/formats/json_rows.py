"""Rows as JSON Lines: each line is an object with a `license` and an `item` hash, and any other fields.

A clear row is kept byte for byte. A row with two readings (a field that occurs twice, a number outside
of JSON) is refused, because another reader might see another license in it. Blank lines are not rows,
but line numbers count them.
"""

import json
import os
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NoReturn

from sayso.errors import BadManifest
from sayso.gate.formats.endings import form_said
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.primitives import hex_text

_DIGITS: Final = 4_300  # of an integer, of which no reader of Python takes more
ROW_LINE_BYTES: Final = 16 * 1024 * 1024  # a longer line indicates a wrong file


def parse_fields(
    path: Path, line: int, raw: bytes, fault: type[SaysoError] = BadManifest
) -> dict[str, Any]:
    """Parse all fields of one row; raises `fault`, with the line in it."""

    def refuse(why: str) -> NoReturn:
        raise fault(f"{str(path)!r}, line {line}: {why}")

    if len(raw) > ROW_LINE_BYTES:
        refuse("longer than 16 MiB")
    try:
        fields = parse_json(raw, STRICT, most=ROW_LINE_BYTES)
    except Malformed as error:
        refuse(f"not JSON in UTF-8 ({error}){_hint(path, raw)}")
    if not isinstance(fields, dict):
        refuse(f"not a JSON object{_hint(path, raw)}")
    if b"\\u" in raw and not _is_whole(fields):
        refuse("half of a character (\\ud800 to \\udfff without the other half), which few readers take")
    return fields


def _is_whole(fields: dict[str, Any]) -> bool:
    """Return whether no text has half of a surrogate pair."""
    try:
        json.dumps(fields, ensure_ascii=False).encode()
    except UnicodeEncodeError:
        return False
    return True


def _hint(path: Path, raw: bytes) -> str:
    """Say what the whole file may be instead."""
    if b"\0" in raw[:64]:
        return "; is it in UTF-16? Write it in UTF-8, with iconv"
    if form_said(path).format is None and raw.lstrip()[:1] not in b"[{":
        return "; is it a table? Give it the ending of its format: .csv, .tsv, .psv, .parquet or .arrow"
    if raw.lstrip()[:1] == b"[" or not raw.rstrip().endswith(b"}"):
        return "; each line must hold one object: `jq -c '.[]'` writes a list so"
    return ""


def _object(pairs: list[tuple[str, Any]]) -> dict[str, Any]:
    fields = dict(pairs)
    if len(fields) != len(pairs):
        raise ValueError("a field occurs twice")
    return fields


def _no_number(name: str) -> NoReturn:
    raise ValueError(f"{name} is not a number")


def _integer(text: str) -> int:
    if len(text) > _DIGITS:
        raise ValueError(f"a number has more than {_DIGITS:,} digits; write it as a text")
    return int(text)


def _finite(text: str) -> float:
    number = float(text)
    if number in (float("inf"), float("-inf")):
        raise ValueError(f"{text} is too large a number")
    return number


STRICT: Final = json.JSONDecoder(
    object_pairs_hook=_object, parse_constant=_no_number, parse_float=_finite, parse_int=_integer
)


def row_line(fields: dict[str, Any]) -> bytes:
    """Format one line of a manifest, in ASCII."""
    return json.dumps(fields).encode() + b"\n"


def salt_lines(rows: Iterable[tuple[str, bytes, bytes]]) -> Iterator[bytes]:
    """Yield lines for (file, item hash, salt), which go to nobody but the buyer of the files."""
    for file, item, salt in rows:
        yield row_line({"file": _text(file), "item": hex_text(item), "salt": hex_text(salt)})


def granted_lines(rows: Iterable[tuple[str, bytes, bytes]]) -> Iterator[bytes]:
    """Yield lines for (file, item hash, license hash)."""
    for file, item, license_hash in rows:
        yield row_line({"file": _text(file), "item": hex_text(item), "license": hex_text(license_hash)})


def _text(file: str) -> str:
    r"""Return a file's name with `\xff` for each byte that is not UTF-8, because JSON has no bytes."""
    return os.fsencode(file).decode(errors="backslashreplace")
