"""A node is backed up while it runs, and restored as if on another host."""

import asyncio
import errno
import io
import os
import shutil
import stat
import subprocess
import sys
import tarfile
from pathlib import Path

import pytest
from eth_account import Account

from cli.conftest import World
from node.config.test_folder import KEY, keystore, make, private
from sayso.networks import load_network, save_network
from sayso_node.errors import FolderInUse, FolderNotEmpty, IdentityInUse
from sayso_node.folder.backup import LIST_FILE, back_up, restore
from sayso_node.folder.config import load_config
from sayso_node.folder.files import staging
from sayso_node.folder.lock import NodeFolder
from sayso_node.freshness import Freshness
from sayso_node.presence.loop import PresenceLoop
from sayso_node.store.events.feed import store_id
from sayso_node.store.interface import Store
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import location_in, snapshot_at, store_at
from sayso_node.supervision.alarms import Alarms
from sayso_protocol.network import Network
from support.fake_network import FakeNetwork, Switchboard
from support.filled_store import change_store
from support.node_rig import NOW, ManualClock, NodeRig, consent
from support.protocol_strategies import NETWORK

PEER = "peer"


async def lived_in(folder: Path) -> bytes:
    """A node's folder with a store that has a consent; network file and key are elsewhere."""
    make(folder, anchor_key="../payer/key.json", anchor_password="../payer/password")
    (folder.parent / "payer").mkdir()
    private(folder.parent / "payer" / "key.json", keystore("secret"))
    private(folder.parent / "payer" / "password", b"secret\n")
    (folder / "network.toml").rename(folder.parent / "outside.toml")
    settings = (folder / "node.toml").read_text()
    (folder / "node.toml").write_text(settings.replace('"network.toml"', '"../outside.toml"'))
    config = load_config(folder)
    with NodeRig(folder, location=location_in(folder)) as rig:
        await NodeFolder(folder).claim(rig.store, NETWORK, config.node_key)
        await rig.give(consent(1))
    return config.node_key


@pytest.fixture
def folder(world: World, tmp_path: Path) -> Path:
    """The folder of a node, in a place of its own."""
    (tmp_path / "host").mkdir()
    asyncio.run(lived_in(tmp_path / "host" / "node"))
    return tmp_path / "host" / "node"


def digests(folder: Path) -> set[bytes]:
    with snapshot_at(location_in(folder)) as db:
        return {digest for (digest,) in db.execute("SELECT digest FROM messages")}


def test_a_restore_on_another_host_is_complete(world: World, folder: Path, tmp_path: Path) -> None:
    before = load_config(folder)
    store = store_at(location_in(folder))
    store.start()  # the node runs
    try:
        assert "it holds the node's key" in world.run("node", "backup", folder, "a.backup").stdout
    finally:
        store.stop()
    assert stat.S_IMODE(Path("a.backup").stat().st_mode) == 0o600
    assert [one.name for one in world.folder.glob(".backup-*")] == []
    shutil.rmtree(tmp_path / "host")  # nothing of the old host is left
    said = world.run("node", "restore", "a.backup", tmp_path / "new" / "node").stdout
    assert before.node_key.hex() in said
    after = load_config(tmp_path / "new" / "node")
    assert (after.node_key, after.network_file) == (before.node_key, before.network_file)
    assert after.anchor_account == before.anchor_account == Account.from_key(KEY)
    assert digests(tmp_path / "new" / "node") == {consent(1).digest}
    for one in (tmp_path / "new" / "node").iterdir():
        assert not one.stat().st_mode & 0o077 or one.name.startswith("store")
    world.run("node", "verify-store", tmp_path / "new" / "node")


def test_a_restored_store_is_another_store_for_whoever_listens(world: World, folder: Path) -> None:
    """A listener's place behind the backup would pass over what comes later under the same numbers."""

    def named(place: Path) -> bytes:
        with snapshot_at(location_in(place)) as db:
            return store_id(db)

    world.run("node", "backup", folder, "a.backup")
    for name in ("new", "newer"):
        world.run("node", "restore", "a.backup", name)
    assert len({named(one) for one in (folder, Path("new"), Path("newer"))}) == 3


def test_nothing_is_replaced(world: World, folder: Path) -> None:
    world.run("node", "backup", folder, "a.backup")
    before = {one.name: one.read_bytes() for one in folder.iterdir()}
    world.fails("folder-not-empty", "node", "restore", "a.backup", folder)
    assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
    kept = Path("a.backup").read_bytes()
    world.fails("output-failed", "node", "backup", folder, "a.backup")
    assert Path("a.backup").read_bytes() == kept


