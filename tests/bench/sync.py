"""What it costs to find out that two nodes with a million consents each differ in a few.

Questions and answers are those of the wire, read from two stores on disk; messages themselves are not
counted, as in the figures that others publish. CPU is that of both sides together.
"""

import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from dataclasses import astuple, dataclass
from pathlib import Path
from random import Random

import numpy as np

from bench import rateless
from bench.figure import REPEATS, Figure
from sayso_node.store.interface import Writing
from sayso_node.store.opening import store_at
from sayso_node.store.sync import index as sync_index
from sayso_node.sync.bill import BYTES, COST_OF_QUESTION
from sayso_node.sync.memory import ExpectedView, PeerMemory
from sayso_node.sync.reading import Reader, StoreRequest
from sayso_node.sync.shares import MOST as MOST_WORK
from sayso_protocol.messages.message import CONSENT
from sayso_protocol.primitives import sha256
from sayso_protocol.sync.answers import decode_messages
from sayso_protocol.sync.findings import Finding
from sayso_protocol.sync.fingerprints import NODES, SALT_BYTES, node_at
from sayso_protocol.sync.requests import GetRequest, Request, decode_request, encode_request
from sayso_protocol.sync.walk import differences
from support.filled_store import change_store

ENTRIES = 1_000_000
FEWER = (10_000, 100_000)
MOST_EACH = 60  # bytes a difference that we allow ourselves
MOST_SHARE = 0.5
DIFFERENCES = (0, 10, 100, 1_000)
NEGENTROPY = {0: 676.0, 100: 328_000.0}  # bytes, as its authors document them
MOST = {0: 1_000, 10: 15_000, 100: 90_000, 1_000: 600_000}  # bytes that we allow ourselves
BOUND_BYTES = 8  # a difference: a short id
SKETCH_LEVEL = 12  # of 244 entries: whose nodes a sketch would be over


@dataclass
class Cost:
    """Of one comparison."""

    bytes: float = 0
    questions: float = 0
    cpu_s: float = 0.0
    found: float = 0
    work: float = 0.0  # of the peer's share, as it counts it


def figures() -> Iterator[Figure]:
    """sync.*"""
    with tempfile.TemporaryDirectory() as name:
        grown = dict(_grown(Path(name)))
        left, right = Path(name) / "left.sqlite", Path(name) / "right.sqlite"
        digests, scattered = _pair(left, right, ENTRIES)
        gone = 0
        for count in DIFFERENCES:
            _part(left, right, scattered[gone:count])
            gone = count
            cost = _compare(left, right, count)
            yield from _lines(cost, count)
        grown[ENTRIES] = cost
        yield from _growth(grown)
        yield from _sketch(digests, scattered)


def _grown(folder: Path) -> Iterator[tuple[int, Cost]]:
    """The same differences among fewer entries."""
    for entries in FEWER:
        left, right = folder / f"left{entries}.sqlite", folder / f"right{entries}.sqlite"
        _, scattered = _pair(left, right, entries)
        _part(left, right, scattered)
        yield entries, _compare(left, right, len(scattered))


def _growth(grown: dict[int, Cost]) -> Iterator[Figure]:
    """How the cost of the same differences grows with the entries: fewer are the peers of most."""
    count = max(DIFFERENCES)
    for name, unit, limit, values in (
        (
            "bytes_per_difference",
            "B",
            f"at most {MOST_EACH} B",
            {entries: cost.bytes / count for entries, cost in grown.items()},
        ),
        (
            "share_used",
            "of a burst",
            f"at most {MOST_SHARE}",
            {entries: cost.work / MOST_WORK for entries, cost in grown.items()},
        ),
    ):
        peers = {f"{entries:,} entries": values[entries] for entries in FEWER}
        yield Figure(f"sync.{name}", values[ENTRIES], unit, "lower", peers, limit)


def _pair(left: Path, right: Path, entries: int) -> tuple[list[bytes], list[bytes]]:
    """Two equal stores; returns what they hold, and of it what may be taken out."""
    digests = [sha256(b"sync %d" % number) for number in range(entries)]
    _fill(left, digests)
    shutil.copy(left, right)
    return digests, Random(1).sample(digests, max(DIFFERENCES))


