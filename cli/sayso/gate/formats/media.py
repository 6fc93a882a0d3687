"""Media without a manifest: a folder of files, or WebDataset archives.

The hash of a file is its item, and the bundle gives the license, preferring one that allows the use. A
file that no consent of the bundle names is `unknown`. Symbolic links are never followed.
"""

import hashlib
import io
import json
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from sayso.errors import BadManifest, FileUnreadable, ManifestChanged
from sayso.files import find_files, item_hash
from sayso.gate.formats.base import BATCH_BYTES, Batch, Columns, FindLicense, Stamp, reading, refuse_row
from sayso.gate.formats.lines import named
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import LICENSE_NAMES
from sayso.outputs import Outputs, StagedFile, output_errors
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import HASH_BYTES, hash_from_text

NO_LICENSE: Final = bytes(HASH_BYTES)
# Members of a sample that need no license.
LABEL_SUFFIXES: Final = frozenset({"json", "cls", "cls2", "id", "index"})
FILES_AT_ONCE: Final = 4_096


class _Counted:
    """The common part of formats that count rows instead of lines."""

    line_name = "row"

    def places(self, batch: Batch, first: int) -> range:
        """Return the numbers of the rows, from 1."""
        return range(first + 1, first + len(batch) + 1)


class MediaFolder(_Counted):
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


class _Member(NamedTuple):
    info: tarfile.TarInfo
    data: bytes
    is_item: bool


class _Sample(NamedTuple):
    members: list[_Member]
    rows: int


class Tar(_Counted):
    """Tar is a WebDataset archive; members whose names are equal up to the first dot are a sample.

    A sample is kept only if all its items are clear; members of LABEL_SUFFIXES are not items.
    """

    name = "webdataset"

    def __init__(self, path: Path, columns: Columns) -> None:
        self.path = path
        self._find = columns.find or (lambda _item: None)
        self._names = (columns.license,) if columns.license else LICENSE_NAMES
        self._stamp = Stamp.of(path)
        self.size = (self._stamp.seen[2], "bytes")

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield a row for each item of each sample; raises BadManifest and FileUnreadable."""
        rows, samples, size, number = bytearray(), [], 0, 1
        for members in self._samples():
            items = [one for one in members if one.is_item]
            if not items:
                raise refuse_row(
                    self.path, number, f"the sample of {members[0].info.name!r} has no item"
                )
            license_hash = self._license(members)
            for one in items:
                rows += self._row(one.data, license_hash)
                size += len(one.data)
            number += len(items)
            samples.append(_Sample(members, len(items)))
            if len(rows) >= most * ROW_BYTES // 2 or size > BATCH_BYTES:
                yield Batch(bytes(rows), samples)
                rows, samples, size = bytearray(), [], 0
        if samples:
            yield Batch(bytes(rows), samples)

    def _samples(self) -> Iterator[list[_Member]]:
        key, members = "", list[_Member]()
        for one in self._members():
            folder, _, name = one.info.name.rpartition("/")
            mine = f"{folder}/{name.partition('.')[0]}"
            if members and mine != key:
                yield members
                members = []
            key = mine
            members.append(one)
        if members:
            yield members

    def _members(self) -> Iterator[_Member]:
        with _tar_errors(self.path), tarfile.open(self.path, "r|*") as archive:
            for info in archive:
                if info.isdir():
                    continue
                file = archive.extractfile(info) if info.isreg() else None
                if file is None:
                    raise BadManifest(f"{str(self.path)!r}: {info.name!r} is not a regular file")
                ending = info.name.rpartition("/")[2].partition(".")[2]
                yield _Member(info, file.read(), ending not in LABEL_SUFFIXES)

    def _license(self, members: list[_Member]) -> bytes | None:
        """Return the license that the sample's JSON member names, or None."""
        for one in members:
            if one.info.name.endswith(".json"):
                try:
                    fields = json.loads(one.data)
                    texts = [fields[name] for name in self._names if name in fields]
                    return hash_from_text(texts[0]) if texts else None
                except (ValueError, TypeError, Malformed):
                    return None
        return None

    def _row(self, data: bytes, license_hash: bytes | None) -> bytes:
        item = hashlib.sha256(data).digest()
        return (license_hash or self._find(item) or NO_LICENSE) + item

    def check_unchanged(self) -> None:
        """Raise ManifestChanged if the file has changed."""
        self._stamp.check()

    def progress(self, batch: Batch) -> int:
        """Bytes."""
        return sum(len(one.data) for sample in batch.content for one in sample.members)

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the hashes and the member."""
        items = [one for sample in batch.content for one in sample.members if one.is_item]
        row = batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
        return {**named(row), "row": number, "file": items[at].info.name}

    def writer(self, outputs: Outputs, path: Path) -> "TarWriter":
        """Open an archive with the same compression."""
        with reading(self.path), self.path.open("rb") as file:
            packed = file.read(2) == b"\x1f\x8b"
        return TarWriter(outputs.open(path), path, "w|gz" if packed else "w|")


class TarWriter:
    """TarWriter writes the members of clear samples, in order."""

    def __init__(self, staged: StagedFile, path: Path, mode: str) -> None:
        self._path = path
        self._file: IO[bytes] = staged.part.open("wb")
        with output_errors(path):
            options: dict[str, Any] = {"fileobj": self._file, "mode": mode}
            self._archive = tarfile.open(**options)  # noqa: SIM115 - closed by close

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the samples whose items are all clear; raises OutputFailed."""
        at = 0
        for sample in batch.content:
            is_clear = bool(clear[at : at + sample.rows].all())
            at += sample.rows
            for one in sample.members if is_clear else ():
                with output_errors(self._path):
                    self._archive.addfile(one.info, io.BytesIO(one.data))

    def close(self) -> None:
        """Write the end of the archive; raises OutputFailed."""
        with output_errors(self._path):
            self._archive.close()
            self._file.close()


def _rows(find: FindLicense, items: list[bytes]) -> bytes:
    return b"".join([(find(item) or NO_LICENSE) + item for item in items])


@contextmanager
def _tar_errors(path: Path) -> Iterator[None]:
    try:
        yield
    except (tarfile.TarError, EOFError) as error:
        raise BadManifest(f"{str(path)!r} cannot be read as a tar archive: {error}") from error
    except OSError as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error}") from error
