"""What was kept, as two programs see it that share no code: both must see the same clear rows only.

Each reader gives the item hashes that it finds in a kept output. A reader of a format that names its
rows gives those names; of media it hashes the bytes.
"""

import bz2
import csv
import gzip
import hashlib
import json
import lzma
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Literal, NamedTuple

import duckdb
import msgspec
import polars as pl
import pyarrow as pa
import pyarrow.parquet as pq

from sayso_protocol.primitives import hex_text, sha256
from support.machine import need

Items = list[str]
LABELS = (".json", ".cls", ".txt")


def json_of_python(path: Path) -> Items:
    return [json.loads(line)["item"] for line in path.read_bytes().splitlines() if line.strip()]


def json_of_msgspec(path: Path) -> Items:
    return [one["item"] for one in msgspec.json.Decoder().decode_lines(path.read_bytes())]


class Dialect(NamedTuple):
    """How a file of separated values is meant."""

    delimiter: str = ","
    quoting: str = "double"
    encoding: str = "utf-8"


def csv_of_python(path: Path, dialect: Dialect | None = None) -> Items:
    meant = dialect or _dialect(path)
    quoting: Literal[0, 3] = csv.QUOTE_NONE if meant.quoting == "none" else csv.QUOTE_MINIMAL
    encoding = meant.encoding.replace("utf-8", "utf-8-sig")
    with path.open(newline="", encoding=encoding) as file:
        reader = csv.DictReader(file, delimiter=meant.delimiter, quoting=quoting)
        return [one["item"] for one in reader]


def csv_of_duckdb(path: Path, dialect: Dialect | None = None) -> Items:
    meant = dialect or _dialect(path)
    quote = "" if meant.quoting == "none" else '"'
    quoted = f"quote='{quote}', escape='{quote}', header=true, all_varchar=true, strict_mode=true"
    encoding = meant.encoding.replace("iso-8859-1", "latin-1")
    options = f"delim='{meant.delimiter}', encoding='{encoding}', {quoted}"
    query = f"SELECT item FROM read_csv('{path}', {options})"
    return [str(one) for (one,) in duckdb.execute(query).fetchall()]


def csv_of_each_line(path: Path, dialect: Dialect | None = None) -> Items:
    """As a reader does that knows no quotes, and takes every line for a row."""
    meant = dialect or _dialect(path)
    lines = path.read_text(encoding=meant.encoding.replace("utf-8", "utf-8-sig")).splitlines()
    at = lines[0].split(meant.delimiter).index("item")
    return [one.split(meant.delimiter)[at].strip('"') for one in lines[1:] if one]


def _dialect(path: Path) -> Dialect:
    return Dialect("\t") if path.suffix == ".tsv" else Dialect()


def parquet_of_arrow(path: Path) -> Items:
    return [hex_text(one) for one in pq.read_table(path).column("item").to_pylist()]


def parquet_of_duckdb(path: Path) -> Items:
    return [hex_text(one) for (one,) in duckdb.execute(f"SELECT item FROM '{path}'").fetchall()]


def parquet_of_polars(path: Path) -> Items:
    return [hex_text(one) for one in pl.read_parquet(path)["item"].to_list()]


def tar_of_python(path: Path) -> Items:
    with tarfile.open(path) as archive:
        files = [one for one in archive if not one.name.endswith(LABELS)]
        return [hex_text(sha256(_data(archive, one))) for one in files]


def _data(archive: tarfile.TarFile, info: tarfile.TarInfo) -> bytes:
    file = archive.extractfile(info)
    assert file is not None, f"{info.name} is not a regular file"
    return file.read()


def tar_of_gnu(path: Path) -> Items:
    names = _run("tar", "--list", "--quoting-style=literal", "--file", path).decode().splitlines()
    return [
        hex_text(sha256(_run("tar", "--extract", "--to-stdout", "--no-wildcards", "--file", path, name)))
        for name in names
        if not name.endswith(LABELS)
    ]


def _run(*command: object) -> bytes:
    return subprocess.run(list(map(str, command)), check=True, capture_output=True).stdout


def folder_of_python(path: Path) -> Items:
    files = sorted(one for one in path.rglob("*") if one.is_file())
    return [hex_text(hashlib.sha256(one.read_bytes()).digest()) for one in files]


