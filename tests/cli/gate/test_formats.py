"""Manifests of every format: the clear rows come out as they went in, in the order they had."""

import json
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer

FILES = ("--rejected", "why.jsonl", "--receipt", "receipt.json")


def verified(buyer: Buyer, manifest: object, *more: str) -> str:
    """The receipt of the check that has just been made."""
    files = ("--manifest", manifest, "--rejected", "why.jsonl")
    text: str = buyer.world.run("receipt", "verify", "receipt.json", *files, *more).stdout
    assert "exactly these rejected rows" in text
    return text


def test_parquet_keeps_columns_order_schema_and_compression(buyer: Buyer) -> None:
    buyer.revoke()
    manifest = buyer.parquet()
    buyer.check("m.parquet", "--out", "kept.parquet", *FILES, status=3)
    kept = pq.ParquetFile(buyer.folder / "kept.parquet")
    expected = pq.read_table(manifest).take([0, 2, 3])
    assert kept.read().equals(expected, check_metadata=True)
    assert kept.metadata.row_group(0).column(0).compression == "ZSTD"
    (why,) = buyer.world.rows("why.jsonl")
    row = {"license": buyer.rows[1]["license"], "item": buyer.rows[1]["item"], "row": 2}
    assert why == row | {"reason": "revoked"}
    assert "1 revoked" in verified(buyer, "m.parquet")


@pytest.mark.parametrize("codec", ["NONE", "SNAPPY", "GZIP", "BROTLI", "LZ4", "ZSTD"])
def test_parquet_keeps_each_columns_compression(buyer: Buyer, codec: str) -> None:
    buyer.revoke()
    names = ("license", "item", "file", "embedding.list.element")
    pq.write_table(
        buyer.table(), "m.parquet", compression=dict.fromkeys(names, codec) | {"file": "ZSTD"}
    )
    buyer.check("m.parquet", "--out", "kept.parquet", status=3)
    groups = [pq.read_metadata(one).row_group(0) for one in ("m.parquet", "kept.parquet")]
    before, after = ([one.column(at).compression for at in range(4)] for one in groups)
    assert before == after
    assert before[2] == "ZSTD"


def test_a_folder_of_shards_is_one_manifest(buyer: Buyer) -> None:
    buyer.revoke("c.flac")
    for number in range(2):
        buyer.parquet(f"shards/{number}.parquet", buyer.rows[2 * number : 2 * number + 2])
    buyer.parquet("shards/2.parquet", [buyer.rows[2]])
    (buyer.folder / "shards" / "_SUCCESS").touch()
    buyer.check("shards", "--out", "kept", *FILES, status=3)
    kept = {
        one.name: pq.read_table(one)["file"].to_pylist() for one in (buyer.folder / "kept").iterdir()
    }
    assert kept == {"0.parquet": ["a.flac", "b.flac"], "1.parquet": ["d.flac"], "2.parquet": []}
    told = [(one["row"], one["shard"]) for one in buyer.world.rows("why.jsonl")]
    assert told == [(3, "1.parquet"), (5, "2.parquet")]
    verified(buyer, "shards")
    # Nothing that stands there is ever overwritten: it may be somebody's only copy.
    buyer.world.fails("output-failed", "check", "shards", *QUERY, "--out", "kept")


def test_shards_in_folders_within_keep_their_places(buyer: Buyer) -> None:
    """As engines write partitions: what the name of a folder says stays said."""
    buyer.revoke("c.flac")
    for number, place in enumerate(("day=1", "day=2/hour=7")):
        (buyer.folder / "rows" / place).mkdir(parents=True)
        buyer.parquet(f"rows/{place}/0.parquet", buyer.rows[2 * number : 2 * number + 2])
    (buyer.folder / "rows" / "_temporary").mkdir()
    buyer.world.write("rows/_temporary/0.parquet", b"not yet")
    buyer.check("rows", "--out", "kept", *FILES, status=3)
    kept = {
        str(one.relative_to("kept")): pq.ParquetFile(one).read()["file"].to_pylist()
        for one in Path("kept").rglob("*")
        if one.is_file()
    }
    assert kept == {"day=1/0.parquet": ["a.flac", "b.flac"], "day=2/hour=7/0.parquet": ["d.flac"]}
    assert [one["shard"] for one in buyer.world.rows("why.jsonl")] == ["day=2/hour=7/0.parquet"]
    verified(buyer, "rows")


@pytest.mark.parametrize("name", ["m.csv", "m.tsv"])
@pytest.mark.parametrize("note", ['a "note", é', 'a "note",\nover two lines'])
def test_csv_is_kept_byte_for_byte(buyer: Buyer, name: str, note: str) -> None:
    buyer.revoke()
    manifest = buyer.csv(name, note)
    dialect = ("--quoting", "double") if "\n" in note else ()
    kept = Path("kept").with_suffix(manifest.suffix)
    buyer.check(name, *dialect, "--out", kept, *FILES, status=3)
    whole = manifest.read_bytes().split(b"\r\n")
    assert kept.read_bytes().split(b"\r\n") == [*whole[:2], *whole[3:]]
    (why,) = buyer.world.rows("why.jsonl")
    line = 4 if dialect else 3
    assert (why["line"], why["note"], why["reason"]) == (line, note, "revoked")
    verified(buyer, name, *dialect)


