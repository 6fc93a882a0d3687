"""One node writes to a database: a second is refused, and one that was fenced off writes no more."""

import asyncio
import os
import signal
import socket
import subprocess
import sys
from pathlib import Path
from typing import Any

import psycopg
import pytest

from node.store.backends import server
from node.store.harness import number, numbers
from sayso_node.errors import StoreInUse, StoreUnusable
from sayso_node.store.interface import Store
from sayso_node.store.opening import snapshot_at, store_at
from sayso_node.store.postgres import listening
from support.postgres import refusing_soon
from support.waiting import DEADLINE_S, until

WRITER = Path(__file__).with_name("writer.py")


@pytest.fixture
def place() -> str:
    return server().schema()


def contents(place: str) -> tuple[object, ...]:
    with psycopg.connect(place) as db:
        row = db.execute("SELECT version, commits, epoch FROM store_state").fetchone()
        assert row
        return (*row, *db.execute("SELECT * FROM numbers ORDER BY name").fetchall())


def cut(place: str, name: str = "sayso writer") -> None:
    """End the sessions of a name, as a cut connection does."""
    with psycopg.connect(place, autocommit=True) as db:
        db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_stat_activity WHERE application_name = %s",
            (name,),
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
        with refusing_soon(), pytest.raises(StoreInUse):
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
        await asyncio.wait_for(first.watch(), DEADLINE_S)
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
    with refusing_soon(), pytest.raises(StoreInUse):
        held(place).start()  # the new session has the lock, too
    store.stop()


@pytest.mark.parametrize("side", ["server", "client"])
async def test_a_connection_lost_in_mid_commit(place: str, side: str) -> None:
    """The commit waits inside the server while the connection goes: nobody is told that it is stored."""
    store = started(place)
    await store.write(number(1))
    with psycopg.connect(place, autocommit=True) as db:
        db.execute("SELECT pg_advisory_lock(7)")
        db.execute(
            "CREATE FUNCTION wait() RETURNS trigger LANGUAGE plpgsql AS"
            " $$ BEGIN IF new.value = 2 THEN PERFORM pg_advisory_lock(7); END IF; RETURN NULL; END $$"
        )
        db.execute(
            "CREATE CONSTRAINT TRIGGER waits AFTER INSERT ON numbers DEFERRABLE INITIALLY DEFERRED"
            " FOR EACH ROW EXECUTE FUNCTION wait()"
        )
        writing = asyncio.create_task(store.write(number(2)))
        waits = "SELECT count(*) FROM pg_locks WHERE locktype = 'advisory' AND objid = 7 AND NOT granted"
        await until(lambda: db.execute(waits).fetchone() == (1,))
        if side == "server":
            cut(place)
        else:
            engine: Any = store
            with socket.socket(fileno=os.dup(engine._writing.fileno())) as lost:
                lost.shutdown(socket.SHUT_RDWR)
        with pytest.raises(StoreUnusable):
            await writing
        db.execute("SELECT pg_advisory_unlock(7)")
    assert await store.write(number(3)) == 3
    with store.read() as reading:
        found = numbers(reading)
        assert {1, 3} <= found
        assert reading.next_seq("events") == 1
    assert side == "client" or 2 not in found
    store.stop()


@pytest.mark.parametrize("how", ["told", "untold", "cut"])
async def test_a_commit_of_another_process_wakes(
    place: str, how: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    """By a notification; without one, by looking; and after the connection was lost."""
    if how == "told":
        monkeypatch.setattr(listening, "POLL_S", 3_600.0)
    node = started(place)
    other = store_at(place, joins=True)
    other.start()
    if how == "untold":
        with psycopg.connect(place) as db:
            db.execute(
                "CREATE OR REPLACE FUNCTION commits_channel() RETURNS text LANGUAGE sql AS"
                " $$ SELECT 'nowhere' $$"
            )
    for waits, writes, value in ((other, node, 1), (node, other, 2)):
        await until(lambda: listeners(place) == 2)
        if how == "cut":
            cut(place, "sayso listener")
        seen = waits.commits
        await writes.write(number(value))
        while True:
            async with asyncio.timeout(DEADLINE_S):
                seen = await waits.committed(seen)
            with waits.read() as reading:
                if value in numbers(reading):
                    break
    node.stop()
    other.stop()


def listeners(place: str) -> int:
    """How many processes listen: they have looked once."""
    with psycopg.connect(place) as db:
        row = db.execute(
            "SELECT count(*) FROM pg_stat_activity WHERE application_name = 'sayso listener'"
            " AND query LIKE 'SELECT commits%' AND state = 'idle'"
        ).fetchone()
    assert row
    return int(row[0])
