"""The interface of formats: batches of rows with their origin, and a writer for the clear rows.

A row that has two readings, or names no license or no item, raises an error with its number, because a
manifest is judged completely or not at all.
"""

from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final, Protocol

from sayso.errors import BadManifest, FileUnreadable, ManifestChanged
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs

FindLicense = Callable[[bytes], bytes | None]  # item hash -> license hash
BATCH_BYTES: Final = 32 * 1024 * 1024  # approximate size of a batch in memory


@dataclass(frozen=True)
class Columns:
    """Columns states how rows name license and item.

    Attributes:
        license, item: The names of the columns; None for the usual names.
        find: Finds the license of an item if the data names none; None without a bundle.
    """

    license: str | None = None
    item: str | None = None
    find: FindLicense | None = None


@dataclass(frozen=True)
class Batch:
    """Batch holds consecutive rows of a manifest.

    Attributes:
        rows: Joined rows, license . item, 64 bytes each.
        content: The source of the rows, for the format that read them.
        part: The number of their file, from 0.
    """

    rows: bytes
    content: Any
    part: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows) // 64


class Writer(Protocol):
    """Writer writes the clear rows of batches, in order."""

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows of a batch; raises OutputFailed."""
        ...

    def close(self) -> None:
        """Complete the output; raises OutputFailed."""
        ...


class Source(Protocol):
    """Source is a manifest in one format.

    Attributes:
        name: The name of the format.
        path: The path that the user named.
        size: The amount to read and its unit, for progress.
        line_name: The field of a row's number in the rejected rows: `line` or `row`.
    """

    name: str
    path: Path
    size: tuple[int, str]
    line_name: str

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows in order, at most `most` in a batch; raises BadManifest and FileUnreadable."""
        ...

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if the files changed since they were read."""
        ...

    def progress(self, batch: Batch) -> int:
        """Return a batch's share of `size`."""
        ...

    def places(self, batch: Batch, first: int) -> Sequence[int]:
        """Return the number of each row for the rejected rows; `first` rows precede the batch."""
        ...

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the fields of row `at` of a batch for the rejected rows; rows count from 1."""
        ...

    def writer(self, outputs: Outputs, path: Path) -> Writer:
        """Open an output of the same format; raises OutputFailed."""
        ...


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn an OSError into FileUnreadable."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise FileUnreadable(f"cannot read {str(path)!r}: {why}") from error


@dataclass(frozen=True)
class Stamp:
    """Stamp detects a change of a file by its place, size and time."""

    path: Path
    seen: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Take the stamp of a file; raises FileUnreadable."""
        return cls(path, _seen(path))

    def check(self) -> None:
        """Raise ManifestChanged if the file has changed."""
        if _seen(self.path) != self.seen:
            raise ManifestChanged(f"{str(self.path)!r} changed while it was checked")


def _seen(path: Path) -> tuple[int, ...]:
    with reading(path):
        found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def refuse_row(path: Path, number: int, why: str, line_name: str = "row") -> BadManifest:
    """Return the error for an invalid row."""
    return BadManifest(f"{str(path)!r}, {line_name} {number}: {why}")
