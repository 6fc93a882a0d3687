"""The interface of formats: batches of rows with their origin, and a writer for the clear rows.

A format is read in one declared dialect. A row that has two readings, or names no license or no item,
raises an error with its number; if the dialect says so, the row is judged as NO_ROW instead, which no
license covers. What a format leaves out is in the notes of its source.
"""

import codecs
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Final, Literal, NamedTuple, Protocol

from sayso.errors import BadManifest, ManifestChanged
from sayso.files import reading
from sayso.gate.formats.endings import Form
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.primitives import hex_text

FindLicense = Callable[[bytes], bytes | None]  # item hash -> license hash
Quoting = Literal["double", "none"]
BATCH_BYTES: Final = 32 * 1024 * 1024  # approximate size of a batch of text or media in memory
ROWS_AT_ONCE: Final = 1 << 18  # the most rows of a batch of a table, 16 MiB of hashes
OR_REJECT: Final = "; --bad-rows reject goes on, and calls such rows unknown"
# What some character sets read as other characters, although each byte is ASCII.
_ESCAPES: Final = rb"\x2c\u002c\054+ACw-~{!!~}"
NO_ROW: Final = bytes(ROW_BYTES)  # no digest is zero, so these hashes are `unknown` everywhere


@dataclass(frozen=True)
class Dialect:
    """Dialect declares what the bytes of a manifest mean, where its usual readers disagree.

    Attributes:
        delimiter: The separator of CSV; None for a tab in .tsv and a comma elsewhere.
        encoding: The character set of CSV, a superset of ASCII in which no character spans a line end.
        quoting: `double` for quotes of RFC 4180, in which a value may span lines; `none` if quotes are
            ordinary characters; None to refuse what the two would read differently.
        labels: Endings of tar members that are labels, beside the usual ones.
        reject_bad: Whether rows without a usable license are judged as NO_ROW, instead of an error.
    """

    delimiter: str | None = None
    encoding: str = "utf-8"
    quoting: Quoting | None = None
    labels: tuple[str, ...] = ()
    reject_bad: bool = False

    def __post_init__(self) -> None:
        """Raise BadManifest for a delimiter or a character set that cannot be cut at bytes."""
        one = self.delimiter
        if one is not None and (len(one) != 1 or not one.isascii() or one in '"\r\n\0'):
            raise BadManifest(f"a delimiter is one character of ASCII, not {one!r}")
        if not _is_superset(self.encoding):
            raise BadManifest(
                f"{self.encoding!r} is not a superset of ASCII; write the file in UTF-8, with iconv"
            )
        if one is not None and _is_within(one, self.encoding):
            raise BadManifest(
                f"{one!r} may be a part of a character in {self.encoding!r}, where readers disagree;"
                " write the file in UTF-8, with iconv"
            )


def _is_superset(encoding: str) -> bool:
    """Return whether every byte of ASCII stands for its character, alone and among others."""
    ascii_ = bytes(range(128)) + _ESCAPES
    try:
        right = all(bytes([one]).decode(encoding) == chr(one) for one in range(128))  # no escapes
        right = right and ascii_.decode(encoding) == ascii_.decode("ascii")
        return right and not codecs.lookup(encoding).name.startswith("iso2022")  # with states
    except (LookupError, ValueError):
        return False


def _is_within(character: str, encoding: str) -> bool:
    """Return whether a byte of ASCII may end a longer character, as `|` does in Shift JIS."""
    end = character.encode()
    starts = (bytes([one]) for one in range(128, 256))
    return any(not (one + end).decode(encoding, "replace").endswith(character) for one in starts)


@dataclass(frozen=True)
class Columns:
    """Columns states how rows name license and item.

    Attributes:
        license, item: The names of the columns; None for the usual names.
        find: Finds the license of an item if the data names none; None without a bundle.
        dialect: The meaning of the bytes.
    """

    license: str | None = None
    item: str | None = None
    find: FindLicense | None = None
    dialect: Dialect = field(default_factory=Dialect)


