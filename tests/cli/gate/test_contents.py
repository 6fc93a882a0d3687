"""Items are hashes of bytes: manifests are made from them, and checked against them."""

import json
import os
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from sayso.errors import BytesDiffer
from sayso.gate.contents import check_bytes
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso_protocol.primitives import hash_from_text, hex_text, sha256

Made = Callable[[Buyer, list[bytes]], Path]
LIST = ("manifest", "--bundle", "licenses.sayso", *QUERY)


@pytest.fixture
def media(buyer: Buyer) -> Buyer:
    """The licensed files in a folder, with one that nobody licensed."""
    buyer.bundle()
    for name in NAMES:
        buyer.world.write(f"media/{name}", (buyer.folder / name).read_bytes())
    buyer.world.write("media/more/strange.flac", b"of nobody")
    return buyer


def table(buyer: Buyer, path: str = "a.parquet") -> Path:
    values = [{"bytes": (buyer.folder / name).read_bytes(), "path": name} for name in NAMES]
    pq.write_table(pa.table({"audio": values, "text": [*NAMES]}), buyer.folder / path)
    return buyer.folder / path


def test_a_folder_is_listed_and_checked(media: Buyer) -> None:
    media.revoke()
    told = media.world.run(*LIST, "media", "--out", "listed.jsonl", status=3)
    assert "4 rows with a license in listed.jsonl, 1 without" in told.stdout
    rows = media.world.rows("listed.jsonl")
    assert [one["file"] for one in rows] == [f"media/{name}" for name in NAMES]
    told = media.check("listed.jsonl", "--verify-bytes", "file", "--out", "kept.jsonl", status=3)
    assert "3 clear, 1 not clear" in told.stdout


def test_values_of_a_table_are_listed_and_checked(media: Buyer) -> None:
    table(media)
    media.world.run(*LIST, "a.parquet", "--column", "audio", "--out", "b.parquet")
    listed = pq.read_table("b.parquet")
    assert listed.column("item").to_pylist() == [hash_from_text(one["item"]) for one in media.rows]
    assert listed.drop_columns(["license", "item"]).equals(pq.read_table("a.parquet"))
    told = media.check("b.parquet", "--verify-bytes", "audio", "--json")
    assert json.loads(told.stdout)["clear"] == 4


SALT = bytes(range(32))


def salt(buyer: Buyer) -> list[str]:
    """The salted items of the files, which are licensed instead of the plain ones."""
    return [hex_text(sha256(SALT + sha256((buyer.folder / name).read_bytes()))) for name in NAMES]


def salted_table(buyer: Buyer, salts: list[bytes]) -> Path:
    """A table of values, and of salts that are theirs or not."""
    names = {
        "license": [hash_from_text(one["license"]) for one in buyer.rows],
        "item": [hash_from_text(one) for one in salt(buyer)],
        "data": [(buyer.folder / name).read_bytes() for name in NAMES],
    }
    path = buyer.folder / "t.parquet"
    pq.write_table(pa.table({**names, "salt": salts}), path)
    return path


def salted_lines(buyer: Buyer, salts: list[bytes]) -> Path:
    """The same as lines that name files."""
    rows = zip(buyer.rows, salt(buyer), salts, strict=True)
    lines = ({**row, "item": item, "salt": hex_text(one)} for row, item, one in rows)
    path = buyer.folder / "s.jsonl"
    path.write_text("\n".join(map(json.dumps, lines)))
    return path


@pytest.mark.parametrize(("made", "column"), [(salted_table, "data"), (salted_lines, "file")])
def test_bytes_with_a_salt_are_compared(media: Buyer, made: Made, column: str) -> None:
    right = [SALT] * len(NAMES)
    check_bytes(open_source(made(media, right), Columns()), column)
    for wrong in ([bytes(32), *right[1:]], [b"", *right[1:]]):
        with pytest.raises(BytesDiffer, match="row 1"):
            check_bytes(open_source(made(media, wrong), Columns()), column)


def other_file(buyer: Buyer) -> None:
    (buyer.folder / "media" / "c.flac").write_bytes(b"something else")


def other_item(buyer: Buyer) -> None:
    """The row of a clear file names another one, whose bytes are of nobody."""
    path = buyer.folder / "listed.jsonl"
    path.write_text(path.read_text().replace("media/c.flac", "media/more/strange.flac"))


def no_file(buyer: Buyer) -> None:
    (buyer.folder / "media" / "c.flac").unlink()


def a_pipe(buyer: Buyer) -> None:
    no_file(buyer)
    os.mkfifo(buyer.folder / "media" / "c.flac")


FAULTS = {
    "other bytes": ("bytes-differ", other_file),
    "another file": ("bytes-differ", other_item),
    "no file": ("file-unreadable", no_file),
    "a pipe": ("file-unreadable", a_pipe),
}


@pytest.mark.parametrize("name", FAULTS)
def test_items_that_are_not_the_bytes(media: Buyer, name: str) -> None:
    code, spoil = FAULTS[name]
    media.world.run(*LIST, "media", "--out", "listed.jsonl", status=3)
    spoil(media)
    more = ("--verify-bytes", "file", "--out", "kept.jsonl")
    media.world.fails(code, "check", "listed.jsonl", *QUERY, *more)
    assert not Path("kept.jsonl").exists()
    assert media.node.checks == []


def test_a_value_of_a_table_that_was_exchanged(media: Buyer) -> None:
    table(media)
    media.world.run(*LIST, "a.parquet", "--column", "audio", "--out", "b.parquet")
    listed = pq.read_table("b.parquet")
    values = [*reversed(listed.column("audio").to_pylist())]
    wrong = listed.set_column(0, "audio", pa.array(values))
    pq.write_table(wrong, "b.parquet")
    media.world.fails("bytes-differ", "check", "b.parquet", *QUERY, "--verify-bytes", "audio")


@pytest.mark.parametrize("column", ["lost", "embedding"])
def test_a_column_without_bytes(buyer: Buyer, column: str) -> None:
    buyer.parquet()
    buyer.world.fails("bad-manifest", "check", "m.parquet", *QUERY, "--verify-bytes", column)
    buyer.world.fails("bad-manifest", "check", "m.jsonl", *QUERY, "--verify-bytes", column)


def test_a_table_that_has_the_columns_already(media: Buyer) -> None:
    media.parquet()
    more = ("--column", "file", "--out", "b.parquet")
    media.world.fails("bad-manifest", *LIST, "m.parquet", *more)
    assert not Path("b.parquet").exists()


def test_a_manifest_never_replaces_its_data(media: Buyer) -> None:
    media.world.fails("output-is-input", *LIST, "media", "--out", "media/m.jsonl")
