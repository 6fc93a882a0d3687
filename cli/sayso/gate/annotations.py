"""A run as annotations of GitHub Actions: an error for each reason, and a table on the summary page."""

import sys
from pathlib import Path
from typing import Final

from sayso.gate.records import Record
from sayso_protocol.verdict import Reason

_ESCAPES: Final = {"%": "%25", "\r": "%0D", "\n": "%0A", ":": "%3A", ",": "%2C"}


def annotate(record: Record, summary: str | None) -> None:
    """Write workflow commands to standard error, and the table to the file that the runner names."""
    for reason, rows in sorted(record.counts.items()):
        if reason != Reason.GRANTED:
            text = f"{rows} of {record.rows} rows are not clear: {reason}"
            sys.stderr.write(f"::error file={_escaped(record.manifest)},title=sayso check::{text}\n")
    if summary:
        with Path(summary).open("a", encoding="utf-8") as file:
            file.write(_table(record))


def _escaped(text: str) -> str:
    return "".join(_ESCAPES.get(one, one) for one in text)


def _table(record: Record) -> str:
    name = record.manifest.replace("`", "'").replace("\n", " ")
    head = f"### sayso check: `{name}` for {record.asked.query.purpose}\n\n| rows | reason |\n"
    rows = "".join(f"| {rows:,} | {reason} |\n" for reason, rows in sorted(record.counts.items()))
    return f"{head}|---|---|\n{rows}\n"
