"""The name of an output says what is in it, or the check refuses it."""

import gzip
from pathlib import Path

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso.errors import OtherFormat
from sayso.gate.running import GateFiles

BUNDLE = ("--bundle", "licenses.sayso")
# A manifest, and names of its kept rows that say something else.
OTHERS = {
    "m.jsonl": ("k.csv", "k.tsv", "k.parquet", "K.PQ", "k.arrow", "k.jsonl.gz", "k.gz", "k.tgz"),
    "m.jsonl.gz": ("k.jsonl", "k.jsonl.zst", "k.csv.gz"),
    "m.csv": ("k.jsonl", "k.tsv", "k.psv", "k.parquet", "k.csv.xz"),
    "m.tsv": ("k.csv",),
    "m.psv": ("k.csv", "k.tsv"),
    "m.parquet": ("k.jsonl", "k.arrow", "k.parquet.gz"),
    "shards": ("k.jsonl", "k.tar"),
    "media": ("k.jsonl", "k.tar"),
}
RIGHT = {
    "m.jsonl": ("k.jsonl", "k.ndjson", "k.json", "k", "k.txt", "k.v2"),
    "m.jsonl.gz": ("k.jsonl.gz", "k.gz"),
    "m.csv": ("k.csv", "K.CSV"),
    "m.tsv": ("k.tsv", "k.tab"),
    "m.psv": ("k.psv",),
    "m.parquet": ("k.parquet", "k.pq"),
    "shards": ("kept", "k.parquet"),
    "media": ("kept", "kept.2"),
}


@pytest.fixture
def full(buyer: Buyer) -> Buyer:
    buyer.bundle()
    buyer.parquet()
    buyer.parquet("shards/0.parquet")
    lines = Path("m.jsonl").read_bytes()
    Path("m.jsonl.gz").write_bytes(gzip.compress(lines))
    for name, cut in (("m.csv", ","), ("m.tsv", "\t"), ("m.psv", "|")):
        rows = [cut.join((one["license"], one["item"])) for one in buyer.rows]
        Path(name).write_text("\n".join([cut.join(("license", "item")), *rows, ""]))
    Path("media").mkdir()
    for name in ("a.flac", "b.flac"):
        Path(name).rename(f"media/{name}")
    return buyer


@pytest.mark.parametrize("manifest", OTHERS)
def test_kept_rows_under_the_name_of_another_format(full: Buyer, manifest: str) -> None:
    more = BUNDLE if manifest == "media" else ()
    before = len(full.node.checks)
    for name in OTHERS[manifest]:
        told = full.world.fails("other-format", "check", manifest, *QUERY, *more, "--out", name)
        assert name in told.stderr
        with full.gate(bundle="licenses.sayso") as gate, pytest.raises(OtherFormat):
            gate.check(manifest, GateFiles(kept=Path(name)))
        assert not Path(name).exists()
    assert len(full.node.checks) == before  # nobody was asked


@pytest.mark.parametrize("manifest", RIGHT)
def test_kept_rows_under_a_name_that_is_right(full: Buyer, manifest: str) -> None:
    more = BUNDLE if manifest == "media" else ()
    for name in RIGHT[manifest]:
        full.check(manifest, *more, "--out", name)
        assert Path(name).exists()


def test_a_name_may_say_what_that_of_the_manifest_says(full: Buyer) -> None:
    Path("m.csv").write_bytes(Path("m.tsv").read_bytes())
    full.check("m.csv", "--delimiter", "tab", "--out", "k.csv")
    full.check("m.csv", "--delimiter", "tab", "--out", "k.tsv")
    Path("m.jsonl").write_bytes(gzip.compress(Path("m.jsonl").read_bytes()))
    full.check("m.jsonl", "--out", "k.jsonl")


@pytest.mark.parametrize("option", ["--rejected", "--receipt", "--report", "--junit"])
def test_another_output_under_the_name_of_a_table(full: Buyer, option: str) -> None:
    full.world.fails("other-format", "check", "m.csv", *QUERY, option, "x.csv")
    assert not Path("x.csv").exists()


def test_a_manifest_under_the_name_of_another_format(full: Buyer) -> None:
    listed = ("manifest", "media", *BUNDLE, *QUERY, "--out")
    for name in ("l.csv", "l.parquet", "l.jsonl.gz"):
        full.world.fails("other-format", *listed, name)
        terms = ("--key", full.world.key, *QUERY, "--expires", "1y")
        full.world.fails("other-format", "grant", "media", *terms, "--manifest", name)
        assert not Path(name).exists()
    full.world.run(*listed, "l.jsonl")


def test_a_table_without_the_ending_of_one(full: Buyer) -> None:
    """The hint says which endings are read, and not how lists of JSON are written."""
    Path("m.csv").rename("m.dat")
    told = full.world.fails("bad-manifest", "check", "m.dat", *QUERY).stderr
    assert ".csv" in told
    assert "jq" not in told
