"""WebDataset archives: tars of samples, whose files are items and labels.

Members whose names are equal up to the first dot are a sample. The hash of a file is its item, with the
salt that the label of the sample gives, if any; the label or the bundle gives the license. What is kept
is written anew with plain headers, so that every reader sees the bytes that were judged.

Readers of streams take the members that stand together for a sample, and others find them by name, of
which the last counts. So an archive is refused that has members of one sample in two places.
"""

import hashlib
import posixpath
import tarfile
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import numpy as np

from sayso.errors import BadManifest
from sayso.gate.formats.base import BATCH_BYTES, NO_ROW, Batch, Columns, End, Source
from sayso.gate.formats.endings import Form
from sayso.gate.formats.json_rows import ROW_LINE_BYTES, STRICT
from sayso.gate.formats.media import NO_LICENSE
from sayso.gate.formats.packed import Packing, kind_of
from sayso.gate.formats.tar_reading import BLOCK, MEMBER_BYTES, Member, read_members
from sayso.gate.hashes import SALT, hashes_of, salted_by
from sayso.gate.judges.verdicts import Flags
from sayso.gate.names import LICENSE_NAMES, keys_of
from sayso.outputs import Outputs
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Malformed

# Members of a sample that need no license.
LABEL_SUFFIXES: Final = frozenset({"json", "cls", "cls2", "id", "index"})
_SORT: Final = "`tar --sort=name` puts the files of a sample one after the other"
SAMPLE_MEMBERS: Final = 4_096
SAMPLE_BYTES: Final = MEMBER_BYTES  # of all its members


class _Sample(NamedTuple):
    members: list[Member]
    items: list[Member]


class _Label(NamedTuple):
    license: bytes | None
    salt: str | None


