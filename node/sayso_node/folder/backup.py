"""Backs up a node as one file while it runs, and restores it on any machine.

A backup is a tar of the files that a node cannot do without, under the names that the folder gives them:
settings, network file, keys, and one committed state of the store. The last member lists the others with
sizes and SHA-256, so a backup that is cut off is recognised. Paths in the settings are changed to those
names.

A restore makes a new folder, complete or not at all. A node that was restored gives no receipt before it
has compared numbers with a peer, because what it gave after the backup is not in its store.
"""

import asyncio
import hashlib
import os
import shutil
import tarfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import asdict, replace
from pathlib import Path
from typing import IO, Final

import msgspec

from sayso_node.errors import (
    FolderNotEmpty,
    InvalidBackup,
    StoreMissing,
    StoreMoved,
    StoreTooNew,
    WrongStore,
)
from sayso_node.folder.config import IDENTITY_FILE, NodeConfig, load_config
from sayso_node.folder.files import SMALL_FILE_BYTES, staging, sync_folder
from sayso_node.folder.lock import USED_FILE, owner_in, owner_of
from sayso_node.folder.settings import CONFIG_FILE, load_settings
from sayso_node.presence.loop import mark_restored
from sayso_node.store.events.feed import STORE_ID_BYTES
from sayso_node.store.moving import marks
from sayso_node.store.opening import copy_store, is_empty, location_in, snapshot_at, store_at
from sayso_protocol.encoding.toml_text import toml_lines
from sayso_protocol.errors import SaysoError, WrongNetwork
from sayso_protocol.network import Network

LIST_FILE: Final = "backup.json"
FORMAT: Final = "sayso-node-backup-1"
NETWORK_FILE: Final = "network.toml"
ANCHOR_FILE: Final = "anchor.key"
PASSWORD_FILE: Final = "anchor.password"  # noqa: S105 - a file's name
_STORE: Final = Path(location_in(Path())).name
_SMALL: Final = (CONFIG_FILE, NETWORK_FILE, IDENTITY_FILE, USED_FILE, ANCHOR_FILE, PASSWORD_FILE)
_CHUNK: Final = 1_048_576


class Listed(msgspec.Struct):
    """A member of a backup: its size in bytes, and its SHA-256 in hexadecimal."""

    size: int
    sha256: str


class BackupList(msgspec.Struct):
    """The last member: what the others must be."""

    format: str
    node_key: str
    files: dict[str, Listed]


def back_up(folder: Path, target: Path) -> int:
    """Write a backup that only its owner can read, and return its size in bytes.

    The node may run. Raises InvalidNodeConfig, StoreMissing, StoreMoved, StoreUnusable, and OSError.
    """
    config = load_config(folder)
    location = config.store_location
    if is_empty(location):
        raise StoreMissing(f"there is no store in {folder}")
    with staging(target.parent, ".backup-") as staged:
        _stage(folder, config, staged)
        copy_store(location, staged / _STORE)
        with snapshot_at(staged / _STORE, old=True) as db:
            marks.check_startable(db, location)
        return _pack(staged, config.node_key, target)


def _stage(folder: Path, config: NodeConfig, staged: Path) -> None:
    settings = config.settings
    copies = {NETWORK_FILE: settings.network, IDENTITY_FILE: IDENTITY_FILE}
    if settings.anchor_key:
        copies[ANCHOR_FILE] = settings.anchor_key
    if settings.anchor_password:
        copies[PASSWORD_FILE] = settings.anchor_password
    for name, source in copies.items():
        shutil.copyfile(folder / source, staged / name)
    if (folder / USED_FILE).exists():
        shutil.copyfile(folder / USED_FILE, staged / USED_FILE)
    here = replace(
        settings,
        network=NETWORK_FILE,
        anchor_key=ANCHOR_FILE if settings.anchor_key else "",
        anchor_password=PASSWORD_FILE if settings.anchor_password else "",
    )
    values = {name: value for name, value in asdict(here).items() if value is not None}
    (staged / CONFIG_FILE).write_text(toml_lines(values), encoding="utf-8")


def _pack(staged: Path, node_key: bytes, target: Path) -> int:
    listed = {one.name: Listed(one.stat().st_size, _hash_of(one)) for one in sorted(staged.iterdir())}
    table = msgspec.json.encode(BackupList(FORMAT, node_key.hex(), listed))
    (staged / LIST_FILE).write_bytes(table)
    partial = staged / "backup"
    descriptor = os.open(partial, os.O_RDWR | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "w+b") as file:
        with tarfile.open(fileobj=file, mode="w", format=tarfile.GNU_FORMAT) as tar:
            for name in (*listed, LIST_FILE):
                tar.add(staged / name, name, filter=_plain)
        file.flush()
        os.fsync(file.fileno())
        size = file.tell()
    _name(partial, target)
    sync_folder(target.parent)
    return size


def _name(partial: Path, target: Path) -> None:
    """Give a file its name; raises FileExistsError instead of overwriting."""
    try:
        os.link(partial, target)
    except FileExistsError:
        raise
    except OSError:  # a file system without hard links
        target.touch(0o600, exist_ok=False)
        partial.replace(target)


def _plain(member: tarfile.TarInfo) -> tarfile.TarInfo:
    """Leave out who owns a file on this machine."""
    member.uid = member.gid = 0
    member.uname = member.gname = ""
    member.mode = 0o600
    return member


