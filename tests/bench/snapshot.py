"""Snapshots of a million revoked keys: how fast a gate looks, what they weigh, how long they take.

Keys are 32 bytes in an Arrow column, as they would come from Parquet. Beside it: reading the same column
once (`memory-scan`), which no look-up can do without. A tenth of them is revoked.
"""

import math
import resource
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import msgspec
import numpy as np
import pyarrow as pa
from nacl.signing import SigningKey

from bench.consents import NETWORK
from bench.figure import Figure, rates
from sayso_node.snapshots.building import Made, Order
from sayso_node.store.interface import Writing
from sayso_node.store.opening import snapshot_at
from sayso_node.store.snapshots import news
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.fuse_filter import Fuse, Keys, built
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.key_list import list_of
from sayso_protocol.snapshots.snapshot import read_snapshot
from support.filled_store import add_news, add_revoked, change_store
from support.snapshot_making import Content, make_delta, make_snapshot

REVOKED = 1_000_000
COLUMN = 4_000_000
GOOD = 20_000_000
FRESH = 10_000  # of a delta, among so many permissions:
PERMISSIONS = 100_000_000
KEY_BYTES = 32
NODE = SigningKey(bytes(32))
MOMENT = SnapshotMoment(bytes(32), ChainPoint(1, bytes(32)), 1, 1, 2)
FALSE = 1 / 65_536
LATER = 9e9  # everything was confirmed before
SIZES = (10_000, 100_000, 1_000_000)  # people, each with a key and two names
NEWS = 100
# The builder as it is, and the most memory that it had, in KiB. (What the system says of a child counts
# what its parent had, too.)
BUILDING = """
import atexit, re, runpy, sys
def told():
    with open("/proc/self/status") as file:
        sys.stderr.write(re.search(r"VmHWM:\\s+(\\d+)", file.read())[1])
atexit.register(told)
runpy.run_module("sayso_node.snapshots.building", run_name="__main__", alter_sys=True)
"""


def figures() -> Iterator[Figure]:
    """gate.offline_* and snapshot.*"""
    revoked, salts = _keys(REVOKED, 1), _salts()
    filter_ = built(revoked, salts)
    yield _looking(filter_, revoked)
    yield from _sizes(filter_, revoked, salts)
    yield from _mistakes(filter_, revoked)
    yield from _building()
    yield from _growth()


def _keys(count: int, seed: int) -> Keys:
    return np.random.default_rng(seed).integers(0, 256, (count, KEY_BYTES), np.uint8)


def _salts() -> Iterator[bytes]:
    random = np.random.default_rng(7)
    while True:
        yield random.bytes(16)


