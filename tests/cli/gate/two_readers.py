"""What was kept, as two programs see it that share no code: both must see the same clear rows only.

Each reader gives the item hashes that it finds in a kept output. A reader of a format that names its
rows gives those names; of media it hashes the bytes.
"""

import csv
import hashlib
import json
import os
import subprocess
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import duckdb
import msgspec
import polars as pl
import pyarrow.parquet as pq

from sayso_protocol.primitives import hex_text, sha256

Items = list[str]
LABELS = (".json", ".cls", ".txt")


def json_of_python(path: Path) -> Items:
    return [json.loads(line)["item"] for line in path.read_bytes().splitlines() if line.strip()]


def json_of_msgspec(path: Path) -> Items:
    return [one["item"] for one in msgspec.json.Decoder().decode_lines(path.read_bytes())]


def csv_of_python(path: Path) -> Items:
    with path.open(newline="", encoding="utf-8") as file:
        return [one["item"] for one in csv.DictReader(file, delimiter=_delimiter(path))]


def csv_of_duckdb(path: Path) -> Items:
    quoted = "quote='\"', escape='\"', header=true, all_varchar=true, strict_mode=true"
    query = f"SELECT item FROM read_csv('{path}', delim='{_delimiter(path)}', {quoted})"
    return [str(one) for (one,) in duckdb.execute(query).fetchall()]


def _delimiter(path: Path) -> str:
    return "\t" if path.suffix == ".tsv" else ","


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

    return [str(one) for one in datasets.load_from_disk(str(path))["item"]]


def arrow_of_hugging_face(path: Path) -> Items:
    import pyarrow as pa

    found: list[Any] = []
    for one in sorted(path.glob("*.arrow")):
        with pa.memory_map(str(one)) as file:
            found += pa.ipc.open_stream(file).read_all().column("item").to_pylist()
    return found


READERS: dict[str, tuple[Callable[[Path], Items], ...]] = {
    ".jsonl": (json_of_python, json_of_msgspec),
    ".csv": (csv_of_python, csv_of_duckdb),
    ".tsv": (csv_of_python, csv_of_duckdb),
    ".parquet": (parquet_of_arrow, parquet_of_duckdb, parquet_of_polars),
    ".tar": (tar_of_python, tar_of_gnu),
    ".gz": (tar_of_python, tar_of_gnu),
    "folder": (folder_of_python, folder_of_coreutils),
    "hugging face": (hugging_face, arrow_of_hugging_face),
}


def judged_again(path: Path, clear: set[str], kind: str = "") -> Items:
    """Return the items that every reader finds; they agree, and none of them is not clear."""
    found = [read(path) for read in READERS[kind or path.suffix]]
    assert all(one == found[0] for one in found), f"{path} has several readings: {found}"
    assert set(found[0]) <= clear, f"not clear in {path}: {set(found[0]) - clear}"
    return found[0]