def restore(backup: Path, folder: Path, network: Network | None = None) -> bytes:
    """Make a node's folder from a backup, complete or not at all, and return its node key.

    Args:
        backup: The file that back_up() wrote.
        folder: A folder that does not exist yet, or is empty.
        network: What the backup's network must be; None for any.

    Raises FolderNotEmpty, InvalidBackup, StoreMoved, StoreTooNew, WrongNetwork, and OSError.
    """
    if folder.exists() and (not folder.is_dir() or any(folder.iterdir())):
        raise FolderNotEmpty(f"{folder} is not empty: a backup is restored into a new folder")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with staging(folder.parent, ".restore-") as held:
        made = held / "node"
        made.mkdir(mode=0o700)
        with _bad_backups(backup):
            listed = _unpack(backup, made)
            config = load_config(made)
            _check(made, config, listed)
        if network and config.network_file.network != network:
            raise WrongNetwork(f"the backup is for {config.network_file.network}, not for {network}")
        _mark(made)
        sync_folder(made)
        made.rename(folder)
        sync_folder(folder.parent)
    return config.node_key


def _unpack(backup: Path, made: Path) -> BackupList:
    """Write the members, each within the limits and under a known name; returns their list."""
    known = {*_SMALL, _STORE, LIST_FILE}
    with backup.open("rb") as file:
        for member in _members(file):
            if member.name not in known or (made / member.name).exists():
                raise InvalidBackup(f"{backup} has a member that no backup has: {member.name[:80]!r}")
            if member.name != _STORE and member.size > SMALL_FILE_BYTES:
                raise InvalidBackup(f"{member.name} in {backup} is too large")
            _write(made / member.name, file, member.size)
    try:
        text = (made / LIST_FILE).read_bytes()
    except FileNotFoundError:
        raise InvalidBackup(f"{backup} is cut off: it does not end with its list") from None
    (made / LIST_FILE).unlink()
    return msgspec.json.decode(text, type=BackupList)


def _members(file: IO[bytes]) -> Iterator[tarfile.TarInfo]:
    """Yield the header of each member, in front of its data, which the caller reads.

    tarfile would follow headers that name other sizes, as large as they like, or holes instead of data.
    Raises InvalidBackup and TarError.
    """
    end = os.fstat(file.fileno()).st_size
    while any(block := file.read(tarfile.BLOCKSIZE)):
        member = tarfile.TarInfo.frombuf(block, "utf-8", "surrogateescape")
        if member.type != tarfile.REGTYPE or not 0 <= member.size <= end - file.tell():
            raise InvalidBackup(f"{file.name} has a member that is no file, or cut off")
        yield member
        file.seek(-member.size % tarfile.BLOCKSIZE, os.SEEK_CUR)


def _write(path: Path, source: IO[bytes], size: int) -> None:
    descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600)
    with os.fdopen(descriptor, "wb") as file:
        while size:
            size -= file.write(source.read(min(size, _CHUNK)))
        file.flush()
        os.fsync(file.fileno())


def _check(made: Path, config: NodeConfig, listed: BackupList) -> None:
    """Compare files with their list, and the store with identity and network."""
    if listed.format != FORMAT or listed.node_key != config.node_key.hex():
        raise InvalidBackup("the backup's list is not that of its identity")
    found = {one.name for one in made.iterdir()}
    if found != listed.files.keys() or not {CONFIG_FILE, NETWORK_FILE, IDENTITY_FILE, _STORE} <= found:
        raise InvalidBackup("the backup lacks files of its list")
    for name, one in listed.files.items():
        path = made / name
        if (path.stat().st_size, _hash_of(path)) != (one.size, one.sha256):
            raise InvalidBackup(f"{name} is not what was backed up")
    settings = load_settings(made)
    for named in (settings.network, settings.anchor_key, settings.anchor_password):
        if named and named not in found:
            raise InvalidBackup(f"the settings name {named!r}, which the backup does not have")
    owner = owner_of(config.network_file.network, config.node_key)
    with snapshot_at(location_in(made), old=True) as db:
        if owner_in(db) not in (None, owner):
            raise WrongStore("the store in the backup is that of another node or network")
        marks.check_startable(db, "in the backup")


def _mark(made: Path) -> None:
    store = store_at(location_in(made))
    store.start()
    try:
        new_id = os.urandom(STORE_ID_BYTES)
        asyncio.run(store.write(lambda db: mark_restored(db, new_id)))
    finally:
        store.stop()
    (made / USED_FILE).touch(0o600)


@contextmanager
def _bad_backups(backup: Path) -> Iterator[None]:
    """Turn whatever a broken file leads to into InvalidBackup."""
    try:
        yield
    except (InvalidBackup, StoreMoved, StoreTooNew):
        raise  # the backup is whole
    except SaysoError as error:
        raise InvalidBackup(f"{backup}: {error}") from error
    except (tarfile.TarError, EOFError, ValueError, RecursionError) as error:
        raise InvalidBackup(f"{backup} is no backup, or is cut off: {error}") from error


def _hash_of(path: Path) -> str:
    with path.open("rb") as file:
        return hashlib.file_digest(file, "sha256").hexdigest()
