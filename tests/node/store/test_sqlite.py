"""What SQLite alone promises: its flushes, its files, what it overwrites."""

import asyncio
import os
import shutil
import sqlite3
from pathlib import Path

import pytest

from node.store.backends import Backend, Sqlite
from node.store.harness import Held, Tables, add_consent, number, numbers
from sayso_node.errors import StoreUnusable
from sayso_node.store import erasure
from sayso_node.store.admission import revocations
from sayso_node.store.admission.pending import PendingRoom
from sayso_node.store.admission.revocations import Admitted
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import copy_store, snapshot_at, store_at
from sayso_node.store.revocations import bits
from sayso_node.store.sqlite.connection import SqliteConnection
from sayso_node.store.tables.schema import VERSION
from sayso_node.store.writing.writer import GROUP_LIMIT
from support.dating import date_all
from support.node_rig import NOW, NodeRig, consent, revocation
from support.protocol_strategies import ADA, NETWORK


@pytest.fixture(scope="session")
def backend() -> Backend:
    return Sqlite()


@pytest.fixture(scope="session")
def tables(backend: Backend) -> Tables:
    return backend.tables


def names_in(folder: Path) -> set[str]:
    return {one.name for one in folder.iterdir()}


def _connection(db: Writing) -> SqliteConnection:
    assert isinstance(db, SqliteConnection)
    return db


async def test_changes_that_wait_together_share_a_flush(store: Store) -> None:
    statements: list[str] = []
    await store.write(lambda db: _connection(db).set_trace_callback(statements.append))
    async with Held(store):
        waiting = [asyncio.create_task(store.write(number(value))) for value in range(2 * GROUP_LIMIT)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    # That of the held change, and two full groups.
    assert statements.count("COMMIT") == 3 + 1  # the first is that of the change that set the trace


async def test_a_flush_is_one_to_disk(store: Store) -> None:
    """What a killed process shows nothing of, a power cut does: WAL, and synchronous FULL (2)."""
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
        row = await store.write(lambda db, pragma=pragma: db.execute(f"PRAGMA {pragma}").fetchone())  # type: ignore[misc]
        assert row == (value,)


async def test_a_change_that_breaks_the_transaction_fails_its_group_and_no_later_one(
    store: Store,
) -> None:
    async with Held(store):
        first = asyncio.create_task(store.write(number(1)))
        broken = asyncio.create_task(store.write(lambda db: db.execute("ROLLBACK")))
        await asyncio.sleep(0)
    answers = await asyncio.gather(first, broken, return_exceptions=True)
    assert [type(answer) for answer in answers] == [StoreUnusable, StoreUnusable]
    assert await store.write(number(2)) == 2
    with store.read() as db:
        assert numbers(db) == {-1, 2}


async def test_a_full_disk_is_said_and_survived(store: Store) -> None:
    full = "PRAGMA max_page_count = 60"
    blob = "INSERT INTO messages VALUES (NULL, ?, 1, x'', zeroblob(1000000), 0, NULL)"
    await store.write(lambda db: db.execute(full))
    with pytest.raises(StoreUnusable, match="full"):
        await store.write(lambda db: db.execute(blob, (b"d",)))
    await store.write(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    await store.write(lambda db: db.execute(blob, (b"d",)))


async def test_a_store_that_cannot_be_written_is_said(store: Store) -> None:
    def read_only(db: Writing) -> int:
        db.execute("PRAGMA query_only = 1")
        try:
            return number(1)(db)
        finally:
            db.execute("PRAGMA query_only = 0")

    with pytest.raises(StoreUnusable, match="readonly"):
        await store.write(read_only)
    assert await store.write(number(1)) == 1


@pytest.mark.parametrize("how", ["removed", "replaced"])
@pytest.mark.parametrize("end", ["", "-wal"])
async def test_a_file_that_is_not_in_its_place_takes_nothing(tmp_path: Path, end: str, how: str) -> None:
    """What goes into a file without a name is gone with its process; a file in its place is older."""
    store = store_at(tmp_path / "store.sqlite")
    place, away = tmp_path / f"store.sqlite{end}", tmp_path / "away"
    store.start()
    try:
        await store.write(number(1))
        with store.read():
            pass  # leaves a connection
        place.rename(away)
        if how == "replaced":
            shutil.copy(away, place)
        with pytest.raises(StoreUnusable, match="moved, removed or replaced"):
            await store.write(number(2))
        assert store.trouble
        with store.read() as known:  # by that connection, which has the right file
            with pytest.raises(StoreUnusable, match="replaced"), store.read():
                pass
            assert 2 not in numbers(known)
        assert place.exists() == (how == "replaced")
        away.replace(place)
        assert await store.write(number(2)) == 2
        assert store.trouble is None
    finally:
        store.stop()


async def test_the_next_start_makes_a_log_of_its_own(tmp_path: Path) -> None:
    """Who closes last removes the log, which the next start does not take for lost."""
    store = store_at(tmp_path / "store.sqlite")
    for value in (1, 2):
        store.start()
        try:
            await store.write(number(value))
        finally:
            store.stop()
        assert not (tmp_path / "store.sqlite-wal").exists()
        (tmp_path / f"{value}").touch()  # takes the inode of the log that was removed


@pytest.mark.parametrize("is_clean", [True, False])
async def test_a_store_on_a_disk_that_is_read_only_is_read(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, *, is_clean: bool
) -> None:
    """As a failing disk is; SQLite would make files beside the store, which one needs after a crash."""
    store = store_at(tmp_path / "store.sqlite")
    store.start()
    await store.write(number(1))
    if is_clean:
        store.stop()
    before = names_in(tmp_path)
    monkeypatch.setattr(os, "access", lambda *_, **__: False)
    with snapshot_at(tmp_path / "store.sqlite") as db:
        assert numbers(db) == {1}
        assert names_in(tmp_path) == before
    copy_store(tmp_path / "store.sqlite", tmp_path / "copy")
    store.stop()


def test_a_store_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StoreUnusable, match=f"version {VERSION + 1}"):
        store_at(path).start()
    db = sqlite3.connect(path)
    assert db.execute("SELECT name FROM sqlite_master").fetchall() == [("theirs",)]
    db.close()


def test_what_is_no_store_is_refused(tmp_path: Path) -> None:
    words = tmp_path / "words.sqlite"
    words.write_bytes(b"these are no tables, " * 100)
    foreign = tmp_path / "foreign.sqlite"
    db = sqlite3.connect(foreign)  # version 0, but not empty: one of our names is taken
    db.execute("CREATE TABLE messages (x)")
    db.close()
    for path in (words, foreign, tmp_path, tmp_path / "missing" / "store.sqlite"):
        with pytest.raises(StoreUnusable):
            store_at(path).start()
    assert words.read_bytes() == b"these are no tables, " * 100


def test_a_store_killed_while_it_is_made_can_be_made_again(tmp_path: Path) -> None:
    """As after a kill between the creation of the file and the commit of the tables."""
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path, isolation_level=None)
    db.execute("PRAGMA journal_mode = WAL")
    db.execute("BEGIN")
    db.execute("CREATE TABLE messages (x)")
    db.close()
    store = store_at(path)
    store.start()
    with store.read() as reading:
        assert reading.execute("SELECT count(*) FROM messages").fetchone() == (0,)
    store.stop()