@dataclass(frozen=True)
class Batch:
    """Batch holds consecutive rows of a manifest.

    Attributes:
        rows: Joined rows, license . item, 64 bytes each.
        content: The source of the rows, for the format that read them.
        size: Its share of the size of the source.
        part: The number of their file, from 0.
    """

    rows: bytes
    content: Any
    size: int = 0
    part: int = 0

    def __len__(self) -> int:
        """Return the number of rows."""
        return len(self.rows) // ROW_BYTES


class Writer(Protocol):
    """Writer writes the clear rows of batches, in order."""

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows of a batch; raises OutputFailed."""
        ...

    def close(self) -> None:
        """Complete the output; raises OutputFailed."""
        ...


class End(NamedTuple):
    """End is the first or the last sample of an archive, which may go on in the next one."""

    name: str
    members: frozenset[str]


class Source:
    """Source is a manifest in one format; subclasses say how it is read and written.

    Attributes:
        name: The name of the format.
        line_name: The field of a row's number in the rejected rows: `line` or `row`.
        path: The path that the user named.
        size: The amount to read and its unit, for progress.
        notes: What is left out or not kept, one sentence each.
        ends: The first and the last sample, once all rows were read, if rows are samples.
        unwritten: How many judged batches may wait in memory until they are written.
    """

    name: str = ""
    line_name: str = "row"
    ends: tuple[End, End] | None = None
    unwritten = 1

    def __init__(self, path: Path, files: Iterable[Path] = ()) -> None:
        self.path = path
        self.notes: list[str] = []
        self._stamps = [Stamp.of(one) for one in files or [path]]
        self.size = (sum(one.size for one in self._stamps), "bytes")

    @property
    def form(self) -> Form:
        """Return the form of what its writer writes."""
        return Form(self.name, "")

    @property
    def files(self) -> list[Path]:
        """Return the files that are read or kept, in order."""
        return [one.path for one in self._stamps]

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield all rows in order, at most `most` in a batch; raises BadManifest and FileUnreadable."""
        raise NotImplementedError

    def writer(self, outputs: Outputs, path: Path) -> Writer:
        """Open an output of the same format; raises OutputFailed."""
        raise NotImplementedError

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if the files changed since they were read."""
        for stamp in self._stamps:
            stamp.check()

    def bad_row(self, number: int, why: str) -> BadManifest:
        """Return the error for an invalid row, by its number or line."""
        return BadManifest(f"{str(self.path)!r}, {self.line_name} {number}: {why}")

    def places(self, batch: Batch, first: int) -> Sequence[int]:
        """Return the number of each row for the rejected rows; `first` rows precede the batch."""
        return range(first + 1, first + len(batch) + 1)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the fields of row `at` of a batch for the rejected rows; rows count from 1."""
        return {**named(batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]), "row": number}


def named(row: bytes) -> dict[str, str]:
    """Return the two hashes of a joined row, for formats without text fields."""
    return {"license": hex_text(row[:32]), "item": hex_text(row[32:])}


@dataclass(frozen=True)
class Stamp:
    """Stamp detects a change of a file by its place, size and time."""

    path: Path
    seen: tuple[int, ...]

    @classmethod
    def of(cls, path: Path) -> "Stamp":
        """Take the stamp of a file; raises FileUnreadable."""
        return cls(path, _seen(path))

    @property
    def size(self) -> int:
        """Return the size of the file in bytes."""
        return self.seen[2]

    def check(self) -> None:
        """Raise ManifestChanged if the file has changed."""
        if _seen(self.path) != self.seen:
            raise ManifestChanged(f"{str(self.path)!r} changed while it was checked")


def _seen(path: Path) -> tuple[int, ...]:
    with reading(path):
        found = path.stat()
    return found.st_dev, found.st_ino, found.st_size, found.st_mtime_ns
