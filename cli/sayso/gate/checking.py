"""A check of a manifest by a gate: of all rows, or of what is new since an earlier check.

A check since a record that does not serve is a full check, with a note that says why.
"""

import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, replace
from functools import partial
from pathlib import Path

from sayso.errors import ManifestChanged, NothingToAsk
from sayso.gate.contents import check_bytes
from sayso.gate.formats.base import Columns, Source
from sayso.gate.formats.opening import Manifest
from sayso.gate.judges.base import Judge, Judged
from sayso.gate.judges.offline import OfflineJudge, bundle_source, evidence_of, read_snapshots
from sayso.gate.licenses import HeldBundle, bundle_files
from sayso.gate.marks import index_of, mark_file
from sayso.gate.records.record import Record
from sayso.gate.resuming.judging import ResumedJudge, resumed
from sayso.gate.resuming.judging import meaning_of as asked_of
from sayso.gate.resuming.progress_file import ProgressFile, ProgressHeader
from sayso.gate.running import GateFiles, Indexing, Progress, Render, run, summarised
from sayso.gate.since.earlier import fitting_index, ids_of, meaning_of
from sayso.gate.since.index import Header, Index, IndexWriter, Meaning, Unfit
from sayso.gate.since.judging import Recheck, SinceJudge
from sayso.gate.since.keyed_marks import keyed_again, keyed_mark
from sayso.gate.since.secret import own_key
from sayso.gate.since.tables import tables_of
from sayso.gate.staging import staged
from sayso.outputs import clear
from sayso.places import refuse_inputs
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.receipts.question import Question