class Tar(Source):
    """Tar is a WebDataset archive; members whose names are equal up to the first dot are a sample.

    A sample is kept only if all its items are clear. A member whose last ending is one of
    LABEL_SUFFIXES, or of the dialect's labels, in any case, is not an item.
    """

    name = "webdataset"

    def __init__(self, path: Path, columns: Columns) -> None:
        super().__init__(path)
        self._find = columns.find or (lambda _item: None)
        self._names = (columns.license,) if columns.license else LICENSE_NAMES
        own = {one.lower().lstrip(".") for one in columns.dialect.labels}
        self._labels = LABEL_SUFFIXES | own
        self._reject_bad = columns.dialect.reject_bad
        keys = keys_of(path)
        self._by_folder = [keys[name] for name in self._names if name in keys][:1]

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield a row for each item of each sample; raises BadManifest and FileUnreadable."""
        rows, samples, size, number = bytearray(), list[_Sample](), 0, 1
        for members in self._samples():
            items = [one for one in members if not self._is_label(one.name)]
            if not items:
                name = members[0].name
                raise self.bad_row(number, f"the sample of {name!r} has labels only; {_SORT}")
            label = self._label(members)
            rows += b"".join([self._row(one.data, label) for one in items])
            size += sum(len(one.data or b"") for one in members)
            number += len(items)
            samples.append(_Sample(members, items))
            if len(rows) >= most * ROW_BYTES // 2 or size > BATCH_BYTES:
                yield Batch(bytes(rows), samples, size)
                rows, samples, size = bytearray(), [], 0
        if samples:
            yield Batch(bytes(rows), samples, size)

    def _is_label(self, name: str) -> bool:
        endings = name.rpartition("/")[2].lower().split(".")[1:]
        return bool(endings) and (endings[-1] in self._labels or ".".join(endings) in self._labels)

    def _samples(self) -> Iterator[list[Member]]:
        key, members, size = "", list[Member](), 0
        self.ends = None
        seen = array("q")  # eight bytes a sample: equal keys have equal hashes
        for one in read_members(self.path, links=self._reject_bad):
            folder, _, name = one.name.rpartition("/")
            stem = name.partition(".")[0]
            mine = f"{folder}/{stem}"
            if members and mine != key:
                self._note_end(key, members)
                yield members
                members, size = [], 0
            if not members or not stem:  # hidden files are of no sample, and known by their names
                seen.append(hash(posixpath.normpath(mine.removeprefix("/") if stem else one.name)))
            key = mine
            if any(one.name == other.name for other in members):
                raise BadManifest(f"{str(self.path)!r} has {one.name!r} twice; rename one of them")
            members.append(one)
            size += len(one.data or b"")
            if size > SAMPLE_BYTES or len(members) > SAMPLE_MEMBERS:
                raise BadManifest(f"{str(self.path)!r}: the sample of {one.name!r} is too large")
        self._refuse_apart(seen)
        if members:
            self._note_end(key, members)
            yield members

    def _refuse_apart(self, seen: "array[int]") -> None:
        """Raise BadManifest if two samples have one key."""
        hashes = np.array(seen)
        order = np.argsort(hashes, kind="stable")
        ordered = hashes[order]
        if len(twice := np.flatnonzero(ordered[1:] == ordered[:-1])):
            first, second = order[twice[0] : twice[0] + 2].tolist()
            raise BadManifest(
                f"{str(self.path)!r} has the files of a sample in two places, as its samples"
                f" {first + 1:,} and {second + 1:,}: rename what is there twice;"
                f" {_SORT}"
            )

    def _note_end(self, key: str, members: list[Member]) -> None:
        one = End(key, frozenset(member.name for member in members))
        self.ends = (self.ends or (one, one))[0], one

    def _label(self, members: list[Member]) -> _Label:
        """Return what folders and JSON members say; no license without one, or with two."""
        hashes, right = hashes_of(self._by_folder)
        if not right.all():
            return _Label(None, None)
        licenses, salts = {one.tobytes() for one in hashes}, set[str]()
        for one in members:
            if one.data is not None and one.name.lower().endswith(".json"):
                try:
                    fields = parse_json(one.data, STRICT, most=ROW_LINE_BYTES)
                    texts = [fields[name] for name in self._names if name in fields]
                    salt = fields.get(SALT)
                except (TypeError, AttributeError, Malformed):
                    return _Label(None, None)
                salts |= {salt} if isinstance(salt, str) else set()
                hashes, right = hashes_of(texts[:1])
                if not right.all():
                    return _Label(None, None)
                licenses |= {one.tobytes() for one in hashes}
        one_license = licenses.pop() if len(licenses) == 1 else None
        return _Label(one_license, salts.pop() if len(salts) == 1 else None)

    def _row(self, data: bytes | None, label: _Label) -> bytes:
        if data is None:
            return NO_ROW
        item = salted_by(label.salt, hashlib.sha256(data).digest())
        return (label.license or self._find(item) or NO_LICENSE) + item

    def describe(self, batch: Batch, at: int, number: int) -> dict[str, Any]:
        """Return the hashes and the member."""
        items = (one for sample in batch.content for one in sample.items)
        name = next(one.name for place, one in enumerate(items) if place == at)
        return {**super().describe(batch, at, number), "file": name}

    @property
    def form(self) -> Form:
        """Return tar, in the compression of the input."""
        return Form("tar", kind_of(self.path))

    def writer(self, outputs: Outputs, path: Path) -> "TarWriter":
        """Open an archive with the same compression."""
        return TarWriter(Packing(outputs.open(path), kind_of(self.path), path))


class TarWriter:
    """TarWriter writes the members of clear samples, in order, under headers of its own."""

    def __init__(self, file: Packing) -> None:
        self._file = file
        self._size = 0

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the samples whose items are all clear; raises OutputFailed."""
        at = 0
        for sample in batch.content:
            is_clear = bool(clear[at : at + len(sample.items)].all())
            at += len(sample.items)
            for one in sample.members if is_clear else ():
                self._append(one)

    def _append(self, member: Member) -> None:
        """Write a member under a header that has a name, a size and a time, and nothing else."""
        if member.data is None:
            raise AssertionError(f"{member.name!r} is a link, which is never clear")
        info = tarfile.TarInfo(member.name)
        info.size, info.mtime = len(member.data), member.mtime
        head = info.tobuf(tarfile.PAX_FORMAT, "utf-8", "surrogateescape")
        padding = bytes(-info.size % BLOCK)
        self._file.write(head)
        self._file.write(member.data)
        self._file.write(padding)
        self._size += len(head) + info.size + len(padding)

    def close(self) -> None:
        """Write the end of the archive, up to a whole record; raises OutputFailed."""
        end = 2 * BLOCK
        self._file.write(bytes(end + -(self._size + end) % tarfile.RECORDSIZE))
        self._file.close()