def _looking(filter_: Fuse, revoked: Keys) -> Figure:
    keys = np.concatenate([_keys(COLUMN - COLUMN // 10, 2), revoked[: COLUMN // 10]])
    np.random.default_rng(3).shuffle(keys)
    column = pa.FixedSizeBinaryArray.from_buffers(
        pa.binary(KEY_BYTES), len(keys), [None, pa.py_buffer(keys.tobytes())]
    )

    def rows() -> Keys:
        return np.frombuffer(column.buffers()[1], np.uint8).reshape(-1, KEY_BYTES)

    def look() -> int:
        if filter_.holds(rows()).sum() < COLUMN // 10:
            raise AssertionError("a revoked key was cleared")
        return COLUMN

    def scan() -> int:
        rows().view(np.uint64).sum()
        return COLUMN

    seen = rates({"ours": look, "memory-scan": scan})
    limit = "0.05 x memory-scan, which reads the same column once"
    peers = {"memory-scan": seen["memory-scan"]}
    return Figure("gate.offline_keys_per_core", seen["ours"], "keys/s", "higher", peers, limit)


def _sizes(filter_: Fuse, revoked: Keys, salts: Iterator[bytes]) -> Iterator[Figure]:
    part = make_snapshot(NODE, NETWORK, MOMENT, Content(revoked), salts)
    bits = 8 * len(part.data) / REVOKED
    bloom = math.log2(1 / FALSE) / math.log(2)
    limit = "16: the logarithm of its false refusals; 18.3 was asked for"
    yield Figure("snapshot.bits_per_key", bits, "bits", "lower", {"bloom (computed)": bloom}, limit)
    yield Figure("snapshot.bytes_per_key", bits / 8, "bytes", "lower", {"32-byte hashes": 32.0}, limit)
    delta = make_delta(
        NODE, NETWORK, MOMENT, Content(_keys(FRESH, 4)), next(salts), part.head, bytes(16)
    )
    rate = FRESH / PERMISSIONS
    entropy = FRESH * (-math.log2(rate) - (1 - rate) / rate * math.log2(1 - rate)) / 8
    limit = f"{entropy / 1_000:.1f} kB: the entropy of {FRESH:,} among {PERMISSIONS:,}"
    peers = {"32-byte hashes": FRESH * KEY_BYTES / 1_000}
    yield Figure("snapshot.kilobytes_delta", len(delta.data) / 1_000, "kB", "lower", peers, limit)
    ratio = len(delta.data) / entropy
    yield Figure("snapshot.delta_over_entropy", ratio, "x", "lower", {}, "1; 1.6 was asked for")
    trusted = NetworkFile(NETWORK, 1, 0, (Operator("bench", bytes(NODE.verify_key)),))
    data = part.data + delta.data
    begun = time.process_time()
    read_snapshot(data, trusted)
    took = time.process_time() - begun
    yield Figure("snapshot.open_s_1m", took, "s", "lower", {}, "one SHA-256 of 2.3 MB")
    if not list_of(next(salts), revoked).holds(revoked).all():
        raise AssertionError("a list forgot a key")


def _mistakes(filter_: Fuse, revoked: Keys) -> Iterator[Figure]:
    forgotten = int((~filter_.holds(revoked)).sum())
    yield Figure("snapshot.false_clears", forgotten, "keys", "lower", {}, "0, of a million")
    wrong = sum(int(filter_.holds(_keys(COLUMN, seed)).sum()) for seed in range(10, 10 + GOOD // COLUMN))
    limit = f"1 in 65,536, of {GOOD:,} good keys; 2 were allowed"
    yield Figure("snapshot.false_refusals", wrong / GOOD / FALSE, "in 65,536", "lower", {}, limit)


def _building() -> Iterator[Figure]:
    """As a node does it, by another process: from its store to the body, in CPU time."""
    with tempfile.TemporaryDirectory() as name:
        store = Path(name) / "store.sqlite"
        for people in (0, REVOKED // 2):  # each enters with two keys
            _fill(store, people)
            begun = _children_s()
            body = Path(name) / "body"
            order = msgspec.json.encode(Order(str(store), str(body), NETWORK, LATER, (), None))
            command = [sys.executable, "-c", BUILDING]
            done = subprocess.run(command, check=True, capture_output=True, input=order)
            took = _children_s() - begun
            if people == 0:
                empty_s = took
        made, size = msgspec.json.decode(done.stdout, type=Made), body.stat().st_size
    if (made.counts.keys, made.counts.named) != (REVOKED, REVOKED) or size < 2 * REVOKED:
        raise AssertionError("another snapshot was made")
    limit = "the start of a process: the empty store"
    yield Figure("snapshot.build_s", took, "s", "lower", {"an empty store": empty_s}, limit)
    memory = int(done.stderr.split()[-1]) * 1_024 / 1e6
    yield Figure("snapshot.build_rss_mb", memory, "MB", "lower", {"the keys alone": REVOKED * 32 / 1e6})


def _children_s() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _fill(path: Path, people: int) -> None:
    """So many people, each with a license of which one permission is revoked."""

    def fill(db: Writing) -> None:
        add_revoked(db, people)

    change_store(path, fill)


def _growth(sizes: tuple[int, ...] = SIZES) -> Iterator[Figure]:
    """CPU time of reading the news of a delta, a hundred new bits, at growing stores."""
    took = {}
    for size in sizes:
        with tempfile.TemporaryDirectory() as name:
            store = Path(name) / "store.sqlite"
            _fill(store, size)
            with snapshot_at(store) as db:
                after = news.position(db, LATER)
            change_store(store, lambda db, size=size: add_news(db, size, NEWS))  # type: ignore[misc]
            with snapshot_at(store) as db:
                news.read_news(db, after, NETWORK, LATER, ())  # the pages are read from the disk once
                begun = time.process_time()
                found = news.read_news(db, after, NETWORK, LATER, ())
                took[f"{size:,} people"] = 1_000 * (time.process_time() - begun)
            if len(found.joined) < NEWS * KEY_BYTES:
                raise AssertionError("the delta lacks news")
    largest = took.popitem()[1]
    limit = f"the same {NEWS} new bits at each size"
    yield Figure("snapshot.delta_growth", largest, "ms", "lower", took, limit)
