"""Many files of one format as one manifest, kept under the same names.

Files are opened one after the other, so their number is bounded by the disk only. A file whose rows are
all clear is kept as it is, byte for byte, if its format allows that.
"""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from sayso.errors import BadManifest
from sayso.gate.formats.base import Batch, End, Source, Writer
from sayso.gate.formats.endings import Form
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs, StagedFile, StagedFolder

Opener = Callable[[Path], Source]


class Shards(Source):
    """Shards reads several sources of one format, one after the other.

    Args:
        path: The folder, or what the user named.
        files: The files in order, each with its relative name in the output.
        open_one: Opens a source.
        beside: Relative names of files that are kept as they are -> their places.
    """

    def __init__(
        self,
        path: Path,
        files: Mapping[Path, Path],
        open_one: Opener,
        beside: Mapping[Path, Path] | None = None,
    ) -> None:
        self._names, self._files = list(files.values()), list(files)
        self._beside = dict(beside or {})
        if len(set(self._names)) < len(self._names):
            raise BadManifest("two of the manifests have the same name, so they cannot be kept together")
        super().__init__(path, [*self._files, *self._beside.values()])
        self._open = open_one
        self._now = (-1, open_one(self._files[0]))
        self.name, self.unwritten = self._now[1].name, self._now[1].unwritten

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows, file by file; raises the errors of its sources."""
        last = End("", frozenset())
        for part, path in enumerate(self._files):
            source = self._open(path)
            for batch in source.batches(most):
                self._now = (part, source)
                yield replace(batch, part=part)
            if source.ends:
                first, after = source.ends
                if first.name == last.name and not first.members & last.members:
                    raise BadManifest(
                        f"{str(path)!r} begins with the sample {last.name!r}, with which the file before"
                        " it ends; put all files of a sample into one archive"
                    )
                last = after
            self.notes += [one for one in source.notes if one not in self.notes]

    @property
    def form(self) -> Form:
        """Return the format of its files, whose compressions may differ."""
        return Form(self._now[1].form.format, None)

    def sources(self) -> Iterator[Source]:
        """Yield the source of each file."""
        yield from map(self._open, self._files)

    def _source(self, part: int) -> Source:
        """Return the source of a part, which `batches` may have left already."""
        if self._now[0] != part:
            self._now = (part, self._open(self._files[part]))
        return self._now[1]

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the file's fields of a row, with the file and the row's number."""
        fields = self._source(batch.part).describe(batch, at, number)
        fields.pop("line", None)
        return {**fields, "row": number, "shard": str(self._names[batch.part])}

    def writer(self, outputs: Outputs, path: Path) -> "ShardWriter":
        """Open a folder with a file for each source."""
        folder = outputs.folder(path)
        for name, place in self._beside.items():
            folder.take(place, name)
        return ShardWriter(folder, self._names, self._files, self._open, self.notes)


class _Within(Outputs):
    """_Within opens the outputs of one source inside a staged folder."""

    def __init__(self, folder: StagedFolder, name: Path) -> None:
        super().__init__()
        self._folder, self._name = folder, name
        self.opened: list[StagedFile] = []

    def open(self, path: Path, mode: int = 0o644) -> StagedFile:  # noqa: ARG002
        """Open the file of the source."""
        self.opened.append(file := self._folder.open(self._name, mode))
        return file


class ShardWriter:
    """ShardWriter writes the files one after the other."""

    def __init__(
        self,
        folder: StagedFolder,
        names: Sequence[Path],
        files: Sequence[Path],
        open_one: Opener,
        notes: list[str],
    ) -> None:
        self.folder, self._names, self._files, self._open = folder, names, files, open_one
        self._next, self._notes = 0, notes
        self._now: tuple[_Within, Source, Writer] | None = None

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows of a batch to the file of its part; raises OutputFailed."""
        self._begin(batch.part)
        assert self._now  # noqa: S101 - opened one line above
        self._now[2].write(batch, clear)

    def _begin(self, part: int) -> None:
        """Complete the previous files, also those without rows."""
        while self._next <= part:
            self._end()
            within = _Within(self.folder, self._names[self._next])
            source = self._open(self._files[self._next])
            place = self.folder.part / self._names[self._next]
            self._now = (within, source, source.writer(within, place))
            self._next += 1

    def _end(self) -> None:
        if self._now is None:
            return
        within, source, writer = self._now
        writer.close()
        for file in within.opened:
            file.finish()
        self._notes += [one for one in source.notes if one not in self._notes]
        self._now = None

    def close(self) -> None:
        """Complete the last file; raises OutputFailed."""
        self._begin(len(self._files) - 1)
        self._end()
