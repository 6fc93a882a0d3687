"""Standard output as the place of the kept rows: written when the check is complete, or not at all."""

import shutil
import sys
import tempfile
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager, nullcontext, redirect_stdout
from dataclasses import replace
from pathlib import Path
from typing import Final

from sayso.errors import OutputFailed
from sayso.gate.running import GateFiles
from sayso_protocol.redaction import reason_of

STDOUT: Final = Path("-")
STDIN_FORMATS: Final = ("jsonl", "csv", "tsv", "parquet", "arrow", "tar")
Output = Callable[[], AbstractContextManager[object]]


@contextmanager
def to_stdout(files: GateFiles) -> Iterator[tuple[GateFiles, Output]]:
    """Keep rows for standard output in a temporary file, and copy it at the end.

    Yields the files to write, and a context in which the result is printed: on standard error if
    standard output is for rows. Raises OutputFailed if it is closed, or does not take all rows.
    """
    if files.kept != STDOUT:
        yield files, nullcontext
        return
    if sys.stdout is None:
        raise OutputFailed("standard output is closed")
    with tempfile.TemporaryDirectory(prefix="sayso-") as name:
        kept = Path(name) / "kept"
        yield replace(files, kept=kept), lambda: redirect_stdout(sys.stderr)
        if kept.is_file():
            try:
                with kept.open("rb") as file:
                    shutil.copyfileobj(file, sys.stdout.buffer)
                sys.stdout.buffer.flush()
            except OSError as error:
                raise _undone(files, error) from error


def _undone(files: GateFiles, error: OSError) -> OutputFailed:
    """Remove the other outputs: a receipt is never beside rows that did not arrive."""
    for path in files.paths:
        if path != STDOUT:
            path.unlink(missing_ok=True)
    why = f"standard output did not take all rows: {reason_of(error)}"
    return OutputFailed(f"{why}; the other outputs were removed")
