"""Examines a node's store as far as a start would look at it, without changing it."""

from collections.abc import Iterator
from typing import Final

from sayso_node.doctor.diagnosis import Diagnosis, fail, ok, warn
from sayso_node.errors import StoreTooNew, StoreTooOld, StoreUnusable
from sayso_node.folder.config import NodeConfig
from sayso_node.folder.lock import USED_FILE, owner_in, owner_of
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Stage
from sayso_node.store.opening import damage_of, is_empty, snapshot_at

_DAMAGED: Final = "see sayso node verify-store; put it back from a backup"
_NEWER: Final = "install the release that wrote it, or a newer one; never move the store away"
_OLDER: Final = (
    "sayso node backup, then start the node: it migrates the store, and there is no other way back"
)
_FOLLOW: Final = "let `store` in node.toml name the new place, or move it back: sayso node move-store"
_FINISH: Final = (
    "repeat the same sayso node move-store: either nothing was changed, or it finishes the move"
)


def examine_store(config: NodeConfig) -> Iterator[Diagnosis]:
    """Yield whether the store is there, whose it is, and whether this release may start on it."""
    location = config.store_location
    try:
        empty = is_empty(location)
    except StoreUnusable as error:
        yield fail("store", str(error), "start the server, or correct the setting store in node.toml")
        return
    if empty:
        if (config.folder / USED_FILE).exists():
            text = "the store is missing, and this identity was used"
            yield fail("store", text, "put it back from a backup: sayso node restore")
        else:
            yield ok("store", "none yet: the node makes it")
        return
    if noted := damage_of(location).noted():
        yield fail("store", f"damage was found: {noted}", "start the node, which repairs what it can")
    yield from _opened(config)


def _opened(config: NodeConfig) -> Iterator[Diagnosis]:
    location = config.store_location
    try:
        with snapshot_at(location, old=True) as db:
            owner, mark = owner_in(db), marks.read(db)
    except StoreTooNew as error:
        yield fail("store", str(error), _NEWER)
        return
    except StoreUnusable as error:
        yield fail("store", str(error), _DAMAGED)
        return
    if owner not in (None, owner_of(config.network_file.network, config.node_key)):
        yield fail("store", f"it is that of {owner}", "put the store of this node back")
    elif mark and mark.stage is Stage.MOVED:
        text = f"it was moved to {mark.other}, and no node starts on what is left here"
        yield fail("store", text, _FOLLOW)
    elif mark and mark.stage is Stage.ARRIVING:
        yield fail("store", f"it is a copy: moving it from {mark.other} was not finished", _FINISH)
    else:
        yield _readable(location)


def _readable(location: str) -> Diagnosis:
    try:
        with snapshot_at(location):
            return ok("store", "it is this node's; sayso node verify-store recomputes all of it")
    except StoreTooOld as error:
        return warn("store", str(error), _OLDER)
