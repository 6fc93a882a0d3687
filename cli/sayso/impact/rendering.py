"""The ledger as text, JSON and CSV."""

import csv
import io
from collections import Counter
from collections.abc import Iterator, Sequence
from datetime import UTC, datetime
from typing import Any, Final

from msgspec import to_builtins
from msgspec.structs import fields

from sayso.impact.ledger import Request

_TIMES: Final = frozenset({"revoked", "due"})
# With one of these in front, a spreadsheet takes a text for a formula.
_FORMULA: Final = ("=", "+", "-", "@", "\t", "\r")


def json_of(entries: Sequence[Request]) -> dict[str, Any]:
    """Return the ledger as JSON; times are ISO 8601."""
    return {"type": "sayso-impact-1", "entries": [_json(one) for one in entries]}


def _json(one: Request) -> dict[str, Any]:
    value: dict[str, Any] = to_builtins(one)
    return value | {name: _time(value[name]) or None for name in _TIMES}


def as_csv(entries: Sequence[Request]) -> str:
    """Return the ledger as CSV (RFC 4180), which a spreadsheet reads as text."""
    file = io.StringIO()
    names = [one.name for one in fields(Request)]
    writer = csv.writer(file)
    writer.writerow(names)
    for one in entries:
        writer.writerow([_cell(name, getattr(one, name)) for name in names])
    return file.getvalue()


def _cell(name: str, value: Any) -> str:
    if name in _TIMES:
        return _time(value)
    if isinstance(value, bool):
        return "yes" if value else "no"
    text = "; ".join(value) if isinstance(value, list) else str(value)
    return "'" + text if text.startswith(_FORMULA) else text


def _time(seconds: int | None) -> str:
    if seconds is None:
        return ""
    return datetime.fromtimestamp(seconds, UTC).strftime("%Y-%m-%dT%H:%M:%SZ")


def as_text(entries: Sequence[Request]) -> Iterator[str]:
    """Yield the lines for people."""
    counts = Counter(one.status for one in entries)
    late = sum(one.late for one in entries)
    summary = ", ".join(f"{count:,} {status}" for status, count in sorted(counts.items()))
    yield f"{_several(len(entries), 'request')}: {summary}" if entries else "nothing is touched"
    if late:
        yield f"{late:,} late"
    for one in entries:
        yield ""
        if not one.license:
            yield f"{one.contributor} revoked; nothing of theirs is in the records"
            continue
        yield f"license {one.license} of {one.contributor}"
        items, purposes = _several(one.items, "item"), ", ".join(one.purposes)
        yield f"  revoked {_time(one.revoked)} for {purposes}: {items}"
        yield f"  in {', '.join(one.data_sets)}, used by {', '.join(one.runs)}"
        if one.customers:
            yield f"  passed on to {', '.join(one.customers)}"
        yield f"  {one.status}{': ' + one.outcome if one.outcome else ''}{_owed(one)}"


def _several(count: int, noun: str) -> str:
    return f"{count:,} {noun}" + ("" if count == 1 else "s")


def _owed(one: Request) -> str:
    if one.note:
        return f", because {one.note}"
    if one.removal:
        return f", by removal {one.removal}"
    if one.due is None:
        return ""
    return f", removal due {_time(one.due)}" + (", late" if one.late else "")
