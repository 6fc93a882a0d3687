"""One writer, group commit: each change stands or falls alone; what was answered is on disk."""

import asyncio
import sqlite3
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Self

import pytest

from sayso_node.errors import StoreUnusable
from sayso_node.store import events
from sayso_node.store.sqlite.engine import Engine
from sayso_node.store.sqlite.schema import VERSION
from sayso_node.store.sqlite.writer import GROUP_LIMIT

Change = Callable[[sqlite3.Connection], int]


class Refused(Exception):
    """What a change raises of its own accord."""


def number(value: int, *, fails: bool = False) -> Change:
    """Writes a row, then perhaps fails."""

    def change(db: sqlite3.Connection) -> int:
        db.execute("INSERT INTO numbers VALUES (?, ?)", (f"n{value}", value))
        if fails:
            raise Refused
        return value

    return change


def numbers(db: sqlite3.Connection) -> set[int]:
    return {value for (value,) in db.execute("SELECT value FROM numbers")}


def on_disk(path: Path) -> set[int]:
    """What somebody else who opens the file sees."""
    db = sqlite3.connect(path)
    try:
        return numbers(db)
    finally:
        db.close()


class Held:
    """Holds the writer inside a change, so that everything asked for meanwhile forms one group."""

    def __init__(self, store: Engine) -> None:
        self.inside, self.release = threading.Event(), threading.Event()
        self.task = asyncio.create_task(store.write(self._wait))

    def _wait(self, db: sqlite3.Connection) -> None:
        db.execute("INSERT INTO numbers VALUES ('held', -1)")
        self.inside.set()
        assert self.release.wait(30)

    async def __aenter__(self) -> Self:
        assert await asyncio.to_thread(self.inside.wait, 30)
        return self

    async def __aexit__(self, *_: object) -> None:
        self.release.set()
        await self.task


async def test_of_many_concurrent_changes_only_the_failing_are_undone(
    store: Engine, tmp_path: Path
) -> None:
    changes = [store.write(number(value, fails=value % 7 == 0)) for value in range(1_000)]
    answers = await asyncio.gather(*changes, return_exceptions=True)
    for value, answer in enumerate(answers):
        assert isinstance(answer, Refused) if value % 7 == 0 else answer == value
    assert on_disk(tmp_path / "store.sqlite") == {value for value in range(1_000) if value % 7}


async def test_a_failing_change_in_a_group_takes_nobody_with_it(store: Engine) -> None:
    async with Held(store):
        changes = [
            asyncio.create_task(store.write(number(value, fails=value == 2))) for value in range(5)
        ]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert isinstance(answers[2], Refused)
    with store.read() as db:
        assert numbers(db) == {-1, 0, 1, 3, 4}


async def test_changes_that_wait_together_share_a_flush(store: Engine) -> None:
    statements: list[str] = []
    await store.write(lambda db: db.set_trace_callback(statements.append))
    async with Held(store):
        waiting = [asyncio.create_task(store.write(number(value))) for value in range(2 * GROUP_LIMIT)]
        await asyncio.sleep(0)
    await asyncio.gather(*waiting)
    # That of the held change, and two full groups.
    assert statements.count("COMMIT") == 3 + 1  # the first is that of the change that set the trace


async def test_an_answer_means_that_it_is_on_disk(store: Engine, tmp_path: Path) -> None:
    for value in range(20):
        await store.write(number(value))
        assert value in on_disk(tmp_path / "store.sqlite")


async def test_a_flush_is_one_to_disk(store: Engine) -> None:
    """What a killed process shows nothing of, a power cut does: WAL, and synchronous FULL (2)."""
    for pragma, value in (("journal_mode", "wal"), ("synchronous", 2)):
        row = await store.write(lambda db, pragma=pragma: db.execute(f"PRAGMA {pragma}").fetchone())  # type: ignore[misc]
        assert row == (value,)


