"""One node writes to a database: a second is refused, and one that was fenced off writes no more."""

import asyncio
import signal
import subprocess
import sys
from pathlib import Path

import psycopg
import pytest

from node.store.backends import server
from node.store.harness import number, numbers
from sayso_node.errors import StoreInUse, StoreUnusable
from sayso_node.store.interface import Store
from sayso_node.store.opening import snapshot_at, store_at

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def place() -> str:
    return server().schema()


def contents(place: str) -> tuple[object, ...]:
    with psycopg.connect(place) as db:
        row = db.execute("SELECT version, commits, epoch FROM store_state").fetchone()
        assert row
        return (*row, *db.execute("SELECT * FROM numbers ORDER BY name").fetchall())


def cut(place: str) -> None:
    """End the writer's session, as a cut connection does."""
    with psycopg.connect(place, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity"
            " WHERE application_name = 'sayso writer'"
        )


def held(place: str) -> Store:
    store = store_at(place)
    store.hold()
    return store


def started(place: str) -> Store:
    store = held(place)
    store.start()
    return store


def test_a_killed_process_blocks_nobody(place: str) -> None:
    command = [sys.executable, str(WRITER), place, "0", "hold"]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout
        assert process.stdout.readline()
        before = contents(place)[2]
        with pytest.raises(StoreInUse):
            held(place).start()
        assert contents(place)[2] == before
        process.send_signal(signal.SIGKILL)
    store = started(place)
    with store.read() as db:
        assert 0 in numbers(db)
    store.stop()


async def test_what_was_fenced_off_writes_no_more(place: str) -> None:
    """The first process loses its session, a second begins and ends, and the first comes back."""
    first = started(place)
    await first.write(number(1))
    cut(place)
    second = started(place)
    await second.write(number(2))
    second.stop()
    before = contents(place)
    for value in (3, 4):
        with pytest.raises(StoreUnusable):
            await first.write(number(value))
    with pytest.raises(StoreUnusable) as ended:  # so the node ends
        await asyncio.wait_for(first.watch(), 30)
    assert isinstance(ended.value.__cause__, StoreInUse)
    assert contents(place) == before
    first.stop()


async def test_an_epoch_is_compared_in_the_transaction(place: str) -> None:
    """Another process has begun, although the session of this one is alive."""
    first = started(place)
    await first.write(number(1))
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET epoch = epoch + 1")
    before = contents(place)
    answers = await asyncio.gather(*(first.write(number(one)) for one in (2, 3)), return_exceptions=True)
    assert all(isinstance(one, StoreUnusable) for one in answers)
    assert contents(place) == before
    first.stop()


async def test_a_lost_session_is_taken_up_again(place: str) -> None:
    store = started(place)
    await store.write(number(1))
    cut(place)
    with pytest.raises(StoreUnusable):
        await store.write(number(2))  # it is not known whether it was committed
    assert await store.write(number(3)) == 3
    with snapshot_at(place) as db:
        assert numbers(db) == {1, 3}
    with pytest.raises(StoreInUse):
        held(place).start()  # the new session has the lock, too
    store.stop()
