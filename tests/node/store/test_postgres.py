"""What PostgreSQL alone promises: a lost server loses nothing, and what cannot be kept is refused."""

import ast
import asyncio
import re
import shutil
import signal
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

import sayso_node
from node.store.harness import Held, Refused, number, numbers
from sayso_node.errors import InvalidNodeConfig, StoreInUse, StoreTooNew, StoreUnusable, WrongStore
from sayso_node.folder.lock import NodeFolder
from sayso_node.folder.settings import Settings
from sayso_node.store.events import feed as events
from sayso_node.store.interface import Store, Writing
from sayso_node.store.opening import copy_store, filling, is_empty, snapshot_at, store_at
from sayso_node.store.postgres import dialect
from sayso_node.store.revocations.bits import merge_bits
from sayso_protocol.network import Network
from support.node_rig import consent, revocation
from support.postgres import Server, postgres, refusing_soon
from support.protocol_strategies import ADA
from support.running_node import running_node
from support.waiting import DEADLINE_S

STORE = Path(sayso_node.__file__).parent / "store"
QUERY = re.compile(r"\s*(SELECT|INSERT INTO \w+ (VALUES|\()|UPDATE|DELETE|WITH)\b")


@pytest.fixture(scope="module")
def server() -> Iterator[Server]:
    with postgres() as server:
        yield server


@pytest.fixture
def place(server: Server) -> str:
    return server.schema()


async def test_a_killed_server_loses_nothing_that_was_answered(server: Server, place: str) -> None:
    store = store_at(place)
    store.start()
    await store.write(number(1))
    held = Held(store)
    await held.__aenter__()
    waiting = [held.task, *(asyncio.create_task(store.write(number(value))) for value in range(2, 9))]
    await asyncio.sleep(0)
    try:
        server.stop(signal.SIGKILL)
        held.release.set()
        answers = await asyncio.gather(*waiting, return_exceptions=True)
        assert all(isinstance(one, StoreUnusable) for one in answers)
        assert store.trouble
        with pytest.raises(StoreUnusable), store.read() as db:
            numbers(db)
    finally:
        server.start()
    assert await store.write(number(9)) == 9  # on a new connection
    with store.read() as db:
        assert {1, 9} <= numbers(db)
        assert not numbers(db) & set(range(2, 9))
    assert store.trouble is None
    store.stop()


async def test_what_was_undone_leaves_no_gap_in_the_numbers(place: str) -> None:
    """A missing number would look like a lost row."""

    def event(db: Writing, *, fails: bool = False) -> None:
        merge_bits(db, ADA, {events.last_seq(db): 1}, source="x", now=0, digest=bytes(32))
        if fails:
            raise Refused

    store = store_at(place)
    store.start()
    await store.write(event)
    for _ in range(3):
        with pytest.raises(Refused):
            await store.write(lambda db: event(db, fails=True))
    await store.write(event)
    with store.read() as db:
        assert [one.seq for one in events.events_after(db, 0, 10)] == [1, 2]
        assert db.next_seq("events") == 3
    store.stop()


@pytest.mark.parametrize("setting", ["fsync=off", "synchronous_commit=off", "full_page_writes=off"])
def test_a_server_that_forgets_is_refused(server: Server, setting: str) -> None:
    name, _, value = setting.partition("=")
    with psycopg.connect(server.dsn, autocommit=True) as db:
        db.execute(f"ALTER SYSTEM SET {name} = {value}")
        db.execute("SELECT pg_reload_conf()")
    try:
        place = server.schema()
        while psycopg.connect(place).execute(f"SHOW {name}").fetchone() != (value,):
            pass
        with pytest.raises(StoreUnusable, match=name):
            store_at(place).start()
    finally:
        with psycopg.connect(server.dsn, autocommit=True) as db:
            db.execute(f"ALTER SYSTEM RESET {name}")
            db.execute("SELECT pg_reload_conf()")


