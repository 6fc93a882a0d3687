"""What it costs to find out that two nodes with a million consents each differ in a few.

Questions and answers are those of the wire, read from two stores on disk; messages themselves are not
counted, as in the figures that others publish. CPU is that of both sides together.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from random import Random

import numpy as np

from bench import rateless
from bench.figure import REPEATS, Figure
from sayso_node.store import sync_index
from sayso_node.store.interface import Writing
from sayso_node.store.opening import store_at
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_node.sync.reading import Reader, StoreRequest
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.fingerprints import SALT_BYTES, node_at
from sayso_protocol.sync.requests import GetRequest, decode_request, encode_request
from sayso_protocol.sync.walk import Differences, differences
from support.filled_store import change_store

ENTRIES = 1_000_000
DIFFERENCES = (0, 10, 100, 1_000)
NEGENTROPY = {0: 676.0, 100: 328_000.0}  # bytes, as its authors document them
MOST = {0: 1_000, 10: 15_000, 100: 90_000, 1_000: 600_000}  # bytes that we allow ourselves
BOUND_BYTES = 8  # a difference: a short id
SKETCH_LEVEL = 12  # of 244 entries: whose nodes a sketch would be over


@dataclass
class Cost:
    """Of one comparison."""

    bytes: int = 0
    questions: int = 0
    cpu_s: float = 0.0
    found: int = 0


def figures() -> Iterator[Figure]:
    """sync.*"""
    with tempfile.TemporaryDirectory() as name:
        left, right = Path(name) / "left.sqlite", Path(name) / "right.sqlite"
        digests = [sha256(b"sync %d" % number) for number in range(ENTRIES)]
        _fill(left, digests)
        shutil.copy(left, right)
        scattered = Random(1).sample(digests, max(DIFFERENCES))
        gone = 0
        for count in DIFFERENCES:
            for path, lost in (
                (left, scattered[gone:count:2]),
                (right, scattered[gone + 1 : count : 2]),
            ):
                _lose(path, lost)
            gone = count
            yield from _compare(left, right, count)
        yield from _sketch(digests, scattered)


def _compare(left: Path, right: Path, count: int) -> Iterator[Figure]:
    costs = [_walk(left, right, salt) for salt in range(REPEATS)]
    if {one.found for one in costs} != {count}:
        raise AssertionError(f"not all of {count} differences were found: {costs}")
    peers = {"negentropy, as documented": NEGENTROPY[count]} if count in NEGENTROPY else {}
    limit = f"at most {MOST[count]:,} B; {BOUND_BYTES} B a difference: {BOUND_BYTES * count:,} B"
    size = statistics.median(one.bytes for one in costs)
    if size > MOST[count]:
        raise AssertionError(f"{count} differences took {size:,.0f} bytes: {limit}")
    yield Figure(f"sync.bytes_{count}", size, "B", "lower", peers, limit)
    trips = statistics.median(one.questions for one in costs)
    yield Figure(f"sync.round_trips_{count}", trips, "round trips", "lower")
    cpu_s = statistics.median(one.cpu_s for one in costs)
    yield Figure(f"sync.cpu_ms_{count}", cpu_s * 1_000, "ms", "lower", {}, "of both sides together")


def _walk(left: Path, right: Path, number: int) -> Cost:
    ours, theirs, cost = store_at(left), store_at(right), Cost()
    salt = sha256(b"salt %d" % number)[:SALT_BYTES]
    view = ExpectedView(ours, CONSENT, PeerMemory())
    walk = differences(view, CONSENT, salt, int.from_bytes(salt[:8]))
    begun = time.process_time()
    try:
        question = encode_request(next(walk))
        while True:
            answer = Reader(theirs).answer(_read(question))
            cost.bytes += len(question) + len(answer)
            cost.questions += 1
            question = encode_request(walk.send(answer))
    except StopIteration as stop:
        found: Differences = stop.value
    cost.cpu_s = time.process_time() - begun
    wanted = [(node, ids) for node, ids in sorted(found.wanted.items())]
    get = _get(salt, wanted)
    cost.bytes += len(get)
    cost.questions += bool(get)
    cost.found = len(found.ours) + sum(len(ids) for _, ids in wanted)
    for engine in (ours, theirs):
        engine.stop()
    return cost


def _read(question: bytes) -> StoreRequest:
    request = decode_request(question)
    assert isinstance(request, StoreRequest)
    return request


def _get(salt: bytes, wanted: list[tuple[int, list[bytes]]]) -> bytes:
    """The questions for the messages: one a level."""
    levels: dict[int, list[tuple[int, list[bytes]]]] = {}
    for node, ids in wanted:
        levels.setdefault(node.bit_length(), []).append((node, ids))
    requests = (
        GetRequest(CONSENT, salt, tuple(n for n, _ in own), tuple(b"".join(ids) for _, ids in own))
        for own in levels.values()
    )
    return b"".join(map(encode_request, requests))


def _sketch(digests: list[bytes], scattered: list[bytes]) -> Iterator[Figure]:
    """What a rateless sketch would cost instead, over the nodes that differ: adr/0011."""
    salt = sha256(b"sketch")[:SALT_BYTES]
    for count in DIFFERENCES[1:]:
        nodes = {node_at(SKETCH_LEVEL, int.from_bytes(one[:8])) for one in scattered[:count]}
        begun = time.process_time()
        within = [one for one in digests if node_at(SKETCH_LEVEL, int.from_bytes(one[:8])) in nodes]
        begun = time.process_time()
        shorts = {one: int.from_bytes(sha256(salt + one)[:8]) for one in within}
        hashed_s = time.process_time() - begun
        ids = [
            np.array([s for one, s in shorts.items() if one not in lost], np.uint64)
            for lost in (set(scattered[0:count:2]), set(scattered[1:count:2]))
        ]
        symbols = rateless.symbols_needed(*ids)
        begun = time.process_time()
        both = [rateless.encode(one, symbols) for one in ids]
        assert rateless.decode(*both) is not None
        cpu_s = time.process_time() - begun + 2 * hashed_s
        size = float(symbols * rateless.SYMBOL_BYTES)
        peers = {"entries in it": float(len(within)), "CPU of both sides, ms": cpu_s * 1_000}
        yield Figure(f"sync.sketch_bytes_{count}", size, "B", "lower", peers, "below level 12 only")


def _fill(path: Path, digests: list[bytes]) -> None:
    def fill(db: Writing) -> None:
        db.executemany(
            "INSERT INTO messages (digest, kind, contributor, body, arrived_at)"
            f" VALUES (?, {CONSENT}, x'00', x'00', 0)",
            ((one,) for one in sorted(digests)),
        )
        for start in range(0, len(digests), 20_000):
            part = digests[start : start + 20_000]
            _change(db, part, 1)

    change_store(path, fill)


def _lose(path: Path, digests: list[bytes]) -> None:
    def lose(db: Writing) -> None:
        db.executemany("DELETE FROM messages WHERE digest = ?", ((one,) for one in digests))
        _change(db, digests, -1)

    change_store(path, lose)


def _change(db: Writing, digests: list[bytes], sign: int) -> None:
    for start in range(0, len(digests), 5_000):
        changes = [sync_index.digest_change(one, sign) for one in digests[start : start + 5_000]]
        sync_index.change_sums(db, CONSENT, changes)
