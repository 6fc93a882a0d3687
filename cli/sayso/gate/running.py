"""A run: every row of a manifest past the judge, the clear ones kept, all files or none.

Reading the next batch, judging this one and writing the last go on at the same time; nothing is ever
written that was not judged before, and the files appear when all rows have passed.
"""

import json
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import TypeVar

import numpy as np

from sayso.errors import BadManifest
from sayso.gate.formats.base import Batch, Source, Writer
from sayso.gate.formats.json_rows import row_line
from sayso.gate.judges.base import Judge
from sayso.gate.judges.verdicts import Verdicts
from sayso.gate.records.record import Record
from sayso.outputs import Outputs, StagedFile
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import REASONS

T = TypeVar("T")
Progress = Callable[[int], object]  # so much more of the source's size is done


@dataclass(frozen=True)
class GateFiles:
    """Where results go; None leaves one out.

    Attributes:
        kept: The clear rows, in the form of the manifest; a folder for a folder.
        rejected: The other rows with their reasons, as JSON Lines.
        receipt: What proves the run: the node's receipt, or the record of all parts.
        report: The same for people, as HTML.
        junit: The same for a pipeline, as JUnit XML.
    """

    kept: Path | None = None
    rejected: Path | None = None
    receipt: Path | None = None
    report: Path | None = None
    junit: Path | None = None

    @property
    def paths(self) -> list[Path]:
        """Those that are wanted."""
        every = (self.kept, self.rejected, self.receipt, self.report, self.junit)
        return [path for path in every if path is not None]


Render = Callable[[Record], bytes]


def run(
    source: Source,
    judge: Judge,
    record: Record,
    files: GateFiles,
    renders: Mapping[str, Render],
    progress: Progress = lambda _done: None,
) -> None:
    """Judge every row and write the files.

    Args:
        source: The manifest.
        judge: Who answers.
        record: Is filled with what was answered.
        files: What to write.
        progress: Told how much more of the source's size is done.
        renders: How `report` and `junit` are made of the record.

    Raises:
        BadManifest: There are no rows. And what source, judge and outputs raise.
    """
    with Outputs() as outputs:
        # Moved into place in this order: the kept rows, that a training run looks for, come last.
        told = {
            name: outputs.open(path)
            for name in ("receipt", "report", "junit")
            if (path := getattr(files, name))
        }
        rejected = outputs.open(files.rejected) if files.rejected else None
        kept = source.writer(outputs, files.kept) if files.kept else None
        _judge_all(source, judge, record, _Sinks(kept, rejected), progress)
        if not record.parts:
            raise BadManifest(f"{str(source.path)!r} has no rows")
        record.evidence = judge.evidence()
        for name, file in told.items():
            file.write(_receipt(record) if name == "receipt" else renders[name](record))
        outputs.commit()


def _receipt(record: Record) -> bytes:
    single = record.single_receipt()
    value = receipt_to_json(single) if single else record.to_json()
    return json.dumps(value, indent=2).encode() + b"\n"


@dataclass
class _Sinks:
    """Where the rows of a batch go."""

    kept: Writer | None
    rejected: StagedFile | None

    def write(self, source: Source, batch: Batch, verdicts: Verdicts, first: int) -> None:
        clear = verdicts.clear
        if self.rejected:
            for at in np.flatnonzero(~clear).tolist():
                told = source.describe(batch, at, first + at + 1)
                reason = REASONS[int(verdicts.numbers[at])].value
                self.rejected.write(row_line({**told, "reason": reason}))
        if self.kept:
            self.kept.write(batch, clear)


def _judge_all(source: Source, judge: Judge, record: Record, sinks: _Sinks, progress: Progress) -> None:
    with _behind() as write, _ahead(source.batches(judge.part_rows)) as batches:
        for batch in batches:
            judged = judge.judge(batch.rows)
            first = record.rows
            record.add(batch.rows, judged)
            write(lambda b=batch, j=judged, f=first: sinks.write(source, b, Verdicts(j.numbers), f))  # type: ignore[misc]
            progress(source.progress(batch))
    if sinks.kept:
        sinks.kept.close()  # which may read the data once more
    source.check_unchanged()


@contextmanager
def _ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Read one item ahead, in a thread."""
    with ThreadPoolExecutor(1) as reader:

        def stream() -> Iterator[T]:
            future = reader.submit(next, items, None)
            while (item := future.result()) is not None:
                future = reader.submit(next, items, None)
                yield item

        yield stream()


@contextmanager
def _behind() -> Iterator[Callable[[Callable[[], None]], None]]:
    """Write one thing at a time, in a thread; what fails is raised by the next call, or at the end."""
    last: list[Future[None]] = []
    with ThreadPoolExecutor(1) as writer:

        def submit(work: Callable[[], None]) -> None:
            while last:
                last.pop().result()
            last.append(writer.submit(work))

        yield submit
        while last:
            last.pop().result()
