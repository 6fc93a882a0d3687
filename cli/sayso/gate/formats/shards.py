"""A folder with many files of one format as one manifest, kept under the same names."""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sayso.gate.formats.base import Batch, Source, Stamp, Writer
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs, StagedFile, output_errors


class Shards:
    """Shards reads several sources of one format, one after the other."""

    def __init__(self, path: Path, files: Sequence[Path], open_one: Callable[[Path], Source]) -> None:
        self.path = path
        self._files = files
        self._open = open_one
        sources = [open_one(one) for one in files]
        self._stamps = [Stamp.of(one) for one in files]
        first = sources[0]
        self.name, self.line_name, unit = first.name, "row", first.size[1]
        total = sum(one.size[0] for one in sources)
        self.size = (total, unit)
        self._first = first

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows, file by file; raises the errors of its sources."""
        for part, path in enumerate(self._files):
            for batch in self._open(path).batches(most):
                yield replace(batch, part=part)

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if a file has changed."""
        for stamp in self._stamps:
            stamp.check()

    def progress(self, batch: Batch) -> int:
        """Return the progress of a batch, in the unit of the files."""
        return self._first.progress(batch)

    def places(self, batch: Batch, first: int) -> range:
        """Return the numbers of the rows, from 1."""
        return range(first + 1, first + len(batch) + 1)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the file's fields of a row, with the file and the row's number."""
        fields = self._first.describe(batch, at, number)  # any file gives the same for this batch
        fields.pop("line", None)
        return {**fields, "row": number, "shard": str(self._files[batch.part].relative_to(self.path))}

    def writer(self, outputs: Outputs, path: Path) -> "ShardWriter":
        """Open a folder with a file for each source."""
        names = [one.relative_to(self.path) for one in self._files]
        return ShardWriter(outputs.folder(path).part, names, self._files, self._open)


class _Within:
    """The outputs inside a staged folder."""

    def __init__(self) -> None:
        self.opened: list[StagedFile] = []

    def open(self, path: Path, mode: int = 0o644) -> StagedFile:
        self.opened.append(file := StagedFile(path, mode))
        return file


class ShardWriter:
    """ShardWriter writes the files one after the other."""

    def __init__(
        self,
        folder: Path,
        names: Sequence[Path],
        files: Sequence[Path],
        open_one: Callable[[Path], Source],
    ) -> None:
        self._folder, self._names, self._files, self._open = folder, names, files, open_one
        self._next = 0
        self._writer: Writer | None = None
        self._staged = _Within()

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows of a batch to the file of its part; raises OutputFailed."""
        self._begin(batch.part)
        assert self._writer  # noqa: S101 - opened one line above
        self._writer.write(batch, clear)

    def _begin(self, part: int) -> None:
        """Complete the previous files, also those without rows."""
        while self._next <= part:
            self._end()
            place = self._folder / self._names[self._next]
            with output_errors(place):
                place.parent.mkdir(parents=True, exist_ok=True)
            staged: Any = self._staged
            self._writer = self._open(self._files[self._next]).writer(staged, place)
            self._next += 1

    def _end(self) -> None:
        if self._writer:
            self._writer.close()
        for file in self._staged.opened:
            file.finish()
            file.move()
        self._staged.opened.clear()

    def close(self) -> None:
        """Complete the last file; raises OutputFailed."""
        self._begin(len(self._files) - 1)
        self._end()
