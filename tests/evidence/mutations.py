"""Every field of a document, and what could stand there instead; fields are found in the document."""

import re
from collections.abc import Iterator
from typing import Any

from sayso.gate.records.reasons import reasons_from_text, reasons_to_text
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import address_text
from sayso_protocol.verdicts.verdict import REASONS, Reason
from support.receipt_values import number_reasons

Path = tuple[str | int, ...]
WORDS = [["train-ai", "evaluate"], ["nodes", "snapshots"], [one.value for one in Reason]]
WORDS += [["node", "chain"], ["bundle", "snapshot"], ["jsonl", "parquet"]]
HEX = re.compile("(0x)?(?:[0-9a-f]{2})+")
ADDRESS = re.compile("0x[0-9a-fA-F]{40}")
UNKNOWN = "a field nobody knows"
MOST_ROWS = 64  # of a part in these tests


def name_of(path: Path, whole: Any) -> str:
    """The field of a place: `parts[].answers[].reasons`; of a source, its kind: `sources[node].url`."""
    text, value = "", whole
    for one in path:
        try:
            value = value[one]
        except (KeyError, IndexError, TypeError):
            value = None
        kind = value.get("kind", "") if isinstance(value, dict) and isinstance(one, int) else ""
        text += f"[{kind if isinstance(kind, str) else ''}]" if isinstance(one, int) else f".{one}"
    return text.removeprefix(".")


def fields_of(value: Any, path: Path = ()) -> Iterator[Path]:
    """The places of a document that hold something else than fields."""
    if isinstance(value, dict | list) and value:
        for key, one in value.items() if isinstance(value, dict) else enumerate(value):
            yield from fields_of(one, (*path, key))
    else:
        yield path


def mutants(value: Any, path: Path = ()) -> Iterator[tuple[Path, Any]]:
    """The same document with one place changed, and that place; once for each change."""
    for other in others(value):
        if type(other) is not type(value) or other != value:
            yield path, other
    if isinstance(value, dict):
        yield (*path, UNKNOWN), value | {UNKNOWN: 1}
    if isinstance(value, dict | list):
        for key, one in list(value.items() if isinstance(value, dict) else enumerate(value)):
            for place, changed in mutants(one, (*path, key)):
                copy: Any = value.copy()
                copy[key] = changed
                yield place, copy
            rest: Any = value.copy()
            del rest[key]
            yield (*path, key), rest


def others(value: Any) -> list[Any]:
    """What could stand in a place, of the same type first."""
    if isinstance(value, bool):
        return [not value, None]
    if isinstance(value, int):
        return [
            value + 1,
            *([value - 1] if value else []),
            value + (1 << 32),
            str(value),
            float(value),
            None,
        ]
    if isinstance(value, bytes):
        flipped = [bytes([*value[:at], value[at] ^ 1, *value[at + 1 :]]) for at in _ends(value)]
        return [*flipped, value[:-1] or b"\0", value + b"\0", None]
    if isinstance(value, str):
        return [*_valid(value), value + "0", value[:-1] or "0", "", 7, None]
    if isinstance(value, list) and value:
        return [value[::-1]] * (value != value[::-1]) + [[*value, value[0]], [], None]
    return [7, "x"] if value is None else [None]


def _ends(value: bytes) -> list[int]:
    return sorted({0, len(value) // 2, len(value) - 1}) if value else []


def _valid(text: str) -> Iterator[str]:
    """Texts of the same form that say something else, so that form alone refuses nothing."""
    for words in WORDS:
        if text in words:
            yield from (one for one in words if one != text)
    if ADDRESS.fullmatch(text):
        yield address_text(bytes([*bytes.fromhex(text[2:])[:-1], 7]))
    elif HEX.fullmatch(text):
        start = 2 * text.startswith("0x")
        for at in {start, start + (len(text) - start) // 2, len(text) - 1}:
            yield text[:at] + ("0" if text[at] != "0" else "1") + text[at + 1 :]
    elif numbers := _reasons(text):
        for at in range(len(numbers)):
            yield reasons_to_text(
                numbers[:at] + bytes([numbers[at] % len(REASONS) + 1]) + numbers[at + 1 :]
            )
        yield reasons_to_text(numbers[::-1])
        yield reasons_to_text(number_reasons([Reason.GRANTED]) * len(numbers))
    elif text.isdecimal():
        yield str(int(text) + 1)


def _reasons(text: str) -> bytes:
    for rows in range(1, MOST_ROWS):
        try:
            return reasons_from_text(text, rows)
        except Malformed:
            continue
    return b""
