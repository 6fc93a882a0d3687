"""Columns that a table has by its folders, as engines write partitions."""

from pathlib import Path

import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer


def partition(buyer: Buyer, key: str, *, drop: bool = True, rows: slice = slice(None)) -> Path:
    path = buyer.folder / "parts" / key / "0.parquet"
    path.parent.mkdir(parents=True)
    table = buyer.table(buyer.rows[rows])
    pq.write_table(table.drop_columns(["license"]) if drop else table, path)
    return path


@pytest.mark.parametrize("form", ["license={}", "year=2026/license={}", "sayso_license={}"])
def test_the_license_of_a_partition(buyer: Buyer, form: str) -> None:
    buyer.revoke()
    path = partition(buyer, form.format(buyer.rows[0]["license"]))
    told = buyer.check("parts", "--out", "kept", "--rejected", "why.jsonl", status=3)
    assert "3 clear, 1 not clear" in told.stdout
    kept = buyer.folder / "kept" / path.relative_to(buyer.folder / "parts")
    assert pq.read_table(kept, partitioning=None).column("file").to_pylist() == [
        "a.flac",
        "c.flac",
        "d.flac",
    ]
    (why,) = buyer.world.rows("why.jsonl")
    assert (why["license"], why["item"]) == (buyer.rows[1]["license"], buyer.rows[1]["item"])


def test_a_license_that_file_and_folder_name(buyer: Buyer) -> None:
    """Readers disagree whose counts."""
    partition(buyer, "license=0x" + "77" * 32, drop=False)
    told = buyer.world.fails("bad-manifest", "check", "parts", *QUERY)
    assert "occurs 2 times" in told.stderr


@pytest.mark.parametrize("value", ["__HIVE_DEFAULT_PARTITION__", "", "0x12"])
def test_a_partition_without_a_license(buyer: Buyer, value: str) -> None:
    partition(buyer, f"license={value}")
    buyer.world.fails("bad-manifest", "check", "parts", *QUERY)
    told = buyer.check("parts", "--bad-rows", "reject", "--out", "kept", status=3)
    assert "unknown              4" in told.stdout


def test_a_key_twice(buyer: Buyer) -> None:
    name = buyer.rows[0]["license"]
    partition(buyer, f"license={'0x' + '77' * 32}/license={name}")
    assert "twice" in buyer.world.fails("bad-manifest", "check", "parts", *QUERY).stderr


def test_rows_that_name_nothing(buyer: Buyer) -> None:
    one = buyer.rows[0]
    path = partition(buyer, f"license={one['license']}/item={one['item']}")
    pq.write_table(buyer.table().select(["file"]), path)
    buyer.world.fails("bad-manifest", "check", "parts", *QUERY)
