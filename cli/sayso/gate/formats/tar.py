"""WebDataset archives: tars of samples, whose files are items and labels.

Members whose names are equal up to the first dot are a sample. The hash of a file is its item; the label
of the sample or the bundle gives the license. What is kept is written anew with plain headers, so that
every reader sees the bytes that were judged.
"""

import hashlib
import io
import tarfile
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any, Final, NamedTuple

from sayso.errors import BadManifest
from sayso.gate.formats.base import BATCH_BYTES, Batch, Columns, Stamp, reading, refuse_row
from sayso.gate.formats.json_rows import ROW_LINE_BYTES, STRICT
from sayso.gate.formats.lines import named
from sayso.gate.formats.media import NO_LICENSE, Counted
from sayso.gate.formats.tar_reading import GZIP, MEMBER_BYTES, Member, read_members
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import LICENSE_NAMES
from sayso.outputs import Outputs, StagedFile, output_errors
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import hash_from_text

# Members of a sample that need no license.
LABEL_SUFFIXES: Final = frozenset({"json", "cls", "cls2", "id", "index"})
SAMPLE_MEMBERS: Final = 4_096
SAMPLE_BYTES: Final = MEMBER_BYTES  # of all its members


class _Sample(NamedTuple):
    members: list[Member]
    rows: int


def _is_item(member: Member) -> bool:
    return member.name.rpartition("/")[2].partition(".")[2] not in LABEL_SUFFIXES


class Tar(Counted):
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
            items = [one for one in members if _is_item(one)]
            if not items:
                raise refuse_row(self.path, number, f"the sample of {members[0].name!r} has no item")
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

    def _samples(self) -> Iterator[list[Member]]:
        key, members, size = "", list[Member](), 0
        for one in read_members(self.path):
            folder, _, name = one.name.rpartition("/")
            mine = f"{folder}/{name.partition('.')[0]}"
            if members and mine != key:
                yield members
                members, size = [], 0
            key = mine
            members.append(one)
            size += len(one.data)
            if size > SAMPLE_BYTES or len(members) > SAMPLE_MEMBERS:
                raise BadManifest(f"{str(self.path)!r}: the sample of {one.name!r} is too large")
        if members:
            yield members

    def _license(self, members: list[Member]) -> bytes | None:
        """Return the license that the sample's JSON member names, or None."""
        for one in members:
            if one.name.endswith(".json"):
                try:
                    fields = parse_json(one.data, STRICT, most=ROW_LINE_BYTES)
                    texts = [fields[name] for name in self._names if name in fields]
                    return hash_from_text(texts[0]) if texts else None
                except (TypeError, Malformed):
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
        items = [one for sample in batch.content for one in sample.members if _is_item(one)]
        row = batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
        return {**named(row), "row": number, "file": items[at].name}

    def writer(self, outputs: Outputs, path: Path) -> "TarWriter":
        """Open an archive with the same compression."""
        with reading(self.path), self.path.open("rb") as file:
            packed = file.read(len(GZIP)) == GZIP
        return TarWriter(outputs.open(path), path, "w|gz" if packed else "w|")


class TarWriter:
    """TarWriter writes the members of clear samples, in order, under headers of its own."""

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
                    self._archive.addfile(_fresh(one), io.BytesIO(one.data))

    def close(self) -> None:
        """Write the end of the archive; raises OutputFailed."""
        with output_errors(self._path):
            self._archive.close()
            self._file.close()


def _fresh(member: Member) -> tarfile.TarInfo:
    """Return a header that has a name, a size and a time, and nothing else of the archive's own."""
    info = tarfile.TarInfo(member.name)
    info.size, info.mtime = len(member.data), member.mtime
    return info