async def test_a_change_that_breaks_the_transaction_fails_its_group_and_no_later_one(
    store: Engine,
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


async def test_a_full_disk_is_said_and_survived(store: Engine) -> None:
    full = "PRAGMA max_page_count = 40"
    blob = "INSERT INTO messages VALUES (NULL, ?, 1, x'', zeroblob(1000000), 0)"
    await store.write(lambda db: db.execute(full))
    with pytest.raises(StoreUnusable, match="full"):
        await store.write(lambda db: db.execute(blob, (b"d",)))
    await store.write(lambda db: db.execute("PRAGMA max_page_count = 100000"))
    await store.write(lambda db: db.execute(blob, (b"d",)))


async def test_a_store_that_cannot_be_written_is_said(store: Engine) -> None:
    def read_only(db: sqlite3.Connection) -> int:
        db.execute("PRAGMA query_only = 1")
        try:
            return number(1)(db)
        finally:
            db.execute("PRAGMA query_only = 0")

    with pytest.raises(StoreUnusable, match="readonly"):
        await store.write(read_only)
    assert await store.write(number(1)) == 1


async def test_a_reader_sees_one_committed_state_and_never_waits(store: Engine) -> None:
    await store.write(number(1))
    async with Held(store):
        with store.read() as db:  # the writer is in the middle of its transaction
            assert numbers(db) == {1}
    with store.read() as before:
        assert numbers(before) == {1, -1}
        await store.write(number(2))
        assert numbers(before) == {1, -1}
        with store.read() as after:
            assert numbers(after) == {1, 2, -1}


async def test_a_reader_that_fails_leaves_nothing_open(store: Engine) -> None:
    def fail() -> None:
        with store.read() as db:
            assert numbers(db) == set()
            raise Refused

    with pytest.raises(Refused):
        fail()
    await store.write(number(1))
    with store.read() as db:
        assert numbers(db) == {1}


async def test_pairs_are_never_seen_half(store: Engine) -> None:
    """Many reading threads while pairs are written: each sees both of a pair or neither."""
    done = threading.Event()

    def pair(value: int) -> Callable[[sqlite3.Connection], None]:
        def change(db: sqlite3.Connection) -> None:
            db.execute("INSERT INTO numbers VALUES (?, ?)", (f"a{value}", value))
            db.execute("INSERT INTO people VALUES (?, 0)", (value.to_bytes(20),))

        return change

    def watch() -> int:
        reads = 0
        while not done.is_set() or not reads:
            with store.read() as db:
                left = db.execute("SELECT count(*) FROM numbers").fetchone()
                assert left == db.execute("SELECT count(*) FROM people").fetchone()
            reads += 1
        return reads

    with ThreadPoolExecutor(4) as pool:
        watching = [pool.submit(watch) for _ in range(4)]
        try:
            await asyncio.gather(*(store.write(pair(value)) for value in range(300)))
        finally:
            done.set()
    assert all(one.result() for one in watching)


async def test_stop_finishes_what_was_asked_for(tmp_path: Path) -> None:
    store = Engine(tmp_path / "store.sqlite")
    store.start()
    async with Held(store) as held:
        waiting = [asyncio.create_task(store.write(number(value))) for value in range(600)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(asyncio.to_thread(store.stop))
        held.release.set()
        await stopping
    assert await asyncio.gather(*waiting) == list(range(600))
    assert on_disk(tmp_path / "store.sqlite") == {*range(600), -1}


async def test_a_closed_store_refuses_instead_of_keeping_the_caller_waiting(tmp_path: Path) -> None:
    store = Engine(tmp_path / "store.sqlite")
    for _ in range(2):  # before start() and after stop()
        with pytest.raises(StoreUnusable):
            await asyncio.wait_for(store.write(number(1)), 5)
        if not (tmp_path / "store.sqlite").exists():
            store.start()
            store.stop()


async def test_what_was_written_is_there_after_a_restart(tmp_path: Path) -> None:
    for value in range(3):
        store = Engine(tmp_path / "store.sqlite")
        store.start()
        with store.read() as db:
            assert numbers(db) == set(range(value))
        await store.write(number(value))
        store.stop()


def test_a_store_of_another_version_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "store.sqlite"
    db = sqlite3.connect(path)
    db.execute(f"PRAGMA user_version = {VERSION + 1}")
    db.execute("CREATE TABLE theirs (x)")
    db.close()
    with pytest.raises(StoreUnusable, match=f"version {VERSION + 1}"):
        Engine(path).start()
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
            Engine(path).start()
    assert words.read_bytes() == b"these are no tables, " * 100


async def test_who_waits_for_a_commit_is_woken_by_it_and_misses_none(store: Engine) -> None:
    seen = store.commits
    waiting = asyncio.create_task(store.committed(seen))
    abandoned = asyncio.create_task(store.committed(seen))
    await asyncio.sleep(0)
    abandoned.cancel()
    assert not waiting.done()
    await store.write(number(1))
    assert await asyncio.wait_for(waiting, 30) == store.commits == seen + 1
    assert await asyncio.wait_for(store.committed(seen), 30) == seen + 1  # there was one: at once
    assert store._waiting == {}


def test_a_store_keeps_the_name_that_was_drawn_for_it(tmp_path: Path) -> None:
    names = []
    for file, drawn in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        store = Engine(tmp_path / file, lambda count, drawn=drawn: drawn * count)
        store.start()
        with store.read() as db:
            names.append(events.store_id(db))
        store.stop()
    assert names == [b"1" * 16, b"2" * 16, b"1" * 16]