def test_a_replica_is_refused() -> None:
    """One that can be read: it would be found only by the first change."""
    with postgres() as copied:
        place = copied.schema()
        store = store_at(place)
        store.start()
        store.stop()
        copied.stop()
        (copied.folder / "data" / "standby.signal").touch()
        copied.start()
        with pytest.raises(StoreUnusable, match="replica"):
            store_at(place).start()
        with pytest.raises(StoreUnusable, match="replica"), filling(place, ""):
            pass
        with snapshot_at(place) as db:
            assert db.execute("SELECT count(*) FROM messages").fetchone() == (0,)


async def test_a_database_of_another_node_or_network(place: str, tmp_path: Path) -> None:
    """It is refused before it is opened for writing, so that it is not migrated either."""
    network = Network(1, bytes(20))
    store = store_at(place)
    store.start()
    (tmp_path / "first").mkdir()
    (tmp_path / "second").mkdir()
    await NodeFolder(tmp_path / "first").claim(store, network, bytes(32))
    for other in (Network(2, bytes(20)), network):
        key = bytes(32) if other != network else bytes([1]) * 32
        with pytest.raises(WrongStore, match="is that of node"):
            await NodeFolder(tmp_path / "second").claim(store, other, key)
        with pytest.raises(WrongStore, match="is that of node"):
            NodeFolder(tmp_path / "second").check_store(store, other, key)
    assert not [*(tmp_path / "second").iterdir()]
    store.stop()


def test_a_database_of_something_else_is_left_alone(place: str) -> None:
    with psycopg.connect(place) as db:
        db.execute("CREATE TABLE theirs (value BIGINT)")
    with pytest.raises(WrongStore):
        store_at(place).start()
    with psycopg.connect(place) as db:
        names = db.execute("SELECT tablename FROM pg_tables WHERE schemaname = current_schema()")
        assert names.fetchall() == [("theirs",)]


def test_a_newer_store_is_refused(place: str) -> None:
    store = store_at(place)
    store.start()
    store.stop()
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version + 1")
    with pytest.raises(StoreTooNew):
        store_at(place).start()


def test_a_place_without_a_store(place: str, tmp_path: Path) -> None:
    assert is_empty(place)
    with pytest.raises(StoreUnusable, match="there is no store"), snapshot_at(place):
        pass
    with pytest.raises(StoreUnusable, match="pg_dump"):
        copy_store(place, tmp_path / "copy")


def test_no_error_shows_the_password() -> None:
    wrong = "postgresql://somebody:secret-word@127.0.0.1:1/sayso?connect_timeout=2"
    store = store_at(wrong)
    with pytest.raises(StoreUnusable) as raised:
        store.start()
    assert "secret-word" not in f"{raised.value!r} {raised.value.__cause__!r} {store.name}"
    settings = Settings("n", "network.toml", "127.0.0.1:0", (), "http://127.0.0.1:1", store=wrong)
    assert "secret-word" not in repr(settings)
    with pytest.raises(InvalidNodeConfig) as refused:
        Settings("n", "network.toml", "127.0.0.1:0", (), "", store="mysql://u:secret-word@h/d")
    assert "secret-word" not in str(refused.value)


async def test_a_node_works_on_it_and_finds_it_again(place: str, tmp_path: Path) -> None:
    stop = revocation("everything")
    for run in range(2):
        async with running_node(tmp_path, store=place) as node:
            if run == 0:
                status, body = await node.submit(consent(1, sponsor=None), stop)
                assert status == 200, body
            status, body = await node.get(f"/v1/licenses/0x{consent(1).digest.hex()}")
            assert status == 200, body
            assert node.stored()["messages"] == 2
    assert not (tmp_path / "store.sqlite").exists()


def commits(place: str) -> object:
    """The stamp of the store's state."""
    with snapshot_at(place) as db:
        return db.version()


def held(place: str) -> Store:
    store = store_at(place)
    store.hold()
    return store


async def test_two_nodes_are_never_on_one_database(place: str) -> None:
    first, second = held(place), held(place)
    first.start()
    await first.write(number(1))
    before = commits(place)
    with refusing_soon(), pytest.raises(StoreInUse) as refused:
        second.start()
    assert "postgresql" in str(refused.value)
    assert commits(place) == before
    first.stop()
    second.start()
    assert await second.write(number(2)) == 2
    second.stop()


