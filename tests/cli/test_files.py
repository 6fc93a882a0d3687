"""Which files are licensed, in which order, under which hashes."""

import hashlib
import os
import tempfile
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from sayso.errors import FileUnreadable, NothingToGrant
from sayso.files import find_files, hash_files, item_hash

names = st.binary(min_size=1, max_size=30).filter(
    lambda name: b"/" not in name and b"\0" not in name and name not in {b".", b".."}
)


def test_the_order_is_that_of_the_bytes(tmp_path: Path) -> None:
    for name in ("b", "a/z", "a/B", "a/b/c", "a.txt", "Z", "ä"):
        (tmp_path / name).parent.mkdir(exist_ok=True, parents=True)
        (tmp_path / name).write_bytes(b"x")
    found = [str(path.relative_to(tmp_path)) for path in find_files([tmp_path]).files]
    assert found == ["Z", "a/B", "a/b/c", "a/z", "a.txt", "b", "ä"]


@given(st.dictionaries(names, st.binary(max_size=100), min_size=1, max_size=8))
def test_any_name_and_any_bytes(contents: dict[bytes, bytes]) -> None:
    with tempfile.TemporaryDirectory() as folder:
        for name, data in contents.items():
            (Path(folder) / os.fsdecode(name)).write_bytes(data)
        hashed = list(hash_files(find_files([Path(folder)]).files))
    expected = [(name, hashlib.sha256(data).digest()) for name, data in sorted(contents.items())]
    assert [(os.fsencode(one.path.name), one.item) for one in hashed] == expected


def test_large_files_are_read_in_parts(tmp_path: Path) -> None:
    data = bytes(range(256)) * 20_000
    (tmp_path / "large").write_bytes(data)
    assert item_hash(tmp_path / "large") == hashlib.sha256(data).digest()


def test_links_are_not_followed(tmp_path: Path) -> None:
    outside = tmp_path / "private"
    outside.mkdir()
    (outside / "secret").write_bytes(b"secret")
    folder = tmp_path / "folder"
    folder.mkdir()
    (folder / "mine").write_bytes(b"mine")
    (folder / "file").symlink_to(outside / "secret")
    (folder / "dir").symlink_to(outside)
    (folder / "loop").symlink_to(folder)
    (folder / "broken").symlink_to("nowhere")
    os.mkfifo(folder / "pipe")
    found = find_files([folder])
    assert found.files == (folder / "mine",)
    assert {path.name for path in found.skipped} == {"file", "dir", "loop", "broken", "pipe"}


def test_a_link_that_is_named_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_bytes(b"x")
    (tmp_path / "link").symlink_to("file")
    with pytest.raises(FileUnreadable, match="symbolic link"):
        find_files([tmp_path / "link"])
    with pytest.raises(FileUnreadable):
        item_hash(tmp_path / "link")


def test_a_pipe_does_not_make_us_wait(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(FileUnreadable, match="not a regular file"):
        item_hash(tmp_path / "pipe")
    with pytest.raises(FileUnreadable):
        find_files([tmp_path / "pipe"])


@pytest.mark.parametrize("name", ["missing", "x" * 300, "file/below"])
def test_a_path_that_leads_nowhere(tmp_path: Path, name: str) -> None:
    (tmp_path / "file").write_bytes(b"x")
    with pytest.raises(FileUnreadable):
        find_files([tmp_path / name])
    with pytest.raises(FileUnreadable):
        item_hash(tmp_path / name)


def test_nothing_there(tmp_path: Path) -> None:
    (tmp_path / "empty" / "emptier").mkdir(parents=True)
    with pytest.raises(NothingToGrant):
        find_files([tmp_path])
    with pytest.raises(NothingToGrant):
        find_files([])
