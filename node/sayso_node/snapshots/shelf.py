"""Keeps the published snapshot files: the current snapshot with its deltas, and the series before it.

A file is written under another name, flushed and renamed, so that a download never gets half a file; it
never changes afterwards. The previous series stays, so that long downloads can finish.
"""

import os
from dataclasses import dataclass
from pathlib import Path

from sayso_protocol.snapshots.head import Link, SnapshotHead
from sayso_protocol.snapshots.part import Part

_PARTIAL = ".part"
_ENDINGS = (".snapshot", ".delta", _PARTIAL)


@dataclass(frozen=True)
class Published:
    """A file for download.

    Attributes:
        path: Path of the file; its name is unique and contains its time.
        head: The signed head.
        size: Bytes.
    """

    path: Path
    head: SnapshotHead
    size: int

    @property
    def number(self) -> int:
        """0 for a snapshot, otherwise the number of the delta."""
        return self.head.form.number if isinstance(self.head.form, Link) else 0


class SnapshotShelf:
    """The files for download."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder
        self._before: set[str] = set()
        self.chain: tuple[Published, ...] = ()

    def open(self) -> None:
        """Create the folder; files of an earlier run stay until the second snapshot."""
        self._folder.mkdir(exist_ok=True)
        self._before = {one.name for one in self._folder.iterdir() if one.suffix in _ENDINGS[:2]}

    def add(self, part: Part) -> Published:
        """Write a file; a snapshot starts a new series. Blocking. Raises OSError."""
        ending = ".delta" if isinstance(part.head.form, Link) else ".snapshot"
        name = f"{part.head.moment.time}-{part.head.id[:8].hex()}{ending}"
        path, partial = self._folder / name, self._folder / (name + _PARTIAL)
        data = part.data
        with partial.open("wb") as file:
            file.write(data)
            file.flush()
            os.fsync(file.fileno())
        partial.rename(path)
        published = Published(path, part.head, len(data))
        if isinstance(part.head.form, Link):
            self.chain = (*self.chain, published)
            return published
        gone = self._before
        self._before = {one.path.name for one in self.chain} or self._before
        self.chain = (published,)
        self._clean(gone - self._before - {name})
        return published

    def find(self, name: str) -> Path | None:
        """Return the file with this name, of the current series or the one before."""
        names = {one.path.name for one in self.chain} | self._before
        return self._folder / name if name in names else None

    def _clean(self, names: set[str]) -> None:
        for name in names:
            (self._folder / name).unlink(missing_ok=True)
        for partial in self._folder.glob(f"*{_PARTIAL}"):
            partial.unlink(missing_ok=True)
