"""`sayso node move-store`: to a database and back, interrupted anywhere, and what it refuses."""

import asyncio
import shutil
import stat
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any

import psycopg
import pytest

from cli.conftest import World
from cli.operator.test_backup import lived_in
from node.store.backends import server
from sayso_node.errors import StoreMoved, StoreUnusable
from sayso_node.folder import moving
from sayso_node.folder.config import load_config
from sayso_node.folder.identity import create_identity
from sayso_node.folder.lock import NodeFolder
from sayso_node.folder.moving import move_store
from sayso_node.store.interface import Reading, Writing
from sayso_node.store.moving import contents
from sayso_node.store.moving.contents import Summed
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import filling, is_empty, snapshot_at, store_at, tables
from support.node_rig import NodeRig, consent, revocation
from support.postgres import refusing_soon

DIGITS = bytes(16)


def number_without_row(db: Writing) -> None:
    """A number that was given, and is never given again."""
    db.execute("INSERT INTO doubts (address) VALUES (?)", (bytes(20),))
    db.execute("DELETE FROM doubts")


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """The folder of a node, whose store has a consent, a revocation and numbers without rows."""
    folder = tmp_path / "host" / "node"
    folder.parent.mkdir()

    async def live() -> None:
        await lived_in(folder)
        with NodeRig(folder, location=str(folder / "store.sqlite")) as rig:
            await rig.give(revocation("everything"))
            await rig.give(consent(2))
            await rig.store.write(number_without_row)

    asyncio.run(live())
    return folder


@pytest.fixture
def place() -> str:
    return server().schema()


def random(_count: int) -> bytes:
    return DIGITS


def held(location: str) -> tuple[dict[str, Summed], dict[str, int]]:
    """Everything in a store: what each table has, and where its numbers go on."""
    with snapshot_at(location) as db:
        sums = {one.name: summed(db, one.name) for one in tables()}
        return sums, {one.name: db.next_seq(one.name) for one in tables() if one.is_numbered}


def summed(db: Reading, name: str) -> Summed:
    """Rows and digest, counted by other code than the product's."""
    where = "WHERE name <> 'move'" if name == "singles" else ""
    columns = ", ".join(next(one.columns for one in tables() if one.name == name))
    rows = db.execute(f"SELECT {columns} FROM {name} {where}").fetchall()
    texts = sorted(repr(tuple(row)) for row in rows)
    return Summed(len(texts), hash(tuple(texts)))


def starts(folder: Path, location: str) -> None:
    """Start a store as a node of the folder does."""
    config = load_config(folder)
    store = store_at(location)
    store.start()
    try:
        claim = NodeFolder(folder).claim(store, config.network_file.network, config.node_key)
        asyncio.run(claim)
    finally:
        store.stop()


def test_to_a_database_and_back(world: World, folder: Path, place: str, tmp_path: Path) -> None:
    file = str(folder / "store.sqlite")
    before = held(file)
    assert before[0]["messages"].rows >= 2
    assert (before[0]["doubts"].rows, before[1]["doubts"]) == (0, 2)
    settings = (folder / "node.toml").read_text()
    (folder / "node.toml").write_text(f"# ours\n{settings}")
    (tmp_path / "location").write_text(place + "\n")
    said = world.run("node", "move-store", folder, "--to", f"@{tmp_path / 'location'}")
    assert "compared" in said.stdout
    assert held(place) == before == held(file)
    config = load_config(folder)
    assert config.store_location == place
    assert stat.S_IMODE((folder / "node.toml").stat().st_mode) == 0o600
    assert "# ours\n" in (folder / "node.toml").read_text()
    starts(folder, place)
    with pytest.raises(StoreMoved, match=r"moved to postgresql://.*only there"):
        starts(folder, file)
    world.run("node", "move-store", folder, "--to", "file")
    assert held(file) == before
    assert load_config(folder).store_location == file
    assert (folder / "node.toml").read_text() == f"# ours\n{settings}"
    starts(folder, file)
    with pytest.raises(StoreMoved):
        starts(folder, place)
    world.run("node", "verify-store", folder)
    world.run("node", "move-store", folder, "--to", place)  # there again, in place of what was left
    assert held(place) == before


class Cut(Exception):
    """Where a move is interrupted."""


def cut(*_arguments: object) -> None:
    raise Cut


INTERRUPTIONS: dict[str, Callable[[pytest.MonkeyPatch], None]] = {
    "before the copy is compared": lambda patch: patch.setattr(contents, "check_equal", cut),
    "before the old store is marked": lambda patch: patch.setattr(moving, "leave", cut),
    "before the new store may start": lambda patch: patch.setattr(moving, "arrive", cut),
    "before node.toml is changed": lambda patch: patch.setattr(moving, "put_store", cut),
}


@pytest.mark.parametrize("where", INTERRUPTIONS)
@pytest.mark.parametrize("back", [False, pytest.param(True, marks=pytest.mark.long)])
def test_interrupted(folder: Path, place: str, where: str, back: bool) -> None:
    file = str(folder / "store.sqlite")
    if back:
        move_store(folder, place, random)
    source, target, to = (place, file, "") if back else (file, place, place)
    before, settings = held(source), (folder / "node.toml").read_text()
    with pytest.MonkeyPatch.context() as patch:
        INTERRUPTIONS[where](patch)
        with pytest.raises(Cut):
            move_store(folder, to, random)
    assert (folder / "node.toml").read_text() == settings
    assert held(source) == before
    both = []
    for one in (source, target):
        if not is_empty(one):
            try:
                starts(folder, one)
                both.append(one)
            except StoreMoved:
                pass
    early = where in ("before the copy is compared", "before the old store is marked")
    late = where == "before node.toml is changed"
    assert both == ([source] if early else [target] if late else [])  # never both
    move_store(folder, to, random)
    assert held(target) == before
    assert load_config(folder).store_location == target
    starts(folder, target)
    assert not [*folder.glob("*.part*")]