def test_a_backup_that_is_cut_off_anywhere(world: World, folder: Path) -> None:
    back_up(folder, Path("a.backup"))
    whole = Path("a.backup").read_bytes()
    for length in (0, 1, 511, 512, 1_000, len(whole) // 3, len(whole) // 2, len(whole) - 11_000):
        Path("cut").write_bytes(whole[:length])
        world.fails("invalid-backup", "node", "restore", "cut", "new")
        assert not Path("new").exists()
        assert [*world.folder.glob(".restore-*")] == []


def changed(whole: bytes, name: str, content: bytes | None, *, kind: bytes = tarfile.REGTYPE) -> bytes:
    """The backup with another content of a member, or without it, or with one more."""
    out = io.BytesIO()
    with tarfile.open(fileobj=io.BytesIO(whole)) as old, tarfile.open(fileobj=out, mode="w") as new:
        names = [one.name for one in old]
        for one in names:
            data = old.extractfile(one)
            assert data
            body = data.read() if one != name else content
            if body is not None:
                member = tarfile.TarInfo(one)
                member.size = len(body)
                new.addfile(member, io.BytesIO(body))
        if name not in names:
            member = tarfile.TarInfo(name)
            member.type, member.size = kind, len(content or b"") if kind == tarfile.REGTYPE else 0
            member.linkname = "/etc/passwd"
            new.addfile(member, io.BytesIO(content or b""))
    return out.getvalue()


BAD = [
    ("../escape", b"x"),
    ("/etc/cron.d/x", b"x"),
    ("more.txt", b"x"),
    ("store.sqlite", None),
    ("store.sqlite", b"SQLite format 3\0" + bytes(5_000)),
    ("identity.key", b"ab" * 32),
    ("identity.key", None),
    ("network.toml", b"chain_id = 1"),
    ("node.toml", b"name = 7"),
    (LIST_FILE, None),
    (LIST_FILE, b"{}"),
    (LIST_FILE, b"[" * 100_000),
    ("anchor.key", None),
]


@pytest.mark.parametrize(("name", "content"), BAD)
def test_a_changed_backup_is_refused(
    world: World, folder: Path, name: str, content: bytes | None
) -> None:
    back_up(folder, Path("a.backup"))
    Path("bad").write_bytes(changed(Path("a.backup").read_bytes(), name, content))
    world.fails("invalid-backup", "node", "restore", "bad", "new")
    assert not Path("new").exists()
    assert not (world.folder.parent / "escape").exists()


@pytest.mark.parametrize("kind", [tarfile.SYMTYPE, tarfile.LNKTYPE, tarfile.DIRTYPE, tarfile.FIFOTYPE])
def test_only_files_are_restored(world: World, folder: Path, kind: bytes) -> None:
    back_up(folder, Path("a.backup"))
    Path("bad").write_bytes(changed(Path("a.backup").read_bytes(), "identity.used", b"", kind=kind))
    world.fails("invalid-backup", "node", "restore", "bad", "new")
    assert not Path("new").exists()


def header(name: str, size: int, kind: bytes, holes: int = 0) -> bytes:
    """The header of a member that says so, whatever follows."""
    member = tarfile.TarInfo(name)
    member.type = kind
    block = bytearray(member.tobuf(tarfile.GNU_FORMAT)[: tarfile.BLOCKSIZE])
    block[124:136] = size.to_bytes(12, signed=True) if size < 0 else (1 << 95 | size).to_bytes(12)
    block[386:495] = b"%011o\0" % 0 * 8 + b"\0" + b"%011o\0" % holes
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


@pytest.mark.parametrize(
    "first",
    [
        header("store.sqlite", 0, tarfile.GNUTYPE_SPARSE, 1 << 32),
        header("store.sqlite", 1 << 40, tarfile.REGTYPE),
        header("store.sqlite", 1 << 80, tarfile.REGTYPE),
        header("node.toml", -512, tarfile.REGTYPE),
        header("x", 1 << 33, tarfile.XHDTYPE),
        header("x", 1 << 80, tarfile.XHDTYPE),
        header("x", -512, tarfile.XHDTYPE),
        header("x", 1 << 80, tarfile.GNUTYPE_LONGNAME),
        header("x", 1 << 80, tarfile.XGLTYPE),
    ],
)
def test_a_header_that_promises_more_than_the_file_has(world: World, first: bytes) -> None:
    """Under limits of memory and of files' sizes that a node does not reach."""
    Path("bad").write_bytes(first + bytes(20 * tarfile.BLOCKSIZE))
    program = (
        "import resource, sys; from sayso.main import cli;"
        "resource.setrlimit(resource.RLIMIT_FSIZE, (1 << 20, 1 << 20));"
        "resource.setrlimit(resource.RLIMIT_AS, (4 << 30, 4 << 30));"
        "cli(['node', 'restore', 'bad', 'new'])"
    )
    ran = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, check=False)
    assert (ran.returncode, ran.stderr[:22]) == (1, "error [invalid-backup]"), ran.stderr
    assert sorted(one.name for one in Path().iterdir() if "restore" in one.name) == []


