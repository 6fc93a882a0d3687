"""What every format gives: batches of rows with their origin, and a writer for the clear ones.

A row that could be read in two ways, or names no license or no item, is an error with its number: a
manifest is judged whole or not at all.
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
BATCH_BYTES: Final = 32 * 1024 * 1024  # of a batch in memory, about


@dataclass(frozen=True)
class Columns:
    """How the rows name license and item.

    Attributes:
        license, item: Names of the columns that a user gave; None: those that are usual.
        find: The license of an item, where the data names none; None: there is no bundle.
    """

    license: str | None = None
    item: str | None = None
    find: FindLicense | None = None


@dataclass(frozen=True)
class Batch:
    """Rows that follow each other in a manifest.

    Attributes:
        rows: Joined, license . item, 64 bytes each.
        content: What they were read from, for the format that read them.
        part: In which of several files they are, from 0.
    """

    rows: bytes
    content: Any
    part: int = 0

    def __len__(self) -> int:
        """How many rows."""
        return len(self.rows) // 64


class Writer(Protocol):
    """Writer takes batches in order and keeps their clear rows."""

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows of a batch; raises OutputFailed."""
        ...

    def close(self) -> None:
        """Complete what was written; raises OutputFailed."""
        ...


class Source(Protocol):
    """Source is a manifest in one format.

    Attributes:
        name: Of the format.
        path: What the user named.
        size: How much there is to read, and in which unit; for showing progress.
        line_name: What a row's number is called where rows are refused: `line` or `row`.
    """

    name: str
    path: Path
    size: tuple[int, str]
    line_name: str

    def batches(self, most: int) -> Iterator[Batch]:
        """All rows in order, at most so many at once; raises BadManifest and FileUnreadable."""
        ...

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if what was read is no longer what is there."""
        ...

    def progress(self, batch: Batch) -> int:
        """How much of `size` a batch is."""
        ...

    def places(self, batch: Batch, first: int) -> Sequence[int]:
        """The number of each row as refused rows are told by; `first` rows came before the batch."""
        ...

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """What the file of refused rows says about row `at` of a batch, row `number` from 1."""
        ...

    def writer(self, outputs: Outputs, path: Path) -> Writer:
        """Begin an output of the same form; raises OutputFailed."""
        ...


@contextmanager
def reading(path: Path) -> Iterator[None]:
    """Turn the system's errors into FileUnreadable."""
    try:
        yield
    except OSError as error:
        why = error.strerror or str(error)
        raise FileUnreadable(f"cannot read {str(path)!r}: {why}") from error


@dataclass(frozen=True)
class Stamp:
    """What tells that a file was changed: its place, size and time."""

    path: Path
    seen: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """How it is now; raises FileUnreadable."""
        return cls(path, _seen(path))

    def check(self) -> None:
        """Raise ManifestChanged if it is no longer so."""
        if _seen(self.path) != self.seen:
            raise ManifestChanged(f"{str(self.path)!r} changed while it was checked")


def _seen(path: Path) -> tuple[int, ...]:
    with reading(path):
        found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns


def refuse_row(path: Path, number: int, why: str, line_name: str = "row") -> BadManifest:
    """The error for a row that is none."""
    return BadManifest(f"{str(path)!r}, {line_name} {number}: {why}")