@dataclass(frozen=True)
class Checking:
    """Checking is what a check of one manifest needs of its gate.

    Attributes:
        trusted, question, columns: See Gate.
        snapshots, bundle: The files of an offline gate.
        judge: Returns the judge.
        renders: See run.
        progress: See run.
        open: Opens a manifest.
        inputs: The files that the gate reads beside the manifest.
        ending: The ending of standard input.
        bytes_column: The column whose bytes the items must be the hashes of, if any.
        asks: The nodes and the endpoint that are asked.
        run_id: The name of the run, if the user chose one.
        named: Gives the run another name, and returns the question with it.
        journal: Keeps the answers of a run that can go on; None for any other run.
        clock: Returns the seconds since the epoch.
    """

    trusted: NetworkFile
    question: Question
    columns: Columns
    snapshots: Sequence[Path]
    bundle: HeldBundle | None
    judge: Callable[[], Judge]
    renders: Mapping[str, Render]
    progress: Progress
    open: Callable[[Manifest], Source]
    inputs: Sequence[Path] = ()
    ending: str = ".jsonl"
    bytes_column: str | None = None
    asks: Sequence[str] = ()
    run_id: str | None = None
    named: Callable[[str], Question] | None = None
    journal: ProgressFile | None = None
    clock: Callable[[], float] = time.time

    def check(
        self,
        manifest: Manifest,
        files: GateFiles,
        begun: Callable[[int, str], object] | None = None,
        since: Path | None = None,
        resume: Path | None = None,
    ) -> Record:
        """Judge a manifest and write the outputs; see Gate.check."""
        with staged(manifest, self.ending) as found:
            before = [since, index_of(since)] if since else []
            inputs = [*found.paths, *self.inputs, *before]
            if resume:
                refuse_inputs([resume], [*inputs, *files.paths])
            clear(files.paths, inputs)
            source = self.open(found.paths)
            files.refuse_other_forms(source)
            if self.bytes_column:
                check_bytes(source, self.bytes_column)
            if begun:
                begun(*source.size)

            with self._resumed(resume) as (checking, notes):
                record = checking.check_source(source, found.name, files, since)
                if checking.journal:
                    checking.journal.finish()
                record.notes += notes
                return record

    @contextmanager
    def _resumed(self, resume: Path | None) -> Iterator[tuple["Checking", list[str]]]:
        """Yield this check as it goes on from a journal, and notes."""
        if resume is None:
            yield self, []
            return
        meaning, now = self._asked(), self.clock()
        with resumed(resume, meaning, self.run_id, now) as (journal, why):
            question, notes = self.question, list[str]()
            if journal.header and not why and self.named:
                question = self.named(journal.header.run_id)
            else:
                notes += [f"all rows are judged: {why}"] if why else []
                journal.begin(ProgressHeader(meaning, question.run_id, int(now)))
            yield replace(self, question=question, journal=journal), notes

    def _asked(self) -> bytes:
        """Return what the answers depend on, beside the rows."""
        bundle = bundle_files(self.bundle.path) if self.bundle else []
        marks = map(mark_file, [*self.snapshots, *bundle])
        return asked_of(self.trusted, self.question, [*self.asks, *marks])

    def check_source(self, source: Source, name: str, files: GateFiles, since: Path | None) -> Record:
        """Judge an open manifest of this name, and write the outputs; see Gate.check."""

        def new() -> Record:
            return Record(self.trusted.network, self.question, name, source.name)

        if files.with_index and not (files.receipt and self.snapshots):
            raise NothingToAsk("an index belongs to the receipt of an offline check")
        notes = list[str]()
        if since is not None:
            try:
                return self._check_since(source, new(), files, since)
            except Unfit as why:
                notes.append(f"all rows are judged, as after no check before: {why}")
        record = new()
        judge = self.judge()
        again: ResumedJudge | None = None
        if self.journal:
            again = ResumedJudge(judge, self.journal, self.trusted, self.question, self.clock)
        index: Indexing | None = None
        if files.index:
            assert isinstance(judge, OfflineJudge)  # noqa: S101 - indexes are of offline checks only
            index = Indexing(
                IndexWriter(files.index, own_key()), partial(_full_end, self, source, judge)
            )
            judge.note = index.writer.note
        run(source, again or judge, record, files, self.renders, self.progress, index)
        if isinstance(judge, OfflineJudge):
            judge.note = None
        if again and again.again:
            notes.append(f"{again.again:,} of {again.parts:,} parts were judged before, and not again")
        record.notes += notes
        return record

    def _check_since(self, source: Source, record: Record, files: GateFiles, since: Path) -> Record:
        if not self.snapshots or self.bundle is None:
            raise Unfit("only snapshots say what is new (--offline)")
        now, asked = int(self.clock()), self.question
        snapshots = read_snapshots(self.snapshots, self.trusted, now, asked.max_age_s)
        bundle, network = self.bundle.path, self.trusted.network
        index = fitting_index(since, self.meaning, source, bundle, snapshots, asked.query)
        recheck = Recheck(index, bundle, network, snapshots, asked, now)
        writer: Indexing | None = None
        if files.index:
            end = partial(_next_end, index, ids_of(snapshots.all))
            writer = Indexing(IndexWriter(files.index, own_key()), end)
        evidence = evidence_of(snapshots, index.header.evidence)
        judge = SinceJudge(recheck, evidence, writer.writer if writer else None)
        if files.kept or files.rejected:
            run(source, judge, record, files, self.renders, self.progress, writer)
        else:
            with summarised(judge, record, files, self.renders, writer):
                while part := judge.next():
                    numbers = part.block.numbers.tobytes()
                    record.add_rooted(part.root, Judged(numbers, time=now, until=part.until))
                source.check_unchanged()
                self.progress(source.size[0])
        record.notes.append(
            f"since {str(since)!r}, {judge.changed:,} of {record.rows:,} rows have another reason;"
            f" {judge.judged:,} were judged one by one"
        )
        return record

    @property
    def meaning(self) -> Meaning:
        """Return what fixes the contents of an index."""
        return meaning_of(self.trusted.network, self.question.query, self.columns)


def _full_end(
    checking: Checking, source: Source, judge: OfflineJudge, record: str
) -> tuple[Header, bytes]:
    """Return the end of a full check's index; raises FileUnreadable, ManifestChanged."""
    held, snapshots, key = checking.bundle, judge.snapshots.all, own_key()
    assert held  # noqa: S101 - an offline gate has one
    bundle = held.licenses()
    salts = [one.heads[0].salt for one in snapshots]
    tables = tables_of(bundle, salts, checking.question.query)
    manifest = [keyed_mark(one, key) for one in source.files]
    source.check_unchanged()  # so these marks are of what was judged
    if (marks := keyed_again(bundle_files(held.path), bundle.files, key)) is None:
        raise ManifestChanged(f"{str(held.path)!r} changed while it was checked")
    header = Header(
        meaning=checking.meaning,
        record=record,
        manifest=manifest,
        bundle=marks,
        snapshots=ids_of(snapshots),
        evidence=bundle_source(bundle),
        was_chosen=held.has_chosen,
        sizes=tables.sizes,
        tables="",
        blocks=[],
    )
    return header, tables.data


def _next_end(before: Index, snapshots: list[list[str]], record: str) -> tuple[Header, bytes]:
    """Return the end of the index of a check since another."""
    before.header.record, before.header.snapshots = record, snapshots
    return before.header, before.tables.data