async def test_of_what_was_erased_no_byte_is_left(rig: NodeRig) -> None:
    held = consent(1, count=300)
    secret = held.items[7]
    await rig.give(held, revocation("everything"), consent(2))
    await rig.store.write(date_all)
    await rig.store.write(lambda db: erasure.erase(db, NETWORK, held.digest))
    files = list(rig.folder.glob("*"))
    with rig.store.read() as db:
        tables = [name for (name,) in db.execute("SELECT name FROM sqlite_master WHERE type = 'table'")]
        for table in tables:
            for row in db.execute(f"SELECT * FROM {table}"):
                assert not any(isinstance(one, bytes) and secret in one for one in row)
    rig.store.stop()  # the log of changes goes with it
    assert not any(secret in file.read_bytes() for file in files if file.exists())


def test_what_a_revocation_costs_does_not_grow_with_what_its_signer_revoked(tables: Tables) -> None:
    """Otherwise anybody could slow the one writer down for everybody, with words of his own."""
    db = tables()
    add_consent(db, consent(1), NOW)
    steps = [0]

    def count() -> int:
        steps[0] += 1
        return 0

    def cost(number: int) -> int:
        envelope, steps[0] = revocation(f"via a{number}.test", words={number: 1}), 0
        assert isinstance(db, SqliteConnection)
        db.set_progress_handler(count, 1)
        assert revocations.admit(db, envelope, "test", NOW, PendingRoom()) is Admitted.STORED
        db.set_progress_handler(None, 1)
        return steps[0]

    bits.merge_bits(db, ADA, dict.fromkeys(range(10), 1), source="chain", now=NOW)
    few = cost(1_000_000)
    bits.merge_bits(db, ADA, dict.fromkeys(range(3_000), 1), source="chain", now=NOW)
    assert cost(2_000_000) < 2 * few
