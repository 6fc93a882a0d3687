"""A run: it judges every row of a manifest, keeps the clear rows, and writes all files or none.

The run reads the next batch, judges the current one and writes the previous one at the same time. It
writes only judged rows, and the files appear when all rows are judged.
"""

import json
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import NamedTuple, TypeVar

import numpy as np

from sayso.errors import BadManifest
from sayso.gate.formats.base import Batch, Source, Writer
from sayso.gate.formats.endings import JSON_LINES, Form, refuse_other
from sayso.gate.formats.json_rows import row_line
from sayso.gate.judges.base import Judge
from sayso.gate.judges.verdicts import Verdicts
from sayso.gate.marks import index_of
from sayso.gate.records.record import Record
from sayso.gate.since.index import Header, IndexWriter
from sayso.outputs import Outputs, StagedFile
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.text import receipt_to_json
from sayso_protocol.verdicts.verdict import REASONS

T = TypeVar("T")
Progress = Callable[[int], object]  # the amount of the source's size that is newly done


@dataclass(frozen=True)
class GateFiles:
    """GateFiles names the output files of a run; None omits a file.

    Attributes:
        kept: The clear rows, in the format of the manifest; a folder for a folder.
        rejected: The other rows with their reasons, as JSON Lines.
        receipt: The proof of the run: the node's receipt, or the record of all parts.
        report: The result for people, as HTML.
        junit: The result for a pipeline, as JUnit XML.
        with_index: Whether an index for `since` is written beside the receipt.
    """

    kept: Path | None = None
    rejected: Path | None = None
    receipt: Path | None = None
    report: Path | None = None
    junit: Path | None = None
    with_index: bool = False

    @property
    def index(self) -> Path | None:
        """Return the place of the index, or None."""
        return index_of(self.receipt) if self.with_index and self.receipt else None

    @property
    def paths(self) -> list[Path]:
        """Return the paths that are not None."""
        every = (self.kept, self.rejected, self.receipt, self.report, self.junit, self.index)
        return [path for path in every if path is not None]

    def refuse_other_forms(self, source: Source) -> None:
        """Raise OtherFormat if a name says another form than the output of this manifest has."""
        if self.kept:
            refuse_other(self.kept, source.form, source.path)
        if self.rejected:
            refuse_other(self.rejected, JSON_LINES)
        for path, what in ((self.receipt, "json"), (self.report, "html"), (self.junit, "xml")):
            if path:
                refuse_other(path, Form(what, ""))


Render = Callable[[Record], bytes]


class Indexing(NamedTuple):
    """Indexing writes an index beside the receipt: its file, and what stands at the end of that.

    Attributes:
        writer: The file.
        end: Returns header and tables for the SHA-256 of the receipt, hexadecimal.
    """

    writer: IndexWriter
    end: Callable[[str], tuple[Header, bytes]]


@contextmanager
def summarised(
    judge: Judge,
    record: Record,
    files: GateFiles,
    renders: Mapping[str, Render],
    index: Indexing | None = None,
) -> Iterator[Outputs]:
    """Write the files about the record once its rows are judged; yields the outputs for the others."""
    with Outputs() as outputs:
        # Outputs move into place in this order; the kept rows, which training reads, come last.
        summaries = {
            name: outputs.open(path)
            for name in ("receipt", "report", "junit")
            if (path := getattr(files, name))
        }
        if index:
            index.writer.open(outputs)
        yield outputs
        record.evidence = judge.evidence()
        receipt = _receipt(record) if files.receipt else b""
        for name, file in summaries.items():
            file.write(receipt if name == "receipt" else renders[name](record))
        if index:
            index.writer.finish(*index.end(sha256(receipt).hex()))
        outputs.commit()


def run(
    source: Source,
    judge: Judge,
    record: Record,
    files: GateFiles,
    renders: Mapping[str, Render],
    progress: Progress = lambda _done: None,
    index: Indexing | None = None,
) -> None:
    """Judge every row and write the files.

    Args:
        source: The manifest.
        judge: The judge of the rows.
        record: The record, to which the run adds each part.
        files: The output files.
        progress: Called with the amount of the source's size that is newly done.
        renders: The functions that render `report` and `junit` from the record.
        index: Writes the index, if one is wanted.

    Raises:
        BadManifest: There are no rows. See source, judge and outputs for other errors.
    """
    with summarised(judge, record, files, renders, index) as outputs:
        rejected = outputs.open(files.rejected) if files.rejected else None
        kept = source.writer(outputs, files.kept) if files.kept else None
        _judge_all(source, judge, record, _Sinks(kept, rejected), progress)
        if not record.parts:
            raise BadManifest(f"{str(source.path)!r} has no rows")


def _receipt(record: Record) -> bytes:
    single = record.single_receipt()
    value = receipt_to_json(single) if single else record.to_json()
    return json.dumps(value, indent=2).encode() + b"\n"


@dataclass
class _Sinks:
    """_Sinks writes the rows of a batch to the kept and the rejected rows."""

    kept: Writer | None
    rejected: StagedFile | None

    def write(self, source: Source, batch: Batch, verdicts: Verdicts, first: int) -> None:
        clear = verdicts.clear
        if self.rejected:
            for at in np.flatnonzero(~clear).tolist():
                fields = source.describe(batch, at, first + at + 1)
                reason = REASONS[int(verdicts.numbers[at])].value
                self.rejected.write(row_line({**fields, "reason": reason}))
        if self.kept:
            self.kept.write(batch, clear)


def _judge_all(source: Source, judge: Judge, record: Record, sinks: _Sinks, progress: Progress) -> None:
    with _behind(source.unwritten) as write, _ahead(source.batches(judge.part_rows)) as batches:
        for batch in batches:
            judged = judge.judge(batch.rows)
            first = record.rows
            record.add(batch.rows, judged)

            def work(batch: Batch = batch, numbers: bytes = judged.numbers, first: int = first) -> None:
                sinks.write(source, batch, Verdicts(numbers), first)
                progress(batch.size)  # once it is written, which may take longest

            write(work)
    if sinks.kept:
        sinks.kept.close()  # close may read the data again
    source.check_unchanged()
    record.notes += source.notes


@contextmanager
def _ahead(items: Iterator[T]) -> Iterator[Iterator[T]]:
    """Read one batch ahead, in a thread."""
    with ThreadPoolExecutor(1) as reader:

        def stream() -> Iterator[T]:
            future = reader.submit(next, items, None)
            while (item := future.result()) is not None:
                future = reader.submit(next, items, None)
                yield item

        yield stream()


@contextmanager
def _behind(most: int) -> Iterator[Callable[[Callable[[], None]], None]]:
    """Write in a thread, one call after the other; a caller waits while `most` are unfinished.

    A later call, or the end, raises the first error.
    """
    calls = deque[Future[None]]()
    with ThreadPoolExecutor(1) as writer:

        def submit(work: Callable[[], None]) -> None:
            while len(calls) >= most:
                calls.popleft().result()
            calls.append(writer.submit(work))

        yield submit
        while calls:
            calls.popleft().result()