def folder_of_coreutils(path: Path) -> Items:
    environment = {**os.environ, "LC_ALL": "C"}
    find = ["find", str(path), "-type", "f", "-print0"]
    names = subprocess.run(find, check=True, capture_output=True, env=environment).stdout
    lines = b"".join(
        _run("sha256sum", "-z", os.fsdecode(one)) for one in sorted(names.split(b"\0")) if one
    )
    return ["0x" + one[:64].decode() for one in lines.split(b"\0") if one]


def hugging_face(path: Path) -> Items:
    import datasets

    found = datasets.load_from_disk(str(path))
    splits = found.values() if isinstance(found, datasets.DatasetDict) else [found]
    return [str(one) for split in splits for one in split["item"]]


def arrow_of_hugging_face(path: Path) -> Items:
    """The streams that the states name, in the order of the splits."""
    splits = path / "dataset_dict.json"
    folders = [path]
    if splits.is_file():
        folders = [path / one for one in json.loads(splits.read_bytes())["splits"]]
    states = [(one, json.loads((one / "state.json").read_bytes())) for one in folders]
    files = [folder / one["filename"] for folder, state in states for one in state["_data_files"]]
    return [item for one in files for item in arrow_of_arrow(one)]


def arrow_of_arrow(path: Path) -> Items:
    with pa.memory_map(str(path)) as file:
        is_file = path.read_bytes()[:6] == b"ARROW1"
        table = (pa.ipc.open_file if is_file else pa.ipc.open_stream)(file).read_all()
    return [one if isinstance(one, str) else hex_text(one) for one in table["item"].to_pylist()]


def arrow_of_polars(path: Path) -> Items:
    is_file = path.read_bytes()[:6] == b"ARROW1"
    frame = (pl.read_ipc if is_file else pl.read_ipc_stream)(path)
    return [one if isinstance(one, str) else hex_text(one) for one in frame["item"].to_list()]


def parquet_folder(read: Callable[[Path], Items]) -> Callable[[Path], Items]:
    return lambda path: [item for one in sorted(path.rglob("*.parquet")) for item in read(one)]


READERS: dict[str, tuple[Callable[..., Items], ...]] = {
    ".jsonl": (json_of_python, json_of_msgspec),
    ".csv": (csv_of_python, csv_of_duckdb),
    ".tsv": (csv_of_python, csv_of_duckdb),
    ".parquet": (parquet_of_arrow, parquet_of_duckdb, parquet_of_polars),
    ".arrow": (arrow_of_arrow, arrow_of_polars),
    ".feather": (arrow_of_arrow, arrow_of_polars),
    ".tar": (tar_of_python, tar_of_gnu),
    "folder": (folder_of_python, folder_of_coreutils),
    "shards": (parquet_folder(parquet_of_arrow), parquet_folder(parquet_of_polars)),
    "hugging face": (hugging_face, arrow_of_hugging_face),
}


def zst_of_arrow(data: bytes) -> bytes:
    found: bytes = pa.CompressedInputStream(pa.BufferReader(data), "zstd").read()
    return found


# Two programs that unpack each compression, and Debian's package of the second.
UNPACKERS: dict[str, tuple[Callable[[bytes], bytes], str, str]] = {
    ".gz": (gzip.decompress, "gzip", "gzip"),
    ".xz": (lzma.decompress, "xz", "xz-utils"),
    ".bz2": (bz2.decompress, "bzip2", "bzip2"),
    ".zst": (zst_of_arrow, "zstd", "zstd"),
}


def unpacked(path: Path) -> Path:
    """The file without its compression, which two programs understand alike."""
    of_python, program, package = UNPACKERS[path.suffix]
    need(program, package)
    data = of_python(path.read_bytes())
    assert _run(program, "-dc", path) == data, f"{path} unpacks in several ways"
    plain = path.with_name(f"plain-{path.stem}")
    plain.write_bytes(data)
    return plain


def judged_again(path: Path, clear: set[str], kind: str = "", dialect: Dialect | None = None) -> Items:
    """Return the items that every reader finds; they agree, and none of them is not clear."""
    path = unpacked(path) if path.suffix in UNPACKERS else path
    readers = READERS[kind or path.suffix]
    found = [read(path, dialect) if dialect else read(path) for read in readers]
    assert all(one == found[0] for one in found), f"{path} has several readings: {found}"
    assert set(found[0]) <= clear, f"not clear in {path}: {set(found[0]) - clear}"
    return found[0]
