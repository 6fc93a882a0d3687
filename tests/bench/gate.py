"""The gate: Parquet beside pyarrow's own filter, and what very many rows take in memory.

The manifest has rows as a buyer's have them: the two hashes, a URL, a caption and a number. One license
in a hundred is revoked. Rows come in the order in which they were licensed, and, as another figure, in
no order at all.
"""

import asyncio
import json
import os
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from nacl.signing import SigningKey

from bench.consents import DAY_S, NETWORK, current
from bench.figure import Figure
from bench.real_node import measured_node
from sayso.contributor.saved_messages import bundle_bytes
from sayso.gate.gate import Gate
from sayso.gate.running import GateFiles
from sayso.networks import save_network
from sayso_protocol.messages.consent import Consent
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from support.protocol_strategies import full_words
from support.snapshot_making import Content, make_snapshot
from support.snapshots import joined_keys, names_of_envelopes

ROWS = int(os.environ.get("SAYSO_BENCH_ROWS", "10000000"))
MANY = int(os.environ.get("SAYSO_BENCH_MANY_ROWS", "100000000"))
ITEMS = 1_000  # of a license
LICENSES = 1_000  # so a million items
REVOKED_EVERY = 100
GROUP_ROWS = 1_000_000
ROUNDS = 3
KEY = SigningKey(sha256(b"bench gate"))


class Place:
    """A folder with a network file, a bundle, a snapshot and a manifest."""

    def __init__(self, folder: Path, media: Sequence[Envelope] = ()) -> None:
        self.folder = folder
        made = [current(number, ITEMS) for number in range(LICENSES)]
        self.licenses = np.frombuffer(b"".join(one.digest for one in made), "V32").repeat(ITEMS)
        self.items = np.frombuffer(b"".join(item for one in made for item in one.items), "V32")
        envelopes, bad = [*made, *media], [*made[::REVOKED_EVERY], *media[:1]]
        self.revoked = {one.digest for one in bad}
        self.revoked_items = {item for one in bad for item in one.items}
        operator = Operator("bench", bytes(KEY.verify_key))
        save_network(folder / "network.toml", NetworkFile(NETWORK, 1, 0, (operator,)))
        (folder / "licenses.sayso").write_bytes(bundle_bytes(envelopes))
        (folder / "bench.snapshot").write_bytes(_snapshot(bad, envelopes))

    def tables(self, rows: int, order: np.ndarray[Any, Any] | None = None) -> Iterator[pa.Table]:
        """Rows again and again, a group at a time."""
        for start in range(0, rows, GROUP_ROWS):
            at = np.arange(start, min(start + GROUP_ROWS, rows)) % len(self.items)
            yield _table(self, at if order is None else order[at], start)

    def write(self, path: Path, rows: int, order: np.ndarray[Any, Any] | None = None) -> Path:
        """A manifest of so many rows."""
        with pq.ParquetWriter(path, next(self.tables(1)).schema) as writer:
            for table in self.tables(rows, order):
                writer.write_table(table, row_group_size=GROUP_ROWS)
        return path

    def gate(self) -> Gate:
        """One that looks in the snapshot."""
        return Gate(
            "anyone",
            "train-ai",
            network=self.folder / "network.toml",
            offline=[self.folder / "bench.snapshot"],
            bundle=self.folder / "licenses.sayso",
            max_age_s=DAY_S,
        )


def message(envelope: Envelope) -> Consent:
    """The consent in an envelope."""
    assert isinstance(envelope.message, Consent)
    return envelope.message


def _snapshot(envelopes: list[Envelope], held: list[Envelope]) -> bytes:
    """Of a node that knows these as revoked, whole, and holds those."""
    entries = [
        (message(one).contributor, word, mask)
        for one in envelopes
        for word, mask in full_words(message(one)).items()
    ]
    now = int(time.time())
    moment = SnapshotMoment(sha256(b"state"), ChainPoint(1, sha256(b"block")), now, now, now + DAY_S)
    content = Content(joined_keys(entries), names_of_envelopes(held))
    return make_snapshot(KEY, NETWORK, moment, content, (os.urandom(16) for _ in range(64))).data


def _table(place: Place, at: np.ndarray[Any, Any], start: int) -> pa.Table:
    fixed = pa.binary(32)
    numbers = pa.array(np.arange(start, start + len(at)))
    text = pc.cast(numbers, pa.string())
    columns = {
        "license": pa.Array.from_buffers(fixed, len(at), [None, pa.py_buffer(place.licenses[at])]),
        "item": pa.Array.from_buffers(fixed, len(at), [None, pa.py_buffer(place.items[at])]),
        "url": pc.binary_join_element_wise("https://cdn.example/clips/", text, ".flac", ""),
        "caption": pc.binary_join_element_wise("somebody says number", text, "aloud", " "),
        "seconds": pa.array((np.arange(len(at)) % 600).astype(np.float32)),
    }
    return pa.table(columns)


def figures() -> list[Figure]:
    """All figures of this part."""
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name))
        return [*parquet(place), many(place), asyncio.run(online())]


