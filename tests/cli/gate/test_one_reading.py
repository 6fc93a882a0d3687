"""Manifests that two readers cut differently: refused, until the user says which reading is meant."""

import json
from pathlib import Path

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from cli.gate.two_readers import csv_of_each_line, csv_of_python
from sayso.errors import BadManifest
from sayso.gate.formats.base import Dialect
from sayso.gate.formats.separated import Cutter

SEPARATORS = {"m.csv": ",", "m.tsv": "\t"}
# Notes of four rows, of which some readers make more or fewer rows.
CUTS: dict[str, tuple[str, str, str, str]] = {
    "a quote over two rows": ("one", '"two', 'three"', "four"),
    "a quote over all rows": ('"one', "two", "three", 'four"'),
    "a quote that never ends": ("one", '"two', "three", "four"),
    "a quote within": ("one", 'tw"o', "three", "four"),
    "a quote as an inch": ("one", '5" pipe', "three", '7" pipe'),
    "an escaped quote": ("one", '"two\\"', "three", '\\""'),
    "a value over two lines": ("one", '"two\nlines"', "three", "four"),
    "a line end within quotes": ("one", '"two\rlines"', "three", "four"),
    "three quotes": ("one", '"""', "three", "four"),
}


def written(buyer: Buyer, name: str, notes: tuple[str, ...]) -> Path:
    separator = SEPARATORS[name]
    rows = [[note, one["license"], one["item"]] for note, one in zip(notes, buyer.rows, strict=True)]
    lines = [separator.join(one) for one in [["note", "license", "item"], *rows]]
    return buyer.world.write(name, ("\n".join(lines) + "\n").encode())


@pytest.mark.parametrize("name", SEPARATORS)
@pytest.mark.parametrize("cut", CUTS)
def test_rows_that_readers_cut_differently(buyer: Buyer, name: str, cut: str) -> None:
    buyer.revoke()
    written(buyer, name, CUTS[cut])
    told = buyer.world.fails("bad-manifest", "check", name, *QUERY, "--out", "kept").stderr
    assert "--quoting double" in told
    assert "--quoting none" in told
    assert "line " in told
    assert not Path("kept").exists()


def test_a_separator_within_quotes(buyer: Buyer) -> None:
    """Every reader of CSV knows these quotes; of TSV, many do not."""
    buyer.revoke()
    notes = ("one", '"two,\tparts"', "three", "four")
    written(buyer, "m.csv", notes)
    buyer.check("m.csv", "--out", "kept.csv", status=3)
    written(buyer, "m.tsv", notes)
    assert "--quoting none" in buyer.world.fails("bad-manifest", "check", "m.tsv", *QUERY).stderr


@pytest.mark.parametrize("name", SEPARATORS)
def test_quotes_that_no_reader_misses(buyer: Buyer, name: str) -> None:
    """Around a whole value, or in pairs within: all readers find the same rows."""
    buyer.revoke()
    path = written(buyer, name, ('"one"', 'say "two"', '"th""ree"', '""'))
    kept = f"kept{path.suffix}"
    buyer.check(name, "--out", kept, status=3)
    assert csv_of_each_line(Path(kept)) == csv_of_python(Path(kept))


def test_a_swallowed_row_is_judged_in_the_dialect_that_shows_it(buyer: Buyer) -> None:
    buyer.revoke()
    written(buyer, "m.tsv", CUTS["a quote over two rows"])
    told = buyer.check("m.tsv", "--quoting", "none", "--out", "kept.tsv", "--json", status=3)
    assert json.loads(told.stdout)["rows"] == len(NAMES)
    kept = Path("kept.tsv").read_text().splitlines()
    assert [one.split("\t")[0] for one in kept] == ["note", "one", 'three"', "four"]


@pytest.mark.parametrize("quoting", [(), ("--quoting", "none"), ("--quoting", "double")])
@pytest.mark.parametrize("end", ["\r", "\0"])
def test_line_ends_of_other_systems_are_no_values(buyer: Buyer, quoting: tuple[str], end: str) -> None:
    written(buyer, "m.csv", ("one", f"two{end}", "three", "four"))
    buyer.world.fails("bad-manifest", "check", "m.csv", *QUERY, *quoting)


HEADS = {
    "semicolons": (b"note;license;item\n", "--delimiter ';'"),
    "bars": (b"note|license|item\n", "--delimiter '|'"),
    "tabs": (b"note\tlicense\titem\n", "--delimiter '\\t'"),
    "UTF-16": ("note,license,item\n".encode("utf-16"), "iconv"),
}


