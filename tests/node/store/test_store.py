"""What the door promises of any backend: a change stands or falls alone, what was answered is kept."""

import asyncio
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from node.store.backends import Backend
from node.store.harness import Held, Refused, number, numbers
from sayso_node.errors import StoreUnusable
from sayso_node.store.events import feed as events
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.store.writing.commits import Commits
from support.waiting import DEADLINE_S


def on_disk(store: Store) -> set[int]:
    """What another process sees."""
    with snapshot_at(store.location) as db:
        return numbers(db)


async def test_of_many_concurrent_changes_only_the_failing_are_undone(store: Store) -> None:
    changes = [store.write(number(value, fails=value % 7 == 0)) for value in range(1_000)]
    answers = await asyncio.gather(*changes, return_exceptions=True)
    for value, answer in enumerate(answers):
        assert isinstance(answer, Refused) if value % 7 == 0 else answer == value
    assert on_disk(store) == {value for value in range(1_000) if value % 7}


async def test_a_failing_change_in_a_group_takes_nobody_with_it(store: Store) -> None:
    async with Held(store):
        changes = [
            asyncio.create_task(store.write(number(value, fails=value == 2))) for value in range(5)
        ]
        await asyncio.sleep(0)
    answers = await asyncio.gather(*changes, return_exceptions=True)
    assert isinstance(answers[2], Refused)
    with store.read() as db:
        assert numbers(db) == {-1, 0, 1, 3, 4}


async def test_an_answer_means_that_it_is_on_disk(store: Store) -> None:
    for value in range(20):
        await store.write(number(value))
        assert value in on_disk(store)


async def test_a_reader_that_ends_after_the_store_leaves_nothing_open(store: Store) -> None:
    """Its connection would keep the log of a file, and a place on a server."""
    await store.write(number(1))
    engine: Any = store
    with store.read() as db:
        assert numbers(db) == {1}
        store.stop()
        assert numbers(db) == {1}
    assert engine._idle == []
    if (path := Path(store.location)).exists():
        assert [one.name for one in path.parent.iterdir()] == [path.name]


async def test_a_reader_sees_one_committed_state_and_never_waits(store: Store) -> None:
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


async def test_a_reader_that_fails_leaves_nothing_open(store: Store) -> None:
    def fail() -> None:
        with store.read() as db:
            assert numbers(db) == set()
            raise Refused

    with pytest.raises(Refused):
        fail()
    await store.write(number(1))
    with store.read() as db:
        assert numbers(db) == {1}


async def test_pairs_are_never_seen_half(store: Store) -> None:
    """Many reading threads while pairs are written: each sees both of a pair or neither."""
    done = threading.Event()

    def pair(value: int) -> Callable[[Writing], None]:
        def change(db: Writing) -> None:
            db.execute("INSERT INTO numbers VALUES (?, ?)", (f"a{value}", value))
            db.execute("INSERT INTO people (address, unsure) VALUES (?, 0)", (value.to_bytes(20),))

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


async def test_stop_finishes_what_was_asked_for(store: Store) -> None:
    async with Held(store) as held:
        waiting = [asyncio.create_task(store.write(number(value))) for value in range(600)]
        await asyncio.sleep(0)
        stopping = asyncio.create_task(asyncio.to_thread(store.stop))
        held.release.set()
        await stopping
    assert await asyncio.gather(*waiting) == list(range(600))
    assert on_disk(store) == {*range(600), -1}


async def test_a_closed_store_refuses_instead_of_keeping_the_caller_waiting(location: str) -> None:
    store = store_at(location)
    with pytest.raises(StoreUnusable):
        await asyncio.wait_for(store.write(number(1)), DEADLINE_S)
    store.start()
    store.stop()
    with pytest.raises(StoreUnusable):
        await asyncio.wait_for(store.write(number(1)), DEADLINE_S)


async def test_what_was_written_is_there_after_a_restart(location: str) -> None:
    for value in range(3):
        store = store_at(location)
        store.start()
        with store.read() as db:
            assert numbers(db) == set(range(value))
        await store.write(number(value))
        store.stop()


async def test_who_waits_for_a_commit_is_woken_by_it_and_misses_none(store: Store) -> None:
    seen = store.commits
    waiting = asyncio.create_task(store.committed(seen))
    abandoned = asyncio.create_task(store.committed(seen))
    await asyncio.sleep(0)
    abandoned.cancel()
    assert not waiting.done()
    await store.write(number(1))
    assert await asyncio.wait_for(waiting, DEADLINE_S) == store.commits == seen + 1
    assert (
        await asyncio.wait_for(store.committed(seen), DEADLINE_S) == seen + 1
    )  # there was one: at once


async def test_who_gave_up_waiting_for_a_commit_leaves_nothing() -> None:
    commits = Commits()
    waiting = asyncio.create_task(commits.after(0))
    await asyncio.sleep(0)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)
    assert commits._waiting == {}


async def test_a_read_changes_nothing(store: Store) -> None:
    """mypy says so already, unless a query lies."""
    with pytest.raises(StoreUnusable), store.read() as db:
        db.execute("INSERT INTO numbers VALUES ('a', 1)")
    assert on_disk(store) == set()


async def test_equal_versions_are_of_the_same_state(store: Store) -> None:
    with store.read() as db:
        first = db.version()
        await store.write(number(1))
        assert db.version() == first  # it sees the state before
    with store.read() as db:
        second = db.version()
    assert second != first
    with store.read() as db, store.read() as other:
        assert db.version() == second
        assert other.version() == other.version()


async def test_another_process_sees_one_state_by_the_location(store: Store) -> None:
    await store.write(number(1))
    with snapshot_at(store.location) as db:
        assert numbers(db) == {1}
        await store.write(number(2))
        assert numbers(db) == {1}
    assert on_disk(store) == {1, 2}


def test_where_no_store_is_there_is_no_snapshot(location: str) -> None:
    with pytest.raises(StoreUnusable), snapshot_at(location) as db:
        numbers(db)
    with pytest.raises(StoreUnusable), snapshot_at(location) as db:  # and it was not made, either
        numbers(db)


def test_a_store_keeps_the_name_that_was_drawn_for_it(backend: Backend, tmp_path: Path) -> None:
    names = []
    for folder, drawn in (("a", b"1"), ("b", b"2"), ("a", b"3")):
        (tmp_path / folder).mkdir(exist_ok=True)
        store = store_at(backend.location(tmp_path / folder), lambda count, drawn=drawn: drawn * count)
        store.start()
        with store.read() as db:
            names.append(events.store_id(db))
        store.stop()
    assert names == [b"1" * 16, b"2" * 16, b"1" * 16]