def test_columns_may_have_other_names(buyer: Buyer) -> None:
    table = buyer.table().rename_columns(["consent", "hash", "license", "embedding"])
    pq.write_table(table, buyer.folder / "m.parquet")
    names = ("--license-column", "consent", "--item-column", "hash")
    buyer.check("m.parquet", *names, "--out", "kept.parquet", *FILES)
    assert pq.read_table(buyer.folder / "kept.parquet").equals(table)
    verified(buyer, "m.parquet", *names)
    buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY)
    lines = [
        {"sayso_license": one["license"], "license": "cc-by", "item": one["item"]} for one in buyer.rows
    ]
    buyer.world.write("own.jsonl", b"".join(json.dumps(one).encode() + b"\n" for one in lines))
    buyer.check("own.jsonl")


def test_the_same_row_twice_has_the_same_answer_twice(buyer: Buyer) -> None:
    buyer.revoke()
    buyer.parquet("m.parquet", [*buyer.rows, *buyer.rows])
    result = buyer.check("m.parquet", "--out", "kept.parquet", "--json", status=3)
    assert json.loads(result.stdout)["reasons"] == {"revoked": 2}
    kept = pq.read_table(buyer.folder / "kept.parquet")["file"].to_pylist()
    assert kept == [name for name in NAMES if name != "b.flac"] * 2


def test_wide_rows_are_judged_in_small_parts(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("sayso.gate.formats.tables.parquet.ROWS_AT_ONCE", 1)
    buyer.revoke()
    buyer.parquet()
    buyer.check("m.parquet", "--out", "kept.parquet", *FILES, status=3)
    assert len(buyer.node.checks) == len(NAMES)
    record = json.loads((buyer.folder / "receipt.json").read_bytes())
    assert [len(part["answers"]) for part in record["parts"]] == [1] * len(NAMES)
    assert record["counts"] == {"granted": 3, "revoked": 1}
    assert "4 parts" in verified(buyer, "m.parquet")
    for field, value in (("counts", {"granted": 4}), ("parts", record["parts"][:3])):
        buyer.world.write("other.json", json.dumps(record | {field: value}).encode())
        buyer.world.fails("bad-proof", "receipt", "verify", "other.json", "--manifest", "m.parquet")


BAD: dict[str, pa.Array] = {
    "null": pa.array([b"\1" * 32, None], pa.binary()),
    "short": pa.array([b"\1" * 32, b"\1" * 31], pa.binary()),
    "text of another length": pa.array(["0x" + "ab" * 32, "ab" * 33]),
    "a number": pa.array([1, 2]),
}


@pytest.mark.parametrize("name", BAD)
def test_a_row_without_a_hash_is_an_error(buyer: Buyer, name: str) -> None:
    items = pa.array([b"\1" * 32] * 2, pa.binary())
    pq.write_table(pa.table({"license": BAD[name], "item": items}), buyer.folder / "m.parquet")
    buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY, "--out", "kept.parquet")
    assert buyer.node.checks == []
    assert "kept.parquet" not in buyer.world.left()


CSVS = {
    "no names": b"\n",
    "no such column": b"a,b\r\n1,2\r\n",
    "too few values": b"license,item\r\n0x\r\n",
    "no license": b"license,item\r\n," + b"0x" + b"ab" * 32 + b"\r\n",
    "a column twice": b"license,item,item\r\n",
    "an open quote": b'license,item\r\n"0x',
    "not UTF-8": b"license,item\r\n\xff,\xff\r\n",
    "names only": b"license,item\r\n",
}


@pytest.mark.parametrize("name", CSVS)
def test_a_csv_that_is_none(buyer: Buyer, name: str) -> None:
    buyer.world.write("bad.csv", CSVS[name])
    buyer.world.fails("bad-manifest", "check", "bad.csv", *QUERY, "--out", "kept.csv")
    assert "kept.csv" not in buyer.world.left()


def test_parquet_that_is_cut_or_broken(buyer: Buyer) -> None:
    data = buyer.parquet().read_bytes()
    half = len(data) // 2
    for broken in (data[:-9], data[:half], data[:64] + bytes(200) + data[264:], b"PAR1" + bytes(99)):
        Path("bad.parquet").write_bytes(broken)
        result = buyer.check("bad.parquet", "--out", "kept.parquet", status=1)
        assert "error [bad-manifest]" in result.stderr or "error [file-unreadable]" in result.stderr
        assert not {name for name in buyer.world.left() if "kept" in name}
