"""How long a node with a million messages takes to answer, and its memory: beside an empty one."""

import os
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from pathlib import Path

from bench.consents import NETWORK, consent
from bench.figure import Figure
from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings, load_settings
from sayso_node.store.interface import Writing
from sayso_node.store.opening import location_in
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.message import CONSENT, REVOCATION
from sayso_protocol.network_file import NetworkFile
from sayso_protocol.permissions.scopes import scope_word
from sayso_protocol.permissions.state_digest import EMPTY_SUM, changed_sum
from sayso_protocol.primitives import sha256
from support.filled_store import change_store

CONSENTS = 900_000
REVOKED = range(0, CONSENTS, 9)  # 100,000 contributors revoked everything
STARTS = 3
DEADLINE_S = 120.0
NOWHERE = "http://127.0.0.1:9"


def figures() -> Iterator[Figure]:
    """node.*"""
    with tempfile.TemporaryDirectory() as name:
        full, empty = _folder(Path(name) / "full"), _folder(Path(name) / "empty")
        _fill(location_in(full))
        size_mb = Path(location_in(full)).stat().st_size / 1e6
        seen: dict[Path, list[tuple[float, float]]] = {full: [], empty: []}
        for _ in range(STARTS):
            for folder, runs in seen.items():
                runs.append(_start(folder))
    limit = f"a store of {size_mb:.0f} MB"
    for at, (figure, unit) in enumerate((("node.start_s_1m", "s"), ("node.rss_mb_1m", "MB"))):
        taken = {folder: statistics.median(run[at] for run in runs) for folder, runs in seen.items()}
        yield Figure(figure, taken[full], unit, "lower", {"an empty store": taken[empty]}, limit)


def _folder(folder: Path) -> Path:
    """A node that dials nobody; its chain endpoint is not there."""
    http, listen = free_ports(2)
    listens = (f"/ip4/{LOOPBACK}/tcp/{listen}",)
    init_node(
        folder,
        Settings("measured", "network.toml", f"{LOOPBACK}:{http}", listens, NOWHERE),
        os.urandom,
    )
    (folder / "network.toml").write_text(NetworkFile(NETWORK, 1, 0, ()).to_toml())
    return folder


def _start(folder: Path) -> tuple[float, float]:
    """Seconds until it answers, and then the memory of the node and its gossip process, MB."""
    url = f"http://{load_settings(folder).http}/healthz"
    begun = time.perf_counter()
    command = [sys.executable, "-m", "sayso_node", str(folder)]
    with (
        (folder / "log").open("w") as log,
        subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log) as node,
    ):
        while not _answers(url):
            if time.perf_counter() - begun > DEADLINE_S or node.poll() is not None:
                raise RuntimeError((folder / "log").read_text())
            time.sleep(0.01)
        took_s = time.perf_counter() - begun
        children = Path(f"/proc/{node.pid}/task/{node.pid}/children").read_text().split()
        memory_mb = sum(map(_rss_mb, [str(node.pid), *children]))
        node.communicate()  # closes its standard input, which ends it
    return took_s, memory_mb


def _answers(url: str) -> bool:
    try:
        with urllib.request.urlopen(url, timeout=1) as answer:
            return bool(answer.status == 200)
    except (urllib.error.URLError, OSError):
        return False


def _rss_mb(pid: str) -> float:
    lines = Path(f"/proc/{pid}/status").read_text().splitlines()
    return next(int(line.split()[1]) / 1_000 for line in lines if line.startswith("VmRSS"))


def _fill(location: str) -> None:
    """Rows as an intake would have written them, but that all have the body of one message."""
    people = sorted(sha256(b"person %d" % number)[:20] for number in range(CONSENTS))
    revoked = [people[number] for number in REVOKED]

    def fill(db: Writing) -> None:
        _add_messages(db, CONSENT, people)
        _add_messages(db, REVOCATION, revoked)
        db.executemany("INSERT INTO people (address, unsure) VALUES (?, 0)", ((one,) for one in people))
        rows = ((one, sha256(one), 1) for one in people)
        db.executemany("INSERT INTO terms (address, base, permissions) VALUES (?, ?, ?)", rows)
        _add_bits(db, revoked)

    change_store(location, fill)


def _add_messages(db: Writing, kind: int, people: list[bytes]) -> None:
    """One of each, and for a consent its item."""
    body, name = encode(consent(0)), b"%d" % kind
    rows = ((sha256(name + one), kind, one, body) for one in people)
    db.executemany(
        "INSERT INTO messages (digest, kind, contributor, body, arrived_at) VALUES (?, ?, ?, ?, 0)", rows
    )
    if kind == CONSENT:
        items = ((sha256(b"item" + one), seq) for seq, one in enumerate(people, 1))
        db.executemany("INSERT INTO items VALUES (?, ?)", sorted(items))


def _add_bits(db: Writing, people: list[bytes]) -> None:
    word, mask, none = scope_word("everything"), (1).to_bytes(32), bytes(32)
    key = word.to_bytes(32)
    rows = ((one, key, mask, none) for one in people)
    db.executemany("INSERT INTO bits VALUES (?, ?, ?, ?, NULL)", rows)
    db.executemany(
        "INSERT INTO events (address, word, mask, source, digest, time)"
        " VALUES (?, ?, ?, 'signed', ?, 0)",
        ((one, key, mask, sha256(one)) for one in people),
    )
    total = changed_sum(EMPTY_SUM, ((one, word, 1) for one in people))
    db.execute("INSERT INTO singles VALUES ('state-sum', ?)", (total,))
