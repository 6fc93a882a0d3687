"""Media without a manifest: a folder of files.

The hash of a file is its item, and the bundle gives the license, preferring one that allows the use. A
file that no consent of the bundle names is `unknown`. Symbolic links are never followed. Files that are
about the data, and hidden files, are no rows; the notes of the source say what is left out.
"""

import os
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any, Final

from sayso.errors import ManifestChanged
from sayso.files import find_files, item_hash
from sayso.gate.formats.base import Batch, FindLicense, Source
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs, StagedFolder
from sayso_protocol.primitives import HASH_BYTES

NO_LICENSE: Final = bytes(HASH_BYTES)
FILES_AT_ONCE: Final = 4_096
# Files about the data, by the name without its ending, in lower case.
ABOUT: Final = frozenset({"readme", "license", "licence", "changelog", "citation", "notice", "authors"})
_ABOUT_NAMES: Final = frozenset({"thumbs.db", "desktop.ini", "dataset_infos.json", "dataset_info.json"})


def is_about(name: str) -> bool:
    """Return whether a file is hidden, or is about the data, by its name."""
    lower = name.lower()
    return lower.startswith(".") or lower in _ABOUT_NAMES or lower.partition(".")[0] in ABOUT


def left_out(paths: Sequence[Path], root: Path, why: str) -> list[str]:
    """Return a note about files that are not read, or an empty list."""
    if not paths:
        return []
    names = ", ".join(repr(os.path.relpath(one, root)) for one in paths[:5])
    more = f" and {len(paths) - 5:,} more" if len(paths) > 5 else ""
    return [f"left out, because {why}: {names}{more}"]


class MediaFolder(Source):
    """MediaFolder is every file below a folder, in the order of the names' bytes."""

    name = "folder"

    def __init__(self, path: Path, find: FindLicense) -> None:
        self._find = find
        self._files, about, links = self._found(path)
        super().__init__(path, self._files)
        self.notes += left_out(about, path, "they are hidden or about the data")
        self.notes += left_out(links, path, "links are not followed")

    @staticmethod
    def _found(path: Path) -> tuple[list[Path], list[Path], list[Path]]:
        found = find_files([path])
        files, about, above = list[Path](), list[Path](), len(path.parts)
        for one in found.files:
            hidden = any(part.startswith(".") for part in one.parts[above:])
            (about if hidden or is_about(one.name) else files).append(one)
        return files, about, list(found.skipped)

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield one row for each file; raises FileUnreadable."""
        step = min(most, FILES_AT_ONCE)
        for start in range(0, len(self._files), step):
            numbers = range(start, min(start + step, len(self._files)))
            items = [item_hash(self._files[at]) for at in numbers]
            rows = b"".join([(self._find(item) or NO_LICENSE) + item for item in items])
            yield Batch(rows, numbers, sum(self._stamps[at].size for at in numbers))

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if a file has changed or was added."""
        if self._found(self.path)[0] != self._files:
            raise ManifestChanged(f"the files in {str(self.path)!r} changed while they were checked")
        super().check_unchanged()

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the hashes and the file."""
        return {**super().describe(batch, at, number), "file": str(self._files[batch.content[at]])}

    def writer(self, outputs: Outputs, path: Path) -> "FolderWriter":
        """Open a folder for files of the same names."""
        return FolderWriter(outputs.folder(path), self)

    def place(self, at: int, folder: StagedFolder) -> None:
        """Link or copy a file into a folder; raises OutputFailed, ManifestChanged."""
        folder.take(self._files[at], self._files[at].relative_to(self.path))
        self._stamps[at].check()


class FolderWriter:
    """FolderWriter links or copies clear files to their place."""

    def __init__(self, folder: StagedFolder, source: MediaFolder) -> None:
        self._folder, self._source = folder, source

    def write(self, batch: Batch, clear: Flags) -> None:
        """Place the clear files of a batch; raises OutputFailed, ManifestChanged."""
        for at, is_clear in zip(batch.content, clear.tolist(), strict=True):
            if is_clear:
                self._source.place(at, self._folder)

    def close(self) -> None:
        """Nothing is left to do."""