def parquet(place: Place) -> list[Figure]:
    """Rows per second through the gate, and through pyarrow alone."""
    order = np.random.default_rng(7).permutation(len(place.items))
    manifest = place.write(place.folder / "rows.parquet", ROWS)
    shuffled = place.write(place.folder / "mixed.parquet", ROWS, order)
    gate = place.gate()
    gate.rows(b"\0" * 64)  # the bundle is read once for all manifests
    works: dict[str, Callable[[], int]] = {
        "gate": lambda: _checked(place, gate, manifest),
        "pyarrow read, filter, write": lambda: _plain(place, manifest),
        "gate, rows in no order": lambda: _checked(place, gate, shuffled),
    }
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(ROUNDS):
        for name, work in works.items():
            begun = time.perf_counter()
            rows = work()
            seen[name].append(rows / (time.perf_counter() - begun))
    rates = {name: statistics.median(values) for name, values in seen.items()}
    ours, peer = rates.pop("gate"), rates["pyarrow read, filter, write"]
    limit = f"bound: 0.4 x pyarrow; this run: {ours / peer:.2f} x"
    return [Figure("gate.parquet_rows_per_s", ours, "rows/s", "higher", rates, limit)]


def _checked(place: Place, gate: Gate, manifest: Path) -> int:
    kept = place.folder / "kept.parquet"
    record = gate.check(manifest, GateFiles(kept=kept, receipt=place.folder / "receipt.json"))
    assert record.counts == {"granted": ROWS - _refused(ROWS), "revoked": _refused(ROWS)}
    assert pq.read_metadata(kept).num_rows == record.clear
    return record.rows


def _refused(rows: int) -> int:
    """How many of so many rows in order, or of whole millions in any order, are revoked."""
    every = ITEMS * REVOKED_EVERY
    return rows // every * ITEMS + min(rows % every, ITEMS)


def _plain(place: Place, manifest: Path) -> int:
    """What somebody does without a gate, who has the list of bad licenses."""
    table = pq.read_table(manifest)
    bad = pa.array(sorted(place.revoked), table.schema.field("license").type)
    kept = table.filter(pc.invert(pc.is_in(table["license"], bad)))
    pq.write_table(kept, place.folder / "plain.parquet")
    assert len(table) - len(kept) == _refused(ROWS)
    return len(table)


def many(place: Place) -> Figure:
    """The most memory that a sharded manifest of very many rows takes, in a process of its own."""
    shards = place.folder / "shards"
    shards.mkdir()
    each = MANY // 100
    first = place.write(shards / "0000.parquet", each)
    for number in range(1, 100):
        (shards / f"{number:04}.parquet").hardlink_to(first)
    run = [sys.executable, "-m", "bench.gate", str(place.folder)]
    told = json.loads(subprocess.run(run, check=True, capture_output=True, text=True).stdout)
    assert told["rows"] == each * 100
    limit = f"{told['rows']:,} rows of 100 shards in {told['seconds']:.0f} s; bound: 1,024 MiB"
    plain = {"the same process before the first row": told["before_mb"]}
    return Figure("gate.rss_mb_100m", told["most_mb"], "MiB", "lower", plain, limit)


async def online() -> Figure:
    """Rows per second through a gate that asks a real node about a million at once."""
    async with measured_node() as node:
        envelopes = [current(number, ITEMS, node.trusted.network) for number in range(LICENSES)]
        await node.take(envelopes)
        rows = b"".join(one.digest + item for one in envelopes for item in one.items)
        options: dict[str, Any] = {"nodes": [node.node.url], "wait_s": 60.0, "max_age_s": 3_600}
        gate = Gate("anyone", "train-ai", network=node.trusted, **options)

        def ask() -> float:
            begun = time.perf_counter()
            assert gate.rows(rows).clear.all()
            return len(rows) / 64 / (time.perf_counter() - begun)

        await asyncio.to_thread(ask)  # until the node has read the chain since the last consent came
        seen = [await asyncio.to_thread(ask) for _ in range(ROUNDS)]
        gate.close()
    peers = {"rows in one request, datadiligence's documented most": 10_000.0}
    limit = f"{len(rows) // 64:,} rows in one request, answer and receipt verified"
    return Figure("gate.online_rows_per_s", statistics.median(seen), "rows/s", "higher", peers, limit)


def _child(folder: Path) -> None:
    gate = Gate(
        "anyone",
        "train-ai",
        network=folder / "network.toml",
        offline=[folder / "bench.snapshot"],
        bundle=folder / "licenses.sayso",
        max_age_s=DAY_S,
    )
    gate.rows(b"\0" * 64)
    before, begun = _memory("VmHWM"), time.perf_counter()
    record = gate.check(folder / "shards", GateFiles(kept=folder / "kept"))
    told = {"rows": record.rows, "before_mb": before, "most_mb": _memory("VmHWM")}
    sys.stdout.write(json.dumps(told | {"seconds": time.perf_counter() - begun}))


def _memory(name: str) -> float:
    status = Path("/proc/self/status").read_text()
    (line,) = [one for one in status.splitlines() if one.startswith(name + ":")]
    return int(line.split()[1]) / 1_024


if __name__ == "__main__":
    _child(Path(sys.argv[1]))
