"""One folder, one process; one identity, one store, on one network."""

import os
import shutil
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import closing
from pathlib import Path

import pytest

from sayso_node.errors import (
    FolderInUse,
    StoreDamaged,
    StoreInUse,
    StoreMissing,
    StoreTooNew,
    StoreUnusable,
    WrongStore,
)
from sayso_node.folder.lock import LOCK_FILE, USED_FILE, NodeFolder
from sayso_node.store import singles
from sayso_node.store.events.feed import store_id
from sayso_node.store.opening import snapshot_at
from sayso_node.store.sqlite.engine import copy
from sayso_node.store.tables.schema import VERSION
from support.node_rig import consent
from support.running_node import running_node

STORE = "store.sqlite"


async def run_once(folder: Path, **settings: object) -> None:
    async with running_node(folder, **settings) as node:  # type: ignore[arg-type]
        await node.submit(consent(1, sponsor=None))


async def test_a_second_process_is_refused_and_changes_nothing(tmp_path: Path) -> None:
    async with running_node(tmp_path) as node:
        with pytest.raises(FolderInUse, match=f"process {os.getpid()}"):
            await run_once(tmp_path)
        assert (await node.get("/healthz"))[0] == 200
    await run_once(tmp_path)  # it was let go


def test_a_lock_of_a_killed_process_is_none(tmp_path: Path) -> None:
    program = (
        "import sys, pathlib, time; from sayso_node.folder.lock import NodeFolder;"
        "NodeFolder(pathlib.Path(sys.argv[1])).lock(); print('held', flush=True); time.sleep(600)"
    )
    process = subprocess.Popen(
        [sys.executable, "-c", program, str(tmp_path)], stdout=subprocess.PIPE, text=True
    )
    assert process.stdout
    assert process.stdout.readline() == "held\n"
    folder = NodeFolder(tmp_path)
    with pytest.raises(FolderInUse, match=f"process {process.pid}"):
        folder.lock()
    process.kill()
    process.communicate()
    folder.lock()
    folder.release()
    assert (tmp_path / LOCK_FILE).exists()


@pytest.mark.parametrize("how", ["missing", "empty"])
async def test_no_empty_store_under_a_used_identity(tmp_path: Path, how: str) -> None:
    await run_once(tmp_path)
    (tmp_path / STORE).unlink()
    if how == "empty":
        (tmp_path / STORE).touch()
    with pytest.raises(StoreMissing):
        await run_once(tmp_path)
    assert (tmp_path / STORE).exists() == (how == "empty")
    assert how == "missing" or not (tmp_path / STORE).stat().st_size


async def test_a_store_of_a_newer_release(tmp_path: Path) -> None:
    await run_once(tmp_path)
    with closing(sqlite3.connect(tmp_path / STORE)) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreTooNew, match=str(VERSION + 1)):
        await run_once(tmp_path)


async def test_a_store_of_another_node_or_network(tmp_path: Path) -> None:
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
        await run_once(tmp_path / name, name=name)
    for end in ("", "-wal", "-shm"):  # a reader that ended late may have left a log
        (tmp_path / "two" / f"{STORE}{end}").unlink(missing_ok=True)
    copy(tmp_path / "one" / STORE, tmp_path / "two" / STORE)
    with pytest.raises(WrongStore, match=r"the store .* is that of node"):
        await run_once(tmp_path / "two", name="two")


async def test_a_database_that_is_no_store(tmp_path: Path) -> None:
    with closing(sqlite3.connect(tmp_path / STORE)) as db:
        db.execute("CREATE TABLE photos (name TEXT)")
        db.commit()
    before = (tmp_path / STORE).read_bytes()
    with pytest.raises(WrongStore):
        await run_once(tmp_path)
    assert (tmp_path / STORE).read_bytes()[100:] == before[100:]


@pytest.mark.parametrize("what", [b"no database at all" * 500, b"SQLite format 3\0" + b"\xff" * 9_000])
async def test_a_file_that_cannot_be_read(tmp_path: Path, what: bytes) -> None:
    (tmp_path / STORE).write_bytes(what)
    with pytest.raises(StoreDamaged):
        await run_once(tmp_path)


async def test_a_folder_that_cannot_be_written(tmp_path: Path) -> None:
    await run_once(tmp_path)
    (tmp_path / STORE).unlink()
    (tmp_path / STORE).mkdir()
    with pytest.raises(StoreUnusable):
        await run_once(tmp_path)


@pytest.mark.parametrize("link", [os.symlink, os.link])
async def test_a_store_under_two_names_has_one_process(
    tmp_path: Path, link: Callable[[Path, Path], None]
) -> None:
    """Two folders have two locks, and under two names a file has two logs."""
    for name in ("one", "two"):
        (tmp_path / name).mkdir()
    await run_once(tmp_path / "one")
    link(tmp_path / "one" / STORE, tmp_path / "two" / STORE)
    async with running_node(tmp_path / "one"):
        with pytest.raises(StoreInUse):
            await run_once(tmp_path / "two")
        assert {one.name for one in (tmp_path / "two").iterdir()} == {STORE, LOCK_FILE}
    await run_once(tmp_path / "two")


def marks_in(folder: Path) -> tuple[bool, bytes]:
    """Whether the store is taken for a restored one, and its id."""
    with snapshot_at(folder / STORE) as db:
        return singles.get(db, singles.RESTORED) is not None, store_id(db)


@pytest.mark.parametrize("loss", ["log", "older copy"])
async def test_a_store_that_is_older_than_the_last_start_is_taken_for_a_restored_one(
    tmp_path: Path, loss: str
) -> None:
    """It has forgotten what was promised, and uses numbers of events again, which listeners heard."""
    one, bare = tmp_path / "one", tmp_path / "bare"
    for folder in (one, bare):
        folder.mkdir()
    for _ in range(3):
        await run_once(one)
    is_restored, before = marks_in(one)
    assert not is_restored  # what was merely started again is what it was
    async with running_node(one) as node:
        shutil.copy(one / STORE, bare / STORE)  # without the log, which has this start
        await node.submit(consent(2, sponsor=None))
        if loss == "older copy":
            shutil.copy(one / f"{STORE}-wal", bare / f"{STORE}-wal")
    if loss == "older copy":
        await run_once(one)
    for name in (STORE, f"{STORE}-wal"):
        (one / name).unlink(missing_ok=True)
        if (bare / name).exists():
            shutil.copy(bare / name, one / name)
    await run_once(one)
    is_restored, after = marks_in(one)
    assert is_restored
    assert after != before


async def test_a_start_that_was_cut_off_is_no_loss(tmp_path: Path) -> None:
    """The store has it, and the note beside the identity has not."""
    await run_once(tmp_path)
    before = (tmp_path / USED_FILE).read_bytes()
    await run_once(tmp_path)
    (tmp_path / USED_FILE).write_bytes(before)
    await run_once(tmp_path)
    assert not marks_in(tmp_path)[0]