def test_a_disk_without_hard_links(world: World, folder: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    def refused(*_: object) -> None:
        raise PermissionError(errno.EPERM, "Operation not permitted")

    monkeypatch.setattr(os, "link", refused)
    back_up(folder, Path("a.backup"))
    assert stat.S_IMODE(Path("a.backup").stat().st_mode) == 0o600
    with pytest.raises(FileExistsError):
        back_up(folder, Path("a.backup"))
    restore(Path("a.backup"), Path("new"))
    assert load_config(Path("new")).node_key == load_config(folder).node_key


@pytest.mark.parametrize("name", [".backup-killed", ".restore-killed"])
def test_what_a_killed_one_left_goes_with_the_next(world: World, folder: Path, name: str) -> None:
    """It holds the node's key. What a living one has stays."""
    for one in (name, name + "-not"):
        (Path(one) / "node").mkdir(parents=True)
    with staging(Path(), name.rpartition("-")[0] + "-") as living:
        assert not Path(name).exists()
        back_up(folder, Path("a.backup"))
        restore(Path("a.backup"), Path("new"))
        assert living.exists()


def test_names_are_on_the_disk_before_it_is_said(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    synced: list[str] = []
    sync = os.fsync

    def noting(descriptor: int) -> None:
        synced.append(str(Path(f"/proc/self/fd/{descriptor}").readlink()))
        sync(descriptor)

    monkeypatch.setattr(os, "fsync", noting)
    here = str(Path.cwd())
    back_up(folder, Path("a.backup"))
    assert synced[-1] == here
    restore(Path("a.backup"), Path("new"))
    assert synced[-1] == here


def test_a_backup_of_another_network(world: World, folder: Path) -> None:
    back_up(folder, Path("a.backup"))
    other = load_network(Path("network.toml"))
    save_network(Path("other.toml"), type(other)(Network(5, NETWORK.registry), 1, 0))
    world.fails("wrong-network", "node", "restore", "a.backup", "new", "--network", "other.toml")
    assert not Path("new").exists()
    world.fails("file-unreadable", "node", "restore", "missing", "new")


def test_a_store_that_was_moved_away_is_not_backed_up(
    world: World, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """It has nothing of what came later; nor is it restored from a backup that has it."""
    mark = Mark(Stage.MOVED, "00", "postgresql://db.example/sayso")
    change_store(location_in(folder), lambda db: marks.put(db, mark))
    said = world.fails("store-moved", "node", "backup", folder, "b.backup").stderr
    assert "moved to postgresql://db.example/sayso" in said
    assert not Path("b.backup").exists()
    with monkeypatch.context() as careless:
        careless.setattr(marks, "check_startable", lambda *_: None)
        back_up(folder, Path("bad"))
    world.fails("store-moved", "node", "restore", "bad", "new")
    assert not Path("new").exists()


async def compared(store: Store, *, answers: bool) -> Freshness:
    board, freshness = Switchboard(), Freshness([PEER])

    async def answering(_protocol: str, body: bytes, peer_id: str) -> bytes:
        from sayso_node.presence.protocol import Presences

        return Presences(ManualClock()).answer(body, peer_id)

    if answers:
        board.add_peer(PEER, answering)
    network = FakeNetwork(board, "me")
    loop = PresenceLoop(network, store, freshness, ManualClock(), Alarms(), [PEER])
    await loop.start()
    await loop.tell()
    return freshness


async def test_a_restored_node_signs_nothing_before_it_has_compared(
    world: World, tmp_path: Path
) -> None:
    (tmp_path / "host").mkdir()
    await lived_in(tmp_path / "host" / "node")
    back_up(tmp_path / "host" / "node", Path("a.backup"))
    await asyncio.to_thread(world.run, "node", "restore", "a.backup", "new")
    for answers, is_compared in ((False, False), (False, False), (True, True), (False, True)):
        store = store_at(location_in(Path("new")))
        store.start()
        try:
            freshness = await compared(store, answers=answers)
        finally:
            store.stop()
        if is_compared:
            freshness.check_alone(NOW)
        else:
            with pytest.raises(IdentityInUse, match="restored"):
                freshness.check_alone(NOW)


def test_a_restore_over_the_folder_of_a_running_node_changes_nothing(world: World, folder: Path) -> None:
    back_up(folder, Path("a.backup"))
    held = NodeFolder(folder)
    held.lock()
    try:
        before = {one.name: one.read_bytes() for one in folder.iterdir()}
        with pytest.raises(FolderNotEmpty):
            restore(Path("a.backup"), folder)
        with pytest.raises(FolderInUse):
            NodeFolder(folder).lock()
        assert {one.name: one.read_bytes() for one in folder.iterdir()} == before
    finally:
        held.release()
