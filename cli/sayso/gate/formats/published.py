"""Data sets as marketplaces deliver them (sayso.marketplace.publishing): folders that name their form.

    dataset.json     the form: `parquet`, `webdataset` or `folder`
    data.parquet, or data.tar, or files/ with the manifest.jsonl that names each of them with its salt
    licenses/        the license bundle

A folder with anything else in it is refused, because nothing would judge that. Each file is compared
with its item, by its salt, whatever the manifest says.
"""

from collections.abc import Iterator
from itertools import compress
from pathlib import Path
from typing import Any, Final

from sayso.errors import BadManifest, BytesDiffer, FileUnreadable
from sayso.files import find_files, item_hash, reading
from sayso.gate.formats.base import NO_ROW, Batch, Columns, Source, Stamp
from sayso.gate.formats.json_lines import JsonLines
from sayso.gate.formats.json_rows import STRICT, row_line
from sayso.gate.formats.media import left_out
from sayso.gate.formats.shards import Opener, Shards
from sayso.gate.hashes import SALT, salted_by
from sayso.gate.judges.verdicts import Flags
from sayso.outputs import Outputs, StagedFolder
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.encoding.row_tree import ROW_BYTES
from sayso_protocol.errors import Malformed

ABOUT_FILE: Final = "dataset.json"
LISTED: Final = "manifest.jsonl"
FILES: Final = "files"
LICENSES_FOLDER: Final = "licenses"
DATA: Final = {"parquet": "data.parquet", "webdataset": "data.tar", "folder": FILES}
ABOUT_BYTES: Final = 1 << 16
FILES_AT_ONCE: Final = 4_096


def form_of(folder: Path) -> str | None:
    """Return the form of a delivered data set; None for any other folder.

    Raises:
        BadManifest: It has something that its form has not.
        FileUnreadable: It cannot be read.
    """
    try:
        with (folder / ABOUT_FILE).open("rb") as file:
            about = parse_json(file.read(ABOUT_BYTES + 1), STRICT, most=ABOUT_BYTES)
    except (OSError, Malformed):
        return None
    form = about.get("format") if isinstance(about, dict) else None
    if form not in DATA or "rows" not in about:
        return None
    with reading(folder):
        found = {one.name for one in folder.iterdir() if not one.name.startswith(".")}
    if more := found - {ABOUT_FILE, LISTED, LICENSES_FOLDER, DATA[form]}:
        raise BadManifest(f"{str(folder)!r} is a delivered data set, but has {min(more)!r}, too")
    return str(form)


def open_published(folder: Path, form: str, open_one: Opener, columns: Columns) -> Source:
    """Open a delivered data set; raises BadManifest and FileUnreadable."""
    if form == "folder":
        return PublishedFiles(folder, columns)
    name = Path(DATA[form])
    source = Shards(folder, {folder / name: name}, open_one)
    about = [folder / one for one in (ABOUT_FILE, LISTED, LICENSES_FOLDER) if (folder / one).exists()]
    source.notes += left_out(about, folder, "they are about the data")
    return source


class PublishedFiles(JsonLines):
    """PublishedFiles are the files of a delivered data set, as its manifest lists them."""

    name = "published"

    def __init__(self, folder: Path, columns: Columns) -> None:
        super().__init__(folder / LISTED, columns)
        self.folder = folder
        found = find_files([folder / FILES])
        if found.skipped:
            raise BadManifest(f"{str(found.skipped[0])!r} is not a regular file")
        self._listed = {f"{FILES}/{one.relative_to(folder / FILES)}": one for one in found.files}
        self._stamps += [Stamp.of(one) for one in found.files]
        self.size = (sum(one.size for one in self._stamps), "bytes")
        self.notes += left_out([folder / LICENSES_FOLDER], folder, "they are about the data")

    def batches(self, most: int) -> Iterator[Batch]:
        """Yield the rows in order.

        Raises:
            BytesDiffer: A file with its salt is not the item of its row.
            BadManifest: A row names no file of its own, or a file has no row. See Source.batches, too.
            FileUnreadable: A file cannot be read.
        """
        waiting = dict(self._listed)
        for batch in super().batches(min(most, FILES_AT_ONCE)):
            size = sum(self._compared(batch, at, waiting) for at in range(len(batch)))
            yield Batch(batch.rows, batch.content, batch.size + size)
        if waiting:
            raise BadManifest(f"{str(self.path)!r} does not name {min(waiting)!r}")

    def _compared(self, batch: Batch, at: int, waiting: dict[str, Path]) -> int:
        """Compare a row with its file; returns its size."""
        number, row = batch.content.numbers[at], batch.rows[at * ROW_BYTES : (at + 1) * ROW_BYTES]
        try:
            fields = self.fields(number, batch.content.raws[at])
        except BadManifest:  # the dialect lets it pass, as a row that is never clear
            return 0
        path = waiting.pop(name, None) if isinstance(name := fields.get("file"), str) else None
        if row == NO_ROW:
            return 0
        if path is None:
            raise BadManifest(
                f"{str(self.path)!r}, line {number}: it names no file, or one named before"
            )
        if salted_by(fields.get(SALT), item_hash(path)) != row[32:]:
            raise BytesDiffer(f"{str(path)!r} with its salt is not the item of line {number}")
        return path.stat().st_size

    def path_of(self, fields: dict[str, Any]) -> Path:
        """Return the file of a row; raises FileUnreadable."""
        if (found := self._listed.get(fields.get("file", ""))) is None:
            raise FileUnreadable(f"{str(self.path)!r} names a file that is not there")
        return found

    def writer(self, outputs: Outputs, path: Path) -> "PublishedWriter":  # type: ignore[override]
        """Open a folder of the same form."""
        return PublishedWriter(outputs.folder(path), self)


class PublishedWriter:
    """PublishedWriter links or copies clear files, and lists them with their salts."""

    def __init__(self, folder: StagedFolder, source: PublishedFiles) -> None:
        self._folder, self._source, self._rows = folder, source, 0
        self._manifest = folder.open(Path(LISTED))

    def write(self, batch: Batch, clear: Flags) -> None:
        """Append the clear rows with their files; raises OutputFailed, ManifestChanged."""
        texts = zip(batch.content.numbers, batch.content.raws, strict=True)
        for number, raw in compress(texts, clear.tolist()):
            path = self._source.path_of(self._source.fields(number, raw))
            self._folder.take(path, path.relative_to(self._source.folder))
            self._manifest.write(raw if raw.endswith(b"\n") else raw + b"\n")
            self._rows += 1

    def close(self) -> None:
        """Complete the list; raises OutputFailed."""
        self._manifest.finish()
        self._folder.write(Path(ABOUT_FILE), row_line({"format": "folder", "rows": self._rows}))
