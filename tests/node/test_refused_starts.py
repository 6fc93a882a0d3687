"""A start that is refused leaves nothing open: no connection, file, task or process, and no lock."""

import asyncio
import socket
import sqlite3
import subprocess
import sys
from collections.abc import Callable
from contextlib import ExitStack, closing
from pathlib import Path

from node.config.test_folder import make
from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.config import load_config
from sayso_node.folder.lock import USED_FILE, NodeFolder
from sayso_node.store import singles
from sayso_node.store.moving import marks
from sayso_node.store.moving.marks import Mark, Stage
from sayso_node.store.opening import location_in, store_at
from sayso_node.store.tables.schema import VERSION
from support.waiting import DEADLINE_S

STARTS = Path(__file__).with_name("refused_starts.py")
LEFT_OPEN = ("Traceback", "Warning", "nclosed", "never awaited", "never retrieved", "was destroyed")
Fault = Callable[[Path, ExitStack], object]


def http_taken(folder: Path, stack: ExitStack) -> None:
    port = load_config(folder).settings.http.rpartition(":")[2]
    stack.enter_context(socket.create_server((LOOPBACK, int(port))))


def peers_taken(folder: Path, stack: ExitStack) -> None:
    port = load_config(folder).settings.listen[0].rpartition("/")[2]
    stack.enter_context(socket.create_server((LOOPBACK, int(port))))


def in_use(folder: Path, stack: ExitStack) -> None:
    other = NodeFolder(folder)
    other.lock()
    stack.callback(other.release)


def moved(folder: Path, _stack: ExitStack) -> None:
    store = store_at(location_in(folder))
    store.start()
    asyncio.run(store.write(lambda db: marks.put(db, Mark(Stage.MOVED, "00", "postgresql://db/x"))))
    store.stop()


def anothers(folder: Path, _stack: ExitStack) -> None:
    store = store_at(location_in(folder))
    store.start()
    asyncio.run(store.write(lambda db: singles.put(db, singles.OWNER, b"node 00")))
    store.stop()


def newer(folder: Path, _stack: ExitStack) -> None:
    with closing(sqlite3.connect(location_in(folder))) as db:
        db.execute(f"PRAGMA user_version = {VERSION + 1}")


def damaged(folder: Path, _stack: ExitStack) -> None:
    Path(location_in(folder)).write_bytes(b"no store " * 1_000)


def missing(folder: Path, _stack: ExitStack) -> None:
    (folder / USED_FILE).touch()


REFUSED: list[tuple[Fault, str]] = [
    (http_taken, "invalid-node-config"),
    (peers_taken, "gossip-down"),
    (in_use, "folder-in-use"),
    (moved, "store-moved"),
    (anothers, "wrong-store"),
    (newer, "store-too-new"),
    (damaged, "store-damaged"),
    (missing, "store-missing"),
]


def test_nothing_is_left_open(tmp_path: Path) -> None:
    """One process starts a node in each folder; what is still open when it is collected is warned of."""
    with ExitStack() as stack:
        hung = stack.enter_context(socket.create_server((LOOPBACK, 0))).getsockname()[1]
        folders = [tmp_path / fault.__name__ for fault, _ in REFUSED]
        for folder, (fault, _) in zip(folders, REFUSED, strict=True):
            http, peer = free_ports(2)
            make(
                folder,
                http=f"{LOOPBACK}:{http}",
                listen=(f"/ip4/{LOOPBACK}/tcp/{peer}",),
                rpc=f"http://{LOOPBACK}:{hung}",
                more_rpcs=(f"ws://{LOOPBACK}:{hung}",),
            )
            fault(folder, stack)
        done = subprocess.run(
            [sys.executable, "-X", "dev", STARTS, *folders],
            capture_output=True,
            text=True,
            check=False,
            timeout=DEADLINE_S,
        )
        assert done.stdout.split() == [code for _, code in REFUSED]
        for sign in LEFT_OPEN:
            assert sign not in done.stderr, done.stderr
    for folder in folders:
        again = NodeFolder(folder)
        again.lock()
        again.release()
