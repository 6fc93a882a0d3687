"""Columns that a table has by its folders, as engines write partitions."""

import csv
import io
import json
import tarfile
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from cli.gate.two_readers import judged_again

Rows = list[dict[str, Any]]
BUNDLE = ("--bundle", "licenses.sayso")


def _parquet(buyer: Buyer, path: Path, rows: Rows, names: tuple[str, ...]) -> None:
    pq.write_table(buyer.table(rows).select([*names]), path)


def _arrow(buyer: Buyer, path: Path, rows: Rows, names: tuple[str, ...]) -> None:
    table = buyer.table(rows).select([*names])
    with pa.ipc.new_stream(str(path), table.schema) as writer:
        writer.write_table(table)


def _jsonl(_: Buyer, path: Path, rows: Rows, names: tuple[str, ...]) -> None:
    path.write_text("".join(json.dumps({name: one[name] for name in names}) + "\n" for one in rows))


def _csv(_: Buyer, path: Path, rows: Rows, names: tuple[str, ...]) -> None:
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerows([names, *([one[name] for name in names] for one in rows)])


Write = Callable[[Buyer, Path, Rows, tuple[str, ...]], None]
WRITE: dict[str, Write] = {"parquet": _parquet, "arrow": _arrow, "jsonl": _jsonl, "csv": _csv}
formats = pytest.mark.parametrize("ending", WRITE)


def partition(buyer: Buyer, ending: str, key: str, *names: str) -> Path:
    path = buyer.folder / "parts" / key / f"0.{ending}"
    path.parent.mkdir(parents=True)
    WRITE[ending](buyer, path, buyer.rows, names or ("item", "file"))
    return path


@formats
@pytest.mark.parametrize("form", ["license={}", "year=2026/license={}", "sayso_license={}"])
def test_the_license_of_a_partition(buyer: Buyer, form: str, ending: str) -> None:
    buyer.revoke()
    path = partition(buyer, ending, form.format(buyer.rows[0]["license"]))
    more = ("--out", "kept", "--rejected", "why.jsonl", "--receipt", "r.json")
    told = buyer.check("parts", *more, status=3)
    assert "3 clear, 1 not clear" in told.stdout
    kept = buyer.folder / "kept" / path.relative_to(buyer.folder / "parts")
    clear = [one["item"] for one in buyer.rows if one["file"] != "b.flac"]
    assert judged_again(_alone(kept), {*clear}) == clear
    (why,) = buyer.world.rows("why.jsonl")
    name = form.rpartition("/")[2].partition("=")[0] if ending in ("jsonl", "csv") else "license"
    assert (why[name], why["item"]) == (buyer.rows[1]["license"], buyer.rows[1]["item"])
    buyer.world.run("receipt", "verify", "r.json", "--manifest", "parts", "--rejected", "why.jsonl")


def _alone(path: Path) -> Path:
    """Out of its folders, which readers would read, too."""
    return path.rename(path.parents[len(path.parents) - 2] / f"alone{path.suffix}")


def test_the_license_of_a_partition_of_tars(buyer: Buyer) -> None:
    """A label that names another license is not believed, and neither is the folder."""
    buyer.revoke()
    buyer.bundle()
    path = buyer.folder / "parts" / f"license={buyer.rows[0]['license']}" / "0.tar"
    path.parent.mkdir(parents=True)
    label = json.dumps({"license": "0x" + "77" * 32}).encode()
    with tarfile.open(path, "w") as archive:
        for name, data in [(one["file"], one["file"].encode()) for one in buyer.rows] + [
            ("e.flac", b"e"),
            ("e.json", label),
        ]:
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    told = buyer.check("parts", "--out", "kept", "--rejected", "why.jsonl", status=3)
    assert "3 clear, 2 not clear" in told.stdout
    assert [one["reason"] for one in buyer.world.rows("why.jsonl")] == ["revoked", "unknown"]


@formats
def test_a_license_that_file_and_folder_name(buyer: Buyer, ending: str) -> None:
    """Readers disagree whose counts."""
    partition(buyer, ending, "license=0x" + "77" * 32, "license", "item")
    told = buyer.world.fails("bad-manifest", "check", "parts", *QUERY)
    assert "occurs 2 times" in told.stderr


def test_a_license_that_a_later_row_names(buyer: Buyer) -> None:
    path = partition(buyer, "jsonl", f"license={buyer.rows[0]['license']}")
    path.write_text(path.read_text() + json.dumps(buyer.rows[0]) + "\n")
    assert "occurs 2" in buyer.world.fails("bad-manifest", "check", "parts", *QUERY).stderr
    told = buyer.check("parts", "--bad-rows", "reject", "--out", "kept", status=3)
    assert "unknown              1" in told.stdout


@formats
@pytest.mark.parametrize("value", ["__HIVE_DEFAULT_PARTITION__", "", "0x12"])
def test_a_partition_without_a_license(buyer: Buyer, ending: str, value: str) -> None:
    partition(buyer, ending, f"license={value}")
    buyer.world.fails("bad-manifest", "check", "parts", *QUERY)
    told = buyer.check("parts", "--bad-rows", "reject", "--out", "kept", status=3)
    assert "unknown              4" in told.stdout


@formats
def test_a_key_twice(buyer: Buyer, ending: str) -> None:
    name = buyer.rows[0]["license"]
    partition(buyer, ending, f"license={'0x' + '77' * 32}/license={name}")
    assert "twice" in buyer.world.fails("bad-manifest", "check", "parts", *QUERY).stderr


@formats
def test_rows_that_name_nothing(buyer: Buyer, ending: str) -> None:
    one = buyer.rows[0]
    partition(buyer, ending, f"license={one['license']}/item={one['item']}", "file")
    assert "name nothing" in buyer.world.fails("bad-manifest", "check", "parts", *QUERY).stderr
