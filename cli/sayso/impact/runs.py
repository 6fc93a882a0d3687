"""Runs in a folder of records: what `sayso check --out --receipt --rejected` left, one folder for each.

A folder with a record or receipt is a run. Its data is the file or folder beside it that has as many
rows as the record calls granted; or as many as were judged, with the rejected rows beside it. What
cannot be told apart is an error, because a run that is left out would hide what a revocation touches.
Data sets as marketplaces deliver them are data, too, in each of their forms.
"""

import os
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from sayso.errors import BadManifest, BadRecords, BytesDiffer, NotOfRun
from sayso.files import opening, reading
from sayso.gate.formats.base import OR_REJECT, Columns
from sayso.gate.formats.opening import open_source
from sayso.gate.formats.published import form_of
from sayso.gate.records.receipts import REFUSING_REASONS, granted_rows, read_json
from sayso.gate.records.record import RECORD_TYPE, record_from_json
from sayso.holder.checked_runs import RECORD_BYTES
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Malformed, SaysoError
from sayso_protocol.primitives import address_from_text
from sayso_protocol.receipts.text import receipt_from_json
from sayso_protocol.verdicts.verdict import Reason

BATCH_ROWS: Final = 1 << 16
FIRST_LINE_BYTES: Final = 1 << 16
_TYPE: Final = re.compile(rb'\s*\{\s*"type"\s*:\s*"sayso-')
_OTHER: Final = frozenset({".json", ".html", ".xml"})


@dataclass(frozen=True)
class Run:
    """Run is a check whose granted rows were used.

    Attributes:
        folder: The folder, relative to that of all records.
        name: The id of the run, or the folder if it has none.
        data: The data set, relative to that of all records; empty if no row was granted.
        grantee: Who asked, 20 bytes.
        purpose: The purpose of the check.
        rows: The granted rows, joined.
    """

    folder: str
    name: str
    data: str
    grantee: bytes
    purpose: str
    rows: bytes


@dataclass(frozen=True)
class _Asked:
    run_id: str
    grantee: bytes
    purpose: str
    judged: int
    granted: int


def find_runs(folder: Path, columns: Columns) -> Iterator[Run]:
    """Yield the runs below a folder, in the order of their names.

    Raises:
        BadRecords: It is unclear which file is the data of a run, or there is no record at all.
        NotOfRun: A file or folder beside a record cannot be read as data.
        FileUnreadable: A file cannot be read.
    """
    found = False
    for place in _places(folder):
        for record in _records(place):
            asked = _asked(record)
            if asked is not None:
                found = True
                yield _run(folder, place, asked, columns)
    if not found:
        raise BadRecords(f"{str(folder)!r} has no record or receipt of a check")


def _places(folder: Path) -> list[Path]:
    """Return the folders in which records may lie: not those of delivered data sets."""
    found = list[Path]()
    with reading(folder):
        seen = set[Path]()
        for place, below, _ in os.walk(folder, onerror=_raise, followlinks=True):
            real = Path(place).resolve()
            if real in seen or _is_delivered(Path(place)):  # links may lead around in circles
                below.clear()
            else:
                found.append(Path(place))
            below.sort()
            seen.add(real)
    return sorted(found)


def _records(folder: Path) -> list[Path]:
    """Return the files that may be records, whatever people called them."""
    files = (one for one in folder.iterdir() if one.is_file())
    return sorted(one for one in files if one.suffix.lower() == ".json" or _begins_as_record(one))


def _begins_as_record(path: Path) -> bool:
    with reading(path), path.open("rb") as file:
        return _TYPE.match(file.read(FIRST_LINE_BYTES)) is not None


def _is_delivered(folder: Path) -> bool:
    try:
        return form_of(folder) is not None
    except BadManifest as error:
        raise NotOfRun(str(error)) from error


def _raise(error: OSError) -> None:
    raise error


def _asked(path: Path) -> _Asked | None:
    """Return what a file records; None for other JSON."""
    value = read_json(path, RECORD_BYTES)
    granted = Reason.GRANTED.value
    if isinstance(value, dict) and value.get("type") == RECORD_TYPE:
        one = record_from_json(value)
        who = address_from_text(one.grantee)
        return _Asked(one.run_id, who, one.purpose, one.manifest.rows, one.counts.get(granted, 0))
    try:
        receipt = receipt_from_json(value).statement
    except Malformed:
        return None
    counts = dict(receipt.counts)
    return _Asked(receipt.run_id, receipt.grantee, receipt.purpose, receipt.rows, counts.get(granted, 0))


def _run(top: Path, place: Path, asked: _Asked, columns: Columns) -> Run:
    folder = str(place.relative_to(top))
    data, rows = _data(place, asked, columns)
    named = str(data.relative_to(top)) if data else ""
    return Run(folder, asked.run_id or folder, named, asked.grantee, asked.purpose, rows)


def _data(place: Path, asked: _Asked, columns: Columns) -> tuple[Path | None, bytes]:
    if not asked.granted:
        return None, b""
    with reading(place):
        entries = sorted(one for one in place.iterdir() if not one.name.startswith("."))
    records = _records(place)
    files = [one for one in entries if one.suffix.lower() not in _OTHER and one not in records]
    rejected = [one for one in files if one.is_file() and _is_rejected(one)]
    found = list[tuple[Path, bytes]]()
    for one in files:
        if one in rejected or (one.is_dir() and _has_record(one)):
            continue
        rows = _rows(one, columns)
        if len(rows) == asked.granted * ROW_BYTES:
            found.append((one, rows))
        elif len(rows) == asked.judged * ROW_BYTES and len(rejected) == 1:
            granted = granted_rows(one, rejected[0], columns)
            found.append((one, b"".join(some.tobytes() for some in granted)))
    if len(found) != 1:
        many = "no" if not found else "more than one"
        raise BadRecords(f"{str(place)!r} has {many} data of the {asked.granted:,} rows it clears")
    return found[0]


def _rows(path: Path, columns: Columns) -> bytes:
    """Return the rows of a file or folder; raises NotOfRun if it is not a manifest."""
    try:
        return b"".join(batch.rows for batch in open_source(path, columns).batches(BATCH_ROWS))
    except (BadManifest, BytesDiffer) as error:
        why = str(error).removesuffix(OR_REJECT)
        raise NotOfRun(
            f"{str(path)!r} lies beside the record of a run, but cannot be read as data: {why}"
        ) from error


def _has_record(folder: Path) -> bool:
    return any(_asked(one) is not None for one in _records(folder))


def _is_rejected(path: Path) -> bool:
    """Return whether a file holds rejected rows: its first line gives a reason."""
    with opening(path) as file:
        line = file.readline(FIRST_LINE_BYTES)
    try:
        value: Any = parse_json(line)
    except SaysoError:
        return False
    return isinstance(value, dict) and value.get("reason") in REFUSING_REASONS
