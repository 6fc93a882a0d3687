"""Media without a manifest: a folder of files.

The hash of a file is its item, and the bundle gives the license, preferring one that allows the use. A
file that no consent of the bundle names is `unknown`. Symbolic links are never followed.
"""

import os
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final

from sayso.errors import ManifestChanged
from sayso.files import find_files, item_hash
from sayso.gate.formats.base import Batch, FindLicense, Stamp
from sayso.gate.formats.lines import named
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs, output_errors
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.primitives import HASH_BYTES

NO_LICENSE: Final = bytes(HASH_BYTES)
FILES_AT_ONCE: Final = 4_096


class Counted:
    """The common part of formats that count rows instead of lines."""

    line_name = "row"

    def places(self, batch: Batch, first: int) -> range:
        """Return the numbers of the rows, from 1."""
        return range(first + 1, first + len(batch) + 1)


class MediaFolder(Counted):
    """MediaFolder is every file below a folder, in the order of the names' bytes."""

    name = "folder"

    def __init__(self, path: Path, find: FindLicense) -> None:
        self.path = path
        self._find = find
        self._files = find_files([path]).files
        self._stamps = [Stamp.of(one) for one in self._files]
        self.size = (sum(one.seen[2] for one in self._stamps), "bytes")

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield one row for each file; raises FileUnreadable."""
        step = min(most, FILES_AT_ONCE)
        for start in range(0, len(self._files), step):
            numbers = range(start, min(start + step, len(self._files)))
            items = [item_hash(self._files[at]) for at in numbers]
            yield Batch(_rows(self._find, items), numbers)

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if a file has changed or was added."""
        if find_files([self.path]).files != self._files:
            raise ManifestChanged(f"the files in {str(self.path)!r} changed while they were checked")
        for stamp in self._stamps:
            stamp.check()

    def progress(self, batch: Batch) -> int:
        """Bytes."""
        return sum(self._stamps[at].seen[2] for at in batch.content)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the hashes and the file."""
        file = str(self._files[batch.content[at]])
        return {**named(batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]), "row": number, "file": file}

    def writer(self, outputs: Outputs, path: Path) -> "FolderWriter":
        """Open a folder for files of the same names."""
        return FolderWriter(outputs.folder(path).part, self.path, self._files, self._stamps)


class FolderWriter:
    """FolderWriter links or copies clear files to their place."""

    def __init__(self, part: Path, path: Path, files: tuple[Path, ...], stamps: list[Stamp]) -> None:
        self._part, self._path, self._files, self._stamps = part, path, files, stamps

    def write(self, batch: Batch, clear: Flags) -> None:
        """Place the clear files of a batch; raises OutputFailed, ManifestChanged."""
        for at, is_clear in zip(batch.content, clear.tolist(), strict=True):
            if is_clear:
                file = self._files[at]
                place = self._part / file.relative_to(self._path)
                with output_errors(place):
                    place.parent.mkdir(parents=True, exist_ok=True)
                    _place(file, place)
                self._stamps[at].check()  # the file did not change after it was hashed

    def close(self) -> None:
        """Nothing is left to do."""


def _place(file: Path, place: Path) -> None:
    try:
        os.link(file, place, follow_symlinks=False)
    except OSError:  # another disk, or a file system without hard links
        shutil.copy2(file, place, follow_symlinks=False)


def _rows(find: FindLicense, items: list[bytes]) -> bytes:
    return b"".join([(find(item) or NO_LICENSE) + item for item in items])
