"""Nothing is left out silently, and what is wrong is called by its name."""

import fcntl
import json
import os
import shutil
import tarfile
from io import BytesIO
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from sayso.commands.buyer.progress import LINE_S, Lines
from sayso.outputs import Outputs

BUNDLE = ("--bundle", "licenses.sayso")


def snapshot(buyer: Buyer) -> Path:
    """A repository of data sets as its cache keeps it: links to blobs, beside a page and settings."""
    folder = buyer.folder / "hub" / "snapshots" / "1a2b"
    (folder / "data").mkdir(parents=True)
    blobs = buyer.folder / "hub" / "blobs"
    blobs.mkdir()
    for at in range(2):
        shard = buyer.parquet("one.parquet", buyer.rows[2 * at : 2 * at + 2])
        blob = shutil.move(shard, blobs / f"{at}")
        (folder / "data" / f"train-{at:05}-of-00002.parquet").symlink_to(blob)
    for name in ("README.md", ".gitattributes"):
        (blobs / name).write_text("about")
        (folder / name).symlink_to(blobs / name)
    return folder


def test_a_snapshot_of_links(buyer: Buyer) -> None:
    buyer.revoke()
    folder = snapshot(buyer)
    told = buyer.check(folder, "--out", "kept", status=3)
    assert "4 rows: 3 clear" in told.stdout
    assert "'README.md'" in told.stderr
    assert "'.gitattributes'" in told.stderr
    kept = sorted(Path("kept").rglob("*"))
    assert [one.name for one in kept if one.is_file()] == [
        f"train-{at:05}-of-00002.parquet" for at in (0, 1)
    ]
    assert not any(one.is_symlink() for one in kept)


def test_a_link_to_nowhere_is_no_shard(buyer: Buyer) -> None:
    folder = snapshot(buyer)
    (buyer.folder / "hub" / "blobs" / "1").unlink()
    told = buyer.world.fails("file-unreadable", "check", folder, *QUERY).stderr
    assert "train-00001-of-00002.parquet" in told


def test_pages_and_hidden_files_are_no_rows(buyer: Buyer) -> None:
    buyer.bundle()
    for name in NAMES:
        buyer.world.write(f"media/{name}", name.encode())
    for name in ("README.md", "LICENSE", ".DS_Store", "Thumbs.db", ".git/config"):
        buyer.world.write(f"media/{name}")
    Path("media/link").symlink_to("a.flac")
    told = buyer.check("media", *BUNDLE, "--out", "kept", "--receipt", "receipt.json")
    assert "4 rows: 4 clear" in told.stdout
    for name in ("README.md", "LICENSE", ".DS_Store", "Thumbs.db", "link"):
        assert f"'{name}'" in told.stderr
    assert {one.name for one in Path("kept").iterdir()} == set(NAMES)
    buyer.world.run("receipt", "verify", "receipt.json", "--manifest", "media", *BUNDLE)


def test_shared_footers_are_kept_if_they_stay_true(buyer: Buyer) -> None:
    buyer.revoke()
    path = buyer.parquet("shards/0.parquet")
    pq.write_metadata(pq.read_schema(path), "shards/_common_metadata")
    shutil.copy("shards/_common_metadata", "shards/_metadata")
    buyer.world.write("shards/_temporary/1.parquet")
    told = buyer.check("shards", "--out", "kept", status=3).stderr
    assert Path("kept/_common_metadata").read_bytes() == Path("shards/_common_metadata").read_bytes()
    assert not Path("kept/_metadata").exists()
    assert "'_metadata'" in told
    assert "'_temporary'" in told


@pytest.mark.parametrize(
    "name", ["M.JSONL", "rows.v1.2.jsonl", "M.NdJson", "M.CSV", "rows.2026.Parquet"]
)
def test_names_in_capitals_and_with_dots(buyer: Buyer, name: str) -> None:
    buyer.revoke()
    path = buyer.csv() if name.endswith("CSV") else buyer.parquet()
    source = path if "sv" in name.lower() or "arq" in name else buyer.folder / "m.jsonl"
    source = buyer.folder / "m.jsonl" if "json" in name.lower() else source
    shutil.copy(source, name)
    told = json.loads(buyer.check(name, "--json", status=3).stdout)
    assert (told["rows"], told["clear"]) == (4, 3)