def _part(left: Path, right: Path, digests: list[bytes]) -> None:
    """Take every other of these out of one store, and the rest out of the other."""
    _lose(left, digests[::2])
    _lose(right, digests[1::2])


def _compare(left: Path, right: Path, count: int) -> Cost:
    """The median cost of comparisons that find so many differences."""
    costs = [_walk(left, right, salt) for salt in range(REPEATS)]
    if {one.found for one in costs} != {count}:
        raise AssertionError(f"not all of {count} differences were found: {costs}")
    return Cost(*(statistics.median(values) for values in zip(*map(astuple, costs), strict=True)))


def _lines(cost: Cost, count: int) -> Iterator[Figure]:
    peers = {"negentropy, as documented": NEGENTROPY[count]} if count in NEGENTROPY else {}
    limit = f"at most {MOST[count]:,} B; {BOUND_BYTES} B a difference: {BOUND_BYTES * count:,} B"
    if cost.bytes > MOST[count]:
        raise AssertionError(f"{count} differences took {cost.bytes:,.0f} bytes: {limit}")
    yield Figure(f"sync.bytes_{count}", cost.bytes, "B", "lower", peers, limit)
    yield Figure(f"sync.round_trips_{count}", cost.questions, "round trips", "lower")
    yield Figure(f"sync.cpu_ms_{count}", cost.cpu_s * 1_000, "ms", "lower", {}, "of both sides together")


def _walk(left: Path, right: Path, number: int) -> Cost:
    ours, theirs, cost = store_at(left), store_at(right), Cost()
    salt = sha256(b"salt %d" % number)[:SALT_BYTES]
    view = ExpectedView(ours, CONSENT, PeerMemory(0.0))
    walk = differences(view, CONSENT, salt, int.from_bytes(salt[:8]))

    def ask(request: Request) -> bytes:
        question = encode_request(request)
        reader = Reader(theirs)
        answer = reader.answer(_read(question))
        carries = isinstance(request, GetRequest)  # messages, which are not counted
        cost.bytes += len(question) + (0 if carries else len(answer))
        cost.questions += 1
        cost.work += reader.cost + COST_OF_QUESTION + (len(question) + len(answer)) / BYTES
        return answer

    def bring(found: Finding) -> set[bytes]:
        came = {one for get in _gets(salt, found) for one in decode_messages(ask(get))}
        cost.found += len(found.ours) + len(came)
        return came

    begun = time.process_time()
    try:
        step = next(walk)
        while True:
            step = walk.send(bring(step) if isinstance(step, Finding) else ask(step))
    except StopIteration:
        pass
    cost.cpu_s = time.process_time() - begun
    for engine in (ours, theirs):
        engine.stop()
    return cost


def _read(question: bytes) -> StoreRequest:
    request = decode_request(question)
    assert isinstance(request, StoreRequest)
    return request


def _gets(salt: bytes, found: Finding) -> Iterator[GetRequest]:
    """The questions for the messages: each of one level."""
    assert not found.ranges
    whole = sorted(found.whole)
    for start in range(0, len(whole), NODES):
        yield GetRequest(CONSENT, salt, tuple(whole[start : start + NODES]), ())
    levels: dict[int, list[tuple[int, list[bytes]]]] = {}
    for node, ids in sorted(found.wanted.items()):
        levels.setdefault(node.bit_length(), []).append((node, ids))
    for own in levels.values():
        yield GetRequest(CONSENT, salt, tuple(n for n, _ in own), tuple(b"".join(ids) for _, ids in own))


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
    """A message is its digest, so that what comes names itself."""
    ordered = sorted(digests)

    def fill(db: Writing) -> None:
        for start in range(0, len(ordered), 20_000):
            part = ordered[start : start + 20_000]
            db.executemany(
                "INSERT INTO messages (digest, kind, contributor, body, arrived_at)"
                f" VALUES (?, {CONSENT}, x'00', ?, 0)",
                ((one, one) for one in part),
            )
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
