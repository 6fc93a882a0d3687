"""Data that is its own manifest: folders of files, WebDataset tars, Hugging Face datasets on disk."""

import io
import json
import tarfile
from pathlib import Path

import pytest

from cli.conftest import QUERY
from cli.gate.conftest import NAMES, Buyer
from sayso_protocol.primitives import hex_text, sha256

FILES = ("--rejected", "why.jsonl", "--receipt", "receipt.json")
BUNDLE = ("--bundle", "licenses.sayso")


@pytest.fixture
def media(buyer: Buyer) -> Path:
    """The four files in a folder, b.flac revoked, and one that nobody licensed."""
    buyer.revoke()
    buyer.bundle()
    folder = buyer.folder / "media" / "deep"
    folder.mkdir(parents=True)
    for name in NAMES:
        (folder / name).write_bytes(name.encode())
    (folder.parent / "stray.flac").write_bytes(b"stray")
    return folder.parent


def test_a_folder_of_media(buyer: Buyer, media: Path) -> None:
    (media / "link.flac").symlink_to(media / "stray.flac")
    buyer.check("media", *BUNDLE, "--out", "kept", *FILES, status=3)
    kept = {str(one.relative_to("kept")): one for one in Path("kept").rglob("*.flac")}
    assert set(kept) == {"deep/a.flac", "deep/c.flac", "deep/d.flac"}
    assert all(one.read_bytes() == one.name.encode() for one in kept.values())
    told = {(one["file"], one["reason"]) for one in buyer.world.rows("why.jsonl")}
    assert told == {("media/deep/b.flac", "revoked"), ("media/stray.flac", "unknown")}
    buyer.world.fails("bad-manifest", "check", "media", *QUERY)
    verify = ("receipt", "verify", "receipt.json", "--manifest", "media", "--rejected", "why.jsonl")
    buyer.world.run(*verify, *BUNDLE)


def test_a_file_that_changes_meanwhile(buyer: Buyer, media: Path) -> None:
    def change(route: str, answer: object) -> object:
        if route == "check":
            (media / "deep" / "a.flac").write_bytes(b"something else")
        return answer

    buyer.node.twist = change
    buyer.world.fails("manifest-changed", "check", "media", *QUERY, *BUNDLE, "--out", "kept")
    assert not [one for one in buyer.world.left() if "kept" in one]


def tar(path: Path, members: dict[str, bytes], mode: str = "w") -> bytes:
    with tarfile.open(path, mode) as archive:  # type: ignore[call-overload]
        for name, data in members.items():
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return path.read_bytes()


def read_tar(path: str) -> dict[str, bytes]:
    with tarfile.open(path) as archive:
        return {one.name: archive.extractfile(one).read() for one in archive}  # type: ignore[union-attr]


@pytest.mark.parametrize(("name", "mode"), [("m.tar", "w"), ("m.tar.gz", "w:gz")])
def test_tars_keep_whole_samples(buyer: Buyer, media: Path, name: str, mode: str) -> None:
    other = {"license": buyer.rows[0]["license"]}
    members = {
        "x/1.flac": b"a.flac",
        "x/1.cls": b"7",
        "x/2.left.flac": b"a.flac",
        "x/2.right.flac": b"b.flac",
        "x/2.json": b"{}",
        "x/3.flac": b"c.flac",
        "x/3.json": json.dumps(other).encode(),
        "x/4.flac": b"stray",
        "x/5.flac": b"d.flac",
        "x/5.txt": b"what is said is an item, too",
    }
    tar(buyer.folder / name, members, mode)
    buyer.check(name, *BUNDLE, "--out", f"kept-{name}", *FILES, status=3)
    kept = read_tar(f"kept-{name}")
    assert list(kept.items()) == [one for one in members.items() if one[0][2] in "13"]
    told = {one["file"]: one["reason"] for one in buyer.world.rows("why.jsonl")}
    assert told == {"x/2.right.flac": "revoked", "x/4.flac": "unknown", "x/5.txt": "unknown"}


def test_a_folder_of_tars_whose_samples_name_their_licenses(buyer: Buyer) -> None:
    buyer.revoke()
    named = json.dumps({"license": buyer.rows[0]["license"]}).encode()
    (buyer.folder / "tars").mkdir()
    for name in NAMES:
        members = {"1.flac": name.encode(), "1.json": named}
        tar(buyer.folder / "tars" / f"{name}.tar", members)
    buyer.check("tars", "--out", "kept", *FILES, status=3)
    assert [sorted(read_tar(f"kept/{name}.tar")) for name in NAMES] == [
        ["1.flac", "1.json"] if name != "b.flac" else [] for name in NAMES
    ]
    verify = ("receipt", "verify", "receipt.json", "--manifest", "tars", "--rejected", "why.jsonl")
    buyer.world.run(*verify)


def test_tars_that_are_none(buyer: Buyer) -> None:
    data = tar(buyer.folder / "m.tar", {"1.flac": b"a.flac" * 1000})
    links = buyer.folder / "links.tar"
    with tarfile.open(links, "w") as archive:
        info = tarfile.TarInfo("1.flac")
        info.type, info.linkname = tarfile.SYMTYPE, "/etc/passwd"
        archive.addfile(info)
    tar(buyer.folder / "labels.tar", {"1.json": b"{}"})
    buyer.world.write("cut.tar", data[:2_000])
    buyer.world.write("text.tar", b"no archive" * 100)
    tar(buyer.folder / "empty.tar", {})
    for name in ("links", "labels", "cut", "text", "empty"):
        code = ("check", f"{name}.tar", *QUERY, "--out", "kept.tar")
        buyer.world.fails("bad-manifest", *code)
        assert not [one for one in buyer.world.left() if "kept" in one], name


@pytest.mark.parametrize("splits", [False, True])
def test_hugging_face_datasets_on_disk(buyer: Buyer, splits: bool) -> None:
    import datasets

    buyer.revoke()
    whole = datasets.Dataset.from_list(
        [{"license": one["license"], "item": one["item"], "text": one["file"]} for one in buyer.rows]
    )
    parts = {"train": whole.select([0, 1]), "test": whole.select([2, 3])}
    (datasets.DatasetDict(parts) if splits else whole).save_to_disk("data")
    buyer.check("data", "--out", "kept", *FILES, status=3)
    kept = datasets.load_from_disk("kept")
    if splits:
        assert {name: one["text"][:] for name, one in kept.items()} == {
            "train": ["a.flac"],
            "test": ["c.flac", "d.flac"],
        }
    else:
        assert kept["text"][:] == ["a.flac", "c.flac", "d.flac"]
        assert kept.features == whole.features
    (why,) = buyer.world.rows("why.jsonl")
    assert (why["row"], why["item"]) == (2, hex_text(sha256(b"b.flac")))
    verify = ("receipt", "verify", "receipt.json", "--manifest", "data", "--rejected", "why.jsonl")
    buyer.world.run(*verify)