@pytest.mark.parametrize("name", HEADS)
def test_a_head_that_says_the_dialect(buyer: Buyer, name: str) -> None:
    head, option = HEADS[name]
    buyer.world.write("m.csv", head)
    assert option in buyer.world.fails("bad-manifest", "check", "m.csv", *QUERY).stderr


@pytest.mark.parametrize(
    "options", [("--delimiter", "ab"), ("--encoding", "utf-16"), ("--delimiter", '"')]
)
def test_a_dialect_that_cannot_be_cut(buyer: Buyer, options: tuple[str, str]) -> None:
    buyer.csv()
    buyer.world.fails("bad-manifest", "check", "m.csv", *QUERY, *options)


TABLES = {
    "Delta": ("t/_delta_log/00000000000000000000.json", "a Delta table"),
    "Delta, a partition": ("_delta_log/00000000000000000000.json", "a Delta table"),
    "Iceberg": ("t/metadata/v1.metadata.json", "an Iceberg table"),
    "Iceberg, its data": ("metadata/00000-a.metadata.json", "an Iceberg table"),
    "Hudi": ("t/.hoodie/hoodie.properties", "a Hudi table"),
    "Lance": ("t/_versions/1.manifest", "a Lance table"),
}


@pytest.mark.parametrize("name", TABLES)
def test_tables_whose_files_hold_deleted_rows(buyer: Buyer, name: str) -> None:
    buyer.parquet("t/0.parquet")
    buyer.parquet("t/1.parquet")
    mark, what = TABLES[name]
    buyer.world.write(mark)
    for named in (["t"], ["t/0.parquet"], ["t/*.parquet"], ["t/0.parquet", "t/1.parquet"]):
        told = buyer.world.fails("bad-manifest", "check", *named, *QUERY, "--out", "kept").stderr
        assert what in told
        assert not Path("kept").exists()


BAD_ROWS = {
    "m.jsonl": [b'{"snr": NaN}', b'{"item": 1, "item": 2}', b"[]", b"{", b'{"license": null}', b"\xff"],
    "m.csv": [b"no", b"no,no,no", b'a "quote,no,no', b"\xff,no,no"],
}


@pytest.mark.parametrize("name", BAD_ROWS)
def test_bad_rows_can_be_unknown(buyer: Buyer, name: str) -> None:
    buyer.revoke()
    if name == "m.csv":
        written(buyer, name, ("one", "two", "three", "four"))
    data = Path(name).read_bytes().splitlines(keepends=True)
    bad = BAD_ROWS[name]
    Path(name).write_bytes(b"".join([*data[:3], *(one + b"\n" for one in bad), *data[3:]]))
    assert "--bad-rows reject" in buyer.world.fails("bad-manifest", "check", name, *QUERY).stderr
    reject, proof = ("--bad-rows", "reject"), ("--rejected", "why.jsonl")
    files = ("--out", "kept", *proof, "--receipt", "receipt.json")
    told = json.loads(buyer.check(name, *reject, *files, "--json", status=3).stdout)
    assert told["reasons"] == {"revoked": 1, "unknown": len(bad)}
    at = 2 if name == "m.csv" else 1
    assert Path("kept").read_bytes() == b"".join([*data[:at], *data[at + 1 :]])
    lines = [one["line"] for one in buyer.world.rows("why.jsonl") if one["reason"] == "unknown"]
    assert lines == list(range(4, 4 + len(bad)))
    buyer.world.run("receipt", "verify", "receipt.json", "--manifest", name, *proof)


def test_a_value_without_end_is_looked_at_once(buyer: Buyer, monkeypatch: pytest.MonkeyPatch) -> None:
    """However many lines follow a lone quote; all of them were once searched again for each."""
    seen, is_open = 0, Cutter.is_open

    def counted(self: Cutter, line: bytes, **more: bool) -> bool:
        nonlocal seen
        seen += len(line)
        return is_open(self, line, **more)

    monkeypatch.setattr(Cutter, "is_open", counted)
    path = buyer.folder / "m.csv"
    path.write_bytes(b'license,item\n"' + b"\n" * 20_000)
    with (
        pytest.raises(BadManifest, match="RFC 4180"),
        buyer.gate(dialect=Dialect(quoting="double")) as gate,
    ):
        gate.check(path)
    assert seen <= 2 * path.stat().st_size