async def test_who_lost_the_hold_writes_nothing(server: Server, place: str) -> None:
    """Its connection broke, and another node took the place before it could connect again."""
    first, second = held(place), held(place)
    first.start()
    await first.write(number(1))
    with psycopg.connect(place, autocommit=True) as db:
        [schema] = db.execute("SELECT current_schema()").fetchone() or [""]
        ended = db.execute(
            "SELECT pg_terminate_backend(pid, 10000) FROM pg_locks WHERE locktype = 'advisory'"
            " AND (classid::bigint << 32 | objid::bigint) = hashtextextended(%s, 0)",
            (f"sayso node {schema}",),
        ).fetchall()
    assert ended == [(True,)]
    second.start()
    for _ in range(3):
        with refusing_soon(), pytest.raises(StoreUnusable):
            await first.write(number(2))
    assert "another process runs a node" in str(first.trouble)
    await second.write(number(3))
    with second.read() as db:
        assert numbers(db) == {1, 3}
    second.stop()
    with pytest.raises(StoreUnusable):
        await first.write(number(4))  # the place is free again, but what it knows is old
    first.stop()


async def test_other_programs_may_write_beside_a_node(place: str) -> None:
    node, tool = held(place), store_at(place)
    node.start()
    tool.start()
    await asyncio.gather(node.write(number(1)), tool.write(number(2)))
    with node.read() as db:
        assert numbers(db) == {1, 2}
    node.stop()
    tool.stop()


async def test_stores_of_one_database_do_not_wait_for_each_other(server: Server) -> None:
    """A schema may be another operator's, whose groups may take long."""
    one, other = store_at(server.schema()), store_at(server.schema())
    one.start()
    async with Held(one):
        async with asyncio.timeout(DEADLINE_S):
            await asyncio.to_thread(other.start)  # it makes its tables meanwhile
            assert await other.write(number(1)) == 1
    one.stop()
    other.stop()


async def test_a_copied_folder_is_no_second_node(place: str, tmp_path: Path) -> None:
    one, other = tmp_path / "one", tmp_path / "other"
    one.mkdir()
    async with running_node(one, store=place):
        shutil.copytree(one, other, ignore=shutil.ignore_patterns("node.lock"))
        with refusing_soon(), pytest.raises(StoreInUse):
            async with running_node(other, store=place):
                pass


ASKED = "(VALUES (''::bytea, ''::bytea, ''::bytea)) AS asked"  # in place of {} (many.joined)
NO_QUERY = ("many.py", "messages.py", "disputes.py", "sublicenses.py")  # they have parts of queries


def constants(path: Path) -> Iterator[str]:
    """The strings of a module that are whole queries."""
    tree = ast.parse(path.read_text())
    joined = {
        id(part) for one in ast.walk(tree) if isinstance(one, ast.JoinedStr) for part in one.values
    }
    for one in ast.walk(tree):
        text = getattr(one, "value", None)
        if isinstance(text, str) and id(one) not in joined and QUERY.match(text):
            yield text.replace("FROM {} ", f"FROM {ASKED} ") + " (?)" * text.endswith(" IN")


def test_the_server_understands_every_query(place: str) -> None:
    """Also those of parts of a node that no test runs on a server: it is asked to prepare each."""
    store = store_at(place)
    store.start()
    store.stop()
    modules = [path for path in STORE.rglob("*.py") if path.parent.name not in ("sqlite", "postgres")]
    refused, count = list[str](), 0
    with psycopg.connect(place, autocommit=True) as db:
        for path in modules:
            for text in constants(path):
                count += 1
                try:
                    db.execute(b"PREPARE one AS " + dialect.query(text).encode())
                    db.execute("DEALLOCATE one")
                except psycopg.Error as error:
                    if path.name not in NO_QUERY:
                        refused.append(f"{path.name}: {error}")
    assert count > 300
    assert refused == []
