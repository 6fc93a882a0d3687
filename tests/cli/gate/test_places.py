"""An output that is named where an input is, or inside one, is refused before anything is touched."""

import os
from pathlib import Path
from typing import Any

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import Buyer
from sayso.errors import OutputIsInput
from sayso.gate.running import GateFiles
from sayso.outputs import clear
from sayso.places import refuse_inputs

# Name of an output, relative to the buyer's folder.
INSIDE = {
    "a shard": "shards/0.parquet",
    "a shard by another way": "shards/../shards/1.parquet",
    "a shard through a link to the folder": "to-shards/0.parquet",
    "what a link among the shards leads to": "elsewhere/2.parquet",
    "another name of a shard": "hard.parquet",
    "a new file among the shards": "shards/kept.parquet",
    "a new file through a link to the folder": "to-shards/kept.parquet",
    "a new file in a folder within": "shards/.cache/why.jsonl",
    "the folder itself": "shards",
    "the network file": "network.toml",
    "the network file through a link": "to-network.toml",
    "a file of the bundle": "licenses/00000.sayso",
    "a new file in the bundle": "licenses/receipt.json",
    "the snapshot": "north.snapshot",
}
KINDS = {"kept": "--out", "rejected": "--rejected", "receipt": "--receipt", "report": "--report"}


@pytest.fixture
def full(buyer: Buyer) -> Buyer:
    """Shards, one of them a link and one with two names; a bundle and a snapshot."""
    for name in ("shards/0.parquet", "shards/1.parquet", "elsewhere/2.parquet"):
        buyer.parquet(name)
    Path("shards/2.parquet").symlink_to("../elsewhere/2.parquet")
    Path("shards/.cache").mkdir()
    Path("to-shards").symlink_to("shards")
    Path("to-network.toml").symlink_to("network.toml")
    os.link("shards/1.parquet", "hard.parquet")
    buyer.world.run("bundle", "pull", "m.jsonl", "--out", "licenses")
    buyer.snapshot()
    return buyer


def contents(folder: Path) -> dict[str, bytes]:
    return {str(one): one.read_bytes() for one in sorted(folder.rglob("*")) if one.is_file()}


@pytest.mark.parametrize("name", INSIDE)
def test_an_output_in_an_input(full: Buyer, name: str) -> None:
    before, output = contents(full.folder), INSIDE[name]
    offline = ("--offline", "north.snapshot", "--bundle", "licenses")
    for option in KINDS.values():
        # The other output is as it should be, and is not made or removed either.
        both = ("--junit", "m.csv", option, output)
        full.world.fails("output-is-input", "check", "shards", *QUERY, *offline, *both)
    with full.gate(offline=["north.snapshot"], bundle="licenses") as gate:
        for kind in KINDS:
            one: dict[str, Any] = {kind: Path(output)}
            with pytest.raises(OutputIsInput):
                gate.check("shards", GateFiles(junit=Path("m.csv"), **one))
    assert contents(full.folder) == before


@pytest.mark.parametrize("output", ["m.jsonl", "./m.jsonl", "real.jsonl", "to-here/m.jsonl"])
def test_an_output_that_is_the_manifest(buyer: Buyer, output: str) -> None:
    Path("m.jsonl").rename("real.jsonl")
    Path("m.jsonl").symlink_to("real.jsonl")
    Path("to-here").symlink_to(".")
    before = contents(buyer.folder)
    for manifest in ("m.jsonl", "to-here/real.jsonl"):
        buyer.world.fails("output-is-input", "check", manifest, *QUERY, "--out", output)
        with buyer.gate() as gate, pytest.raises(OutputIsInput):
            gate.check(manifest, GateFiles(kept=Path(output)))
    assert contents(buyer.folder) == before


def test_beside_the_input_is_the_place(full: Buyer) -> None:
    """Also where a link in the data leads back up: what lies there is no data."""
    Path("shards/.up").symlink_to("..")
    files = ("--out", "kept", "--rejected", "why.jsonl", "--receipt", "receipt.json")
    assert "12 clear" in full.check("shards", *files).stdout
    assert {one.name for one in Path("kept").iterdir()} == {"0.parquet", "1.parquet", "2.parquet"}


def test_a_dangling_link_and_a_missing_input(tmp_path: Path) -> None:
    folder, kept = tmp_path / "data", tmp_path / "kept"
    folder.mkdir()
    (folder / "link").symlink_to(kept)
    for inputs in ([folder], [kept], [tmp_path / "missing" / ".." / "kept"]):
        with pytest.raises(OutputIsInput):
            refuse_inputs([kept], inputs)
    refuse_inputs([kept], [tmp_path / "missing", folder / "none"])


def test_a_folder_that_is_linked_to_is_data(tmp_path: Path) -> None:
    split, data = tmp_path / "split", tmp_path / "data"
    split.mkdir()
    data.mkdir()
    (data / "train").symlink_to(split)
    old = tmp_path / "old"
    old.write_bytes(b"old")
    with pytest.raises(OutputIsInput):
        clear([old, split / "kept"], inputs=[data])
    assert old.exists()
