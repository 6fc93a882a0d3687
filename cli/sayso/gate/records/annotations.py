"""Annotations for GitHub Actions: an error for each reason, and a table on the summary page.

They are workflow commands, `::error file=...,title=...::message`, with escaped separators. They are for
people, and the result does not depend on them.
"""

import sys
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path
from typing import Final

from sayso.gate.records.record import Record
from sayso_protocol.errors import SaysoError
from sayso_protocol.verdicts.verdict import Reason

SWITCH: Final = "GITHUB_ACTIONS"  # the runner sets both of them
SUMMARY: Final = "GITHUB_STEP_SUMMARY"
_TITLE: Final = "sayso check"
_IN_MESSAGE: Final = {"%": "%25", "\r": "%0D", "\n": "%0A"}
_IN_FIELD: Final = _IN_MESSAGE | {":": "%3A", ",": "%2C"}


def annotate(record: Record, environment: Mapping[str, str]) -> None:
    """Write an annotation for each reason of refused rows, if a runner is present."""
    if SWITCH not in environment:
        return
    for reason, rows in sorted(record.counts.items()):
        if reason != Reason.GRANTED:
            _say(record.manifest, f"{rows} of {record.rows} rows are not clear: {reason}")
    if summary := environment.get(SUMMARY):
        # The result is valid even if its summary cannot be written.
        with suppress(OSError), Path(summary).open("a", encoding="utf-8", errors="replace") as file:
            file.write(_table(record))


def annotate_error(manifest: Path, error: SaysoError, environment: Mapping[str, str]) -> None:
    """Write an annotation for an error, if a runner is present."""
    if SWITCH in environment:
        _say(str(manifest), f"error [{error.code}]: {error}")


def _say(manifest: str, message: str) -> None:
    file, title = _escaped(manifest, _IN_FIELD), _escaped(_TITLE, _IN_FIELD)
    text = f"::error file={file},title={title}::{_escaped(message, _IN_MESSAGE)}\n"
    sys.stderr.write(text.encode("utf-8", "replace").decode())


def _escaped(text: str, escapes: Mapping[str, str]) -> str:
    return "".join(escapes.get(one, one) for one in text)


def _table(record: Record) -> str:
    name = "".join(one if one.isprintable() and one != "`" else "'" for one in record.manifest)
    head = f"### sayso check: `{name}` for {record.question.query.purpose}\n\n| rows | reason |\n"
    rows = "".join(f"| {rows:,} | {reason} |\n" for reason, rows in sorted(record.counts.items()))
    signers = ", ".join(
        "".join(one if one.isalnum() else " " for one in who) for who in record.evidence.signers
    )
    return f"{head}|---:|---|\n{rows}\n{f'Signed by {signers}.' if signers else ''}\n"
