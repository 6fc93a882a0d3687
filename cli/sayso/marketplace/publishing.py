"""Data sets: what a buyer bought and nobody took back, in one folder that appears whole or not at all.

    NAME/data.parquet, or NAME/data.tar (WebDataset), or NAME/files/
    NAME/manifest.jsonl     license, item and salt of each file, which `sayso check` reads
    NAME/licenses/          the license bundle: consents of all parties, and the sublicenses
    NAME/dataset.json       the order, and what is in the folder

Every file is compared with its item while it is written, so no other bytes are delivered.
"""

import hashlib
import io
import json
import os
import re
import tarfile
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Any, Final

from sayso.errors import NotInStock, OutputFailed
from sayso.extras import extra
from sayso.files import opening
from sayso.gate.formats.published import ABOUT_FILE, DATA, FILES, LICENSES_FOLDER, LISTED
from sayso.gate.formats.tar import LABEL_SUFFIXES
from sayso.gate.licenses import fill_bundle
from sayso.marketplace.items import KeptItem
from sayso.outputs import Outputs, StagedFolder, output_errors, refuse_existing, sweep
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.primitives import hex_text, sha256
from sayso_protocol.verdicts.verdict import Row

COPIED_BYTES: Final = 1 << 20
VALUE_BYTES: Final = 1 << 30  # of one file in a table, which is read whole
TABLE_BYTES: Final = 32 << 20  # of files in a row group
NAME_CHARACTERS: Final = 120
_UNSAFE: Final = re.compile(r"[^A-Za-z0-9._-]+")
Entry = tuple[Row, KeptItem]


@dataclass(frozen=True)
class DataSet:
    """DataSet is what a buyer gets.

    Attributes:
        reference: The shop's number of the order.
        entries: Each file with its row: license and item.
        envelopes: The consents of all parties, and the sublicenses.
        left_out: The number of files of the order that were taken back since.
    """

    reference: str
    entries: tuple[Entry, ...]
    envelopes: tuple[Envelope, ...]
    left_out: int

    def about(self, form: str) -> dict[str, Any]:
        """Return what `dataset.json` holds."""
        names = b"".join([*(row.license + row.item for row, _ in self.entries)])
        return {
            "reference": self.reference,
            "format": form,
            "files": len(self.entries),
            "left_out": self.left_out,
            "rows": hex_text(sha256(names)),
        }

    def write(self, path: Path, form: str) -> dict[str, Any]:
        """Write the folder; returns what `dataset.json` holds.

        A folder that a run before it completed stays as it is.

        Args:
            path: The folder, which does not exist yet.
            form: `parquet`, `webdataset` or `folder`.

        Raises:
            NotInStock: Everything was taken back.
            WrongItem: A file with its salt is not its item.
            OutputFailed: The folder exists with other contents, or cannot be written.
            FileUnreadable, ExtraMissing: A file cannot be read; Parquet needs the extra `data`.
        """
        if not self.entries:
            raise NotInStock(f"everything of the order {self.reference!r} was taken back")
        about = self.about(form)
        if _is_written(path, about):
            return about
        refuse_existing(path)
        sweep(path)
        with Outputs() as outputs:
            folder = outputs.folder(path)
            DATA_FORMS[form](folder, self.entries)
            lines = (_row_json(number, *one, form) for number, one in enumerate(self.entries))
            folder.write(Path(LISTED), "".join(lines).encode())
            fill_bundle(folder, Path(LICENSES_FOLDER), self.envelopes)
            folder.write(Path(ABOUT_FILE), json.dumps(about, indent=2).encode() + b"\n")
            outputs.commit()
        return about


def _is_written(path: Path, about: dict[str, Any]) -> bool:
    """Return whether the folder is there with these contents; folders appear whole."""
    try:
        return bool(json.loads((path / ABOUT_FILE).read_bytes()) == about)
    except (OSError, ValueError):
        return False


def _row_json(number: int, row: Row, kept: KeptItem, form: str) -> str:
    values = {"sayso_license": hex_text(row.license), "sayso_item": hex_text(row.item)}
    salt = {"salt": hex_text(kept.salt)} if kept.salt else {}
    place = {"file": _place(number, kept, form), "name": kept.name}
    return json.dumps(values | salt | place) + "\n"