Change = Callable[[list[list[Any]]], object]


class Dropping:
    """A target that loses or changes a row."""

    def __init__(self, target: contents.Target, table: str, change: Change) -> None:
        self._target, self._table, self._change = target, table, change
        self.complete, self.keep = target.complete, target.keep

    def fill(self, table: contents.Table, rows: Iterable[Sequence[Any]]) -> None:
        some = [list(row) for row in rows]
        if table.name == self._table:
            self._change(some)
        self._target.fill(table, some)


def copy(db: Reading, target: str, table: str, change: Change) -> None:
    with filling(target, "nobody") as made:
        contents.copy(db, Dropping(made, table, change), tables(), Mark(Stage.ARRIVING, "", ""))


@pytest.mark.parametrize("to_database", [True, False])
def test_a_copy_that_differs_is_not_kept(folder: Path, place: str, to_database: bool) -> None:
    file = str(folder / "store.sqlite")
    target = place if to_database else str(folder / "other.sqlite")
    changes: dict[str, Change] = {
        "messages": lambda rows: rows.pop(),
        "bits": lambda rows: rows[0].__setitem__(0, bytes(20)),
    }
    for table, change in changes.items():
        with snapshot_at(file) as db:
            assert db.execute(f"SELECT count(*) FROM {table}").fetchone()[0]
            with pytest.raises(StoreUnusable, match=f"differs.*{table}"):
                copy(db, target, table, change)
        assert is_empty(target)


@pytest.fixture
def refused(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> Callable[[str, str], str]:
    """Ask for a move that is refused, and find that the node is as it was; returns what was said."""

    def ask(code: str, to: str) -> str:
        file, settings = str(folder / "store.sqlite"), (folder / "node.toml").read_bytes()
        before = held(file)
        monkeypatch.setenv("SAYSO_STORE", to)
        said = world.fails(code, "node", "move-store", folder)
        assert held(file) == before
        assert (folder / "node.toml").read_bytes() == settings
        starts(folder, file)
        return said.output

    return ask


Refused = Callable[[str, str], str]
SECRETS = {
    "a port": "postgresql://u:half:other-half@127.0.0.1:1/d",
    "an at": "postgresql://u:half@other-half@127.0.0.1:1/d",
    "a slash": "postgresql://u:half/other-half@127.0.0.1:1/d",
    "a percent": "postgresql://u:half%other-half@127.0.0.1:1/d",
    "no server": "postgresql://u:other-half@127.0.0.1:1/d?connect_timeout=2",
    "no scheme": "mysql://u:other-half@127.0.0.1:1/d",
}


def test_a_bad_location_is_refused_and_not_shown(refused: Refused) -> None:
    for name, location in SECRETS.items():
        code = "invalid-node-config" if name == "no scheme" else "store-unusable"
        assert "other-half" not in refused(code, location), name


def test_no_password_on_a_command_line(world: World, folder: Path, place: str) -> None:
    for one in ("postgresql://u:word@h/d", "postgresql://h/d?user=u&password=word"):
        said = world.run("node", "move-store", folder, "--to", one, status=2)
        assert "@FILE" in said.stderr
        assert "word@" not in said.output
    world.fails("file-unreadable", "node", "move-store", folder, "--to", "@nowhere")
    world.fails("invalid-node-config", "node", "move-store", folder, "--to", "file")  # it is there


def test_what_is_in_the_way_is_left_alone(refused: Refused, place: str) -> None:
    with psycopg.connect(place) as db:
        db.execute("CREATE TABLE theirs (value BIGINT)")
    refused("wrong-store", place)
    with psycopg.connect(place) as db:
        assert db.execute("SELECT count(*) FROM theirs").fetchone() == (0,)


def test_a_store_that_is_in_use_is_not_replaced(refused: Refused, place: str) -> None:
    """That of another node or network, or a newer one."""
    store = store_at(place)
    store.start()
    store.stop()
    before = held(place)
    refused("wrong-store", place)
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version + 1")
    refused("wrong-store", place)
    with psycopg.connect(place) as db:
        db.execute("UPDATE store_state SET version = version - 1")
    assert held(place) == before


def test_another_process_is_at_work(refused: Refused, folder: Path, place: str) -> None:
    other = store_at(place)
    other.hold()
    other.start()
    try:
        with refusing_soon():
            refused("store-in-use", place)
    finally:
        other.stop()
    running = NodeFolder(folder)
    running.lock()
    try:
        refused("folder-in-use", server().schema())
    finally:
        running.release()


def test_a_damaged_or_foreign_store_does_not_move(world: World, folder: Path, place: str) -> None:
    (folder / "store.sqlite.damaged").write_text("a row is gone")
    world.fails("store-damaged", "node", "move-store", folder, "--to", place)
    (folder / "store.sqlite.damaged").unlink()
    shutil.copy(folder / "identity.key", folder / "kept.key")
    (folder / "identity.key").unlink()
    create_identity(folder / "identity.key", lambda count: bytes([7]) * count)
    world.fails("wrong-store", "node", "move-store", folder, "--to", place)
    (folder / "store.sqlite").unlink()
    world.fails("store-missing", "node", "move-store", folder, "--to", place)
    assert is_empty(place)


def test_a_finished_move_is_finished_only_where_it_went(folder: Path, place: str) -> None:
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(moving, "put_store", cut)
        with pytest.raises(Cut):
            move_store(folder, place, random)
    with pytest.raises(StoreMoved, match="moved to postgresql"):
        move_store(folder, server().schema(), random)
    move_store(folder, place, random)
    starts(folder, place)