@pytest.mark.parametrize("label", ["1.meta.json", "1.JSON", "1.page.Cls", "1.left.json"])
def test_labels_with_dots_and_in_capitals(buyer: Buyer, label: str) -> None:
    buyer.bundle()
    with tarfile.open("n.tar", "w") as out:
        for name, data in (("1.flac", b"a.flac"), (label, b"{}")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, BytesIO(data))
    assert "1 row: 1 clear" in buyer.check("n.tar", *BUNDLE).stdout


def test_labels_that_the_user_names(buyer: Buyer) -> None:
    """As img2dataset writes them: picture, caption and JSON, which names no license."""
    buyer.bundle()
    with tarfile.open("n.tar", "w") as out:
        for name, data in (("1.flac", b"a.flac"), ("1.txt", b"caption"), ("1.json", b"{}")):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            out.addfile(info, BytesIO(data))
    assert "2 rows: 1 clear" in buyer.check("n.tar", *BUNDLE, status=3).stdout
    assert "1 row: 1 clear" in buyer.check("n.tar", *BUNDLE, "--label", ".TXT").stdout


@pytest.mark.parametrize("name", ["m.parquet", "m.csv", "m.tar", "m.arrow"])
def test_no_advice_about_another_format(buyer: Buyer, name: str) -> None:
    buyer.world.write(name, b"something else")
    assert "JSON" not in buyer.world.fails("bad-manifest", "check", name, *QUERY).stderr


def test_a_folder_of_media_beside_its_table_names_the_table(buyer: Buyer) -> None:
    buyer.world.write("audio/a.flac")
    shutil.copy("m.jsonl", "audio/metadata.jsonl")
    told = buyer.world.fails("bad-manifest", "check", "audio", *QUERY).stderr
    assert "'metadata.jsonl'" in told


def test_what_a_killed_check_left_is_removed_by_the_next(buyer: Buyer) -> None:
    dead = Path(".kept.parquet.0a0b0c0d.part")
    dead.write_bytes(b"rows")
    Path(".kept.0a0b0c0d.part").mkdir()
    buyer.world.write(".kept.0a0b0c0d.part/0.parquet")
    other = buyer.world.write(".other.parquet.0a0b0c0d.part")
    buyer.parquet()
    buyer.check("m.parquet", "--out", "kept.parquet")
    buyer.parquet("shards/0.parquet")
    buyer.check("shards", "--out", "kept")
    assert not dead.exists()
    assert not Path(".kept.0a0b0c0d.part").exists()
    assert other.exists()


def test_what_a_running_check_writes_is_left_alone(buyer: Buyer) -> None:
    buyer.parquet()
    with Outputs() as running:
        mine = running.open(Path("kept.parquet").absolute())
        folder = running.folder(Path("kept").absolute())
        descriptor = os.open(mine.part, os.O_RDONLY)
        with pytest.raises(BlockingIOError):
            fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        os.close(descriptor)
        buyer.check("m.parquet", "--out", "kept.parquet")
        assert mine.part.exists()
        assert folder.part.exists()