def _place(number: int, kept: KeptItem, form: str) -> str:
    """Return where a file is in the data set; names of uploaders never become paths."""
    if form == "parquet":
        return str(number)
    ending = Path(kept.name).suffix.lstrip(".").lower()
    safe = _UNSAFE.sub("-", ending)[:16] or "bin"
    if form == "webdataset":
        return f"{number:08}.{safe}" + (".file" if safe in LABEL_SUFFIXES else "")
    whole = _UNSAFE.sub("-", Path(kept.name).name).strip(".-")[-NAME_CHARACTERS:]
    return f"{FILES}/{number:08}-{whole or 'file'}"


class _Hashing(io.RawIOBase):
    """_Hashing reads a file and hashes what it gives."""

    def __init__(self, file: IO[bytes]) -> None:
        self._file, self._digest = file, hashlib.sha256()

    def read(self, size: int = -1) -> bytes:
        data = self._file.read(size)
        self._digest.update(data)
        return data

    def check(self, kept: KeptItem) -> None:
        """Raise WrongItem unless everything that was read is the item."""
        kept.check(self._digest.digest())


def _contents(entries: Sequence[Entry]) -> Iterator[tuple[int, Entry, bytes]]:
    for number, one in enumerate(entries):
        with opening(one[1].path) as file:
            hashing = _Hashing(file)
            data = hashing.read(VALUE_BYTES + 1)
        if len(data) > VALUE_BYTES:
            raise OutputFailed(
                f"{one[1].name!r} is too large for a table (more than {VALUE_BYTES:,} bytes); publish "
                "as webdataset or folder"
            )
        hashing.check(one[1])
        yield number, one, data


def _parquet(folder: StagedFolder, entries: Sequence[Entry]) -> None:
    with extra("data"):
        import pyarrow as pa  # noqa: PLC0415 - only if this format is wanted
        import pyarrow.parquet as pq  # noqa: PLC0415

    names = [(one, pa.binary(32)) for one in ("sayso_license", "sayso_item")]
    schema = pa.schema([*names, ("salt", pa.binary()), ("name", pa.string()), ("data", pa.binary())])
    path = folder.part / DATA["parquet"]
    with output_errors(path), pq.ParquetWriter(path, schema) as writer:
        held: list[dict[str, Any]] = []
        size = 0
        for _, (row, kept), data in _contents(entries):
            hashes = {"sayso_license": row.license, "sayso_item": row.item}
            held.append(hashes | {"salt": kept.salt, "name": kept.name, "data": data})
            if (size := size + len(data)) > TABLE_BYTES:
                writer.write_table(pa.Table.from_pylist(held, schema))
                held, size = [], 0
        writer.write_table(pa.Table.from_pylist(held, schema))
    with output_errors(path), path.open("rb") as file:
        os.fsync(file.fileno())


def _webdataset(folder: StagedFolder, entries: Sequence[Entry]) -> None:
    path = folder.part / DATA["webdataset"]
    with output_errors(path), path.open("xb") as file:
        with tarfile.open(fileobj=file, mode="w") as tar:
            for number, (row, kept) in enumerate(entries):
                label = json.loads(_row_json(number, row, kept, "webdataset"))
                text = json.dumps({name: one for name, one in label.items() if name != "file"})
                with opening(kept.path) as source:
                    info = tarfile.TarInfo(_place(number, kept, "webdataset"))
                    info.size = os.fstat(source.fileno()).st_size
                    hashing = _Hashing(source)
                    tar.addfile(info, hashing)
                hashing.check(kept)
                info = tarfile.TarInfo(f"{number:08}.json")
                info.size = len(text.encode())
                tar.addfile(info, io.BytesIO(text.encode()))
        file.flush()
        os.fsync(file.fileno())


def _folder(folder: StagedFolder, entries: Sequence[Entry]) -> None:
    for number, (_, kept) in enumerate(entries):
        file = folder.open(Path(_place(number, kept, "folder")))
        with opening(kept.path) as source:
            hashing = _Hashing(source)
            while piece := hashing.read(COPIED_BYTES):
                file.write(piece)
        hashing.check(kept)
        file.finish()


DATA_FORMS: Final[dict[str, Callable[[StagedFolder, Sequence[Entry]], None]]] = {
    "parquet": _parquet,
    "webdataset": _webdataset,
    "folder": _folder,
}