def test_hard_links_are_not_put_on_the_disk_one_by_one(
    buyer: Buyer, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Their data is there already; only the folders are new."""
    synced = []
    monkeypatch.setattr(
        "os.fsync", lambda one: synced.append(str(Path(f"/proc/self/fd/{one}").readlink()))
    )
    buyer.bundle()
    for name in NAMES:
        buyer.world.write(f"media/deep/{name}", name.encode())
    buyer.check("media", *BUNDLE, "--out", "kept")
    assert any(one.endswith("/deep") for one in synced)
    assert not any(one.endswith(".flac") for one in synced)
    assert Path("kept/deep/a.flac").stat().st_ino == Path("media/deep/a.flac").stat().st_ino


def test_a_log_is_told_how_far_it_is(capsys: pytest.CaptureFixture[str]) -> None:
    now = 0.0
    begun, done = Lines(lambda: now, quiet=False).functions
    begun(100, "bytes")
    for _ in range(5):
        now += LINE_S / 2
        done(20)
    assert capsys.readouterr().err == "checked 40 of 100 bytes\nchecked 80 of 100 bytes\n"


def test_quiet_says_nothing_but_errors(buyer: Buyer) -> None:
    buyer.revoke()
    told = buyer.check("m.jsonl", "--quiet", "--out", "kept.jsonl", status=3)
    assert (told.stdout, told.stderr) == ("", "")
    assert Path("kept.jsonl").exists()
    assert buyer.world.fails("file-unreadable", "check", "missing", *QUERY, "--quiet").stderr


def test_a_dry_run_reads_all_and_asks_nobody(buyer: Buyer) -> None:
    buyer.world.write("kept.jsonl", b"from an earlier run")
    told = buyer.check("m.jsonl", "--dry-run", "--out", "kept.jsonl")
    assert told.stdout == "4 rows of jsonl would be judged for train-ai by anyone\n"
    assert buyer.node.checks == []
    assert Path("kept.jsonl").read_bytes() == b"from an earlier run"
    buyer.world.write("bad.jsonl", b"{}\n")
    buyer.world.fails("bad-manifest", "check", "bad.jsonl", *QUERY, "--dry-run")


def test_several_manifests_and_patterns(buyer: Buyer) -> None:
    buyer.revoke("c.flac")
    for at, place in enumerate(("x", "y/z")):
        Path(place).mkdir(parents=True)
        buyer.parquet(f"{place}/{at}.parquet", buyer.rows[2 * at : 2 * at + 2])
    files = ("--rejected", "why.jsonl", "--receipt", "receipt.json")
    proof = ("receipt", "verify", "receipt.json", "--rejected", "why.jsonl")
    buyer.check("x/0.parquet", "y/z/1.parquet", "--out", "kept", *files, status=3)
    kept = {str(one.relative_to("kept")) for one in Path("kept").rglob("*") if one.is_file()}
    assert kept == {"x/0.parquet", "y/z/1.parquet"}
    assert [one["shard"] for one in buyer.world.rows("why.jsonl")] == ["y/z/1.parquet"]
    buyer.world.run(*proof, "--manifest", "x/0.parquet", "--manifest", "y/z/1.parquet")
    buyer.world.fails(
        "bad-proof", *proof[:3], "--manifest", "y/z/1.parquet", "--manifest", "x/0.parquet"
    )
    buyer.check("**/*.parquet", "--out", "again", *files, status=3)
    assert {one.name for one in Path("again").rglob("*.parquet")} == {"0.parquet", "1.parquet"}
    buyer.world.fails("bad-manifest", "check", "x/0.parquet", "m.jsonl", *QUERY)
    buyer.world.fails("output-is-input", "check", "x/0.parquet", "m.jsonl", *QUERY, "--out", "m.jsonl")
    with buyer.gate() as gate:
        assert gate.check(["x/0.parquet", Path("y/z/1.parquet")]).clear == 3


def test_fields_of_fields_name_the_hashes(buyer: Buyer) -> None:
    buyer.revoke()
    names = ("--license-column", "meta.license", "--item-column", "meta.item")
    nested = [{"meta": {"license": one["license"], "item": one["item"]}} for one in buyer.rows]
    buyer.world.write("n.jsonl", "".join(json.dumps(one) + "\n" for one in nested).encode())
    pq.write_table(pa.Table.from_pylist(nested), "n.parquet")
    for name in ("n.jsonl", "n.parquet"):
        told = buyer.check(name, *names, "--out", f"kept.{name}", "--json", status=3)
        assert json.loads(told.stdout)["reasons"] == {"revoked": 1}
    kept = pq.read_table("kept.n.parquet").to_pylist()
    assert kept == [nested[0], *nested[2:]]
    buyer.world.fails("bad-manifest", "check", "n.parquet", *QUERY, "--license-column", "meta.none")
