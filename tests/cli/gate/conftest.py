"""A buyer's folder: licensed files, manifests of them in every format, a bundle and a snapshot."""

import csv
import time
from collections.abc import Iterator
from dataclasses import replace
from itertools import count
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq
import pytest

from cli.conftest import QUERY, World
from sayso.contributor.saved_messages import save_bundle
from sayso.gate.gate import Gate
from sayso_protocol.primitives import hash_from_text, sha256
from sayso_protocol.receipts.receipt import ChainPoint
from sayso_protocol.snapshots.head import SnapshotMoment
from sayso_protocol.snapshots.part import Part, read_parts
from support.snapshot_making import Content, make_delta, make_snapshot
from support.snapshots import joined_keys, names_of_envelopes

NAMES = ("a.flac", "b.flac", "c.flac", "d.flac")
DAY_S = 86_400


class Buyer:
    """Four licensed files in m.jsonl; b.flac is revoked when `revoke` was called."""

    def __init__(self, world: World) -> None:
        self.world, self.folder, self.node = world, world.folder, world.node
        self.rows = world.grant(*NAMES)

    def revoke(self, name: str = "b.flac") -> None:
        license_hash = self.rows[0]["license"]
        terms = ("--license", license_hash, "--file", name, "--key", self.world.key, "--yes")
        self.world.run("revoke", *terms)

    def table(self, rows: list[dict[str, Any]] | None = None) -> pa.Table:
        """The rows with the hashes as bytes, and columns that nobody asks about."""
        rows = self.rows if rows is None else rows
        columns = {
            "license": pa.array([hash_from_text(one["license"]) for one in rows], pa.binary()),
            "item": pa.array([hash_from_text(one["item"]) for one in rows], pa.binary(32)),
            "file": pa.array([one["file"] for one in rows]),
            "embedding": pa.array([[0.5 * at, None] for at in range(len(rows))]),
        }
        return pa.table(columns)

    def parquet(self, name: str = "m.parquet", rows: list[dict[str, Any]] | None = None) -> Path:
        path = self.folder / name
        path.parent.mkdir(exist_ok=True)
        pq.write_table(self.table(rows), path, compression="zstd", row_group_size=2)
        return path

    def csv(self, name: str = "m.csv", note: str = 'a "note", é') -> Path:
        path = self.folder / name
        with path.open("w", newline="") as file:
            writer = csv.writer(file, delimiter="\t" if name.endswith(".tsv") else ",")
            writer.writerow(["file", "note", "license", "item"])
            for one in self.rows:
                writer.writerow([one["file"], note, one["license"], one["item"]])
        return path

    def bundle(self) -> Path:
        path = self.folder / "licenses.sayso"
        consents = [one for one in self.node.memory.envelopes.values() if one.items]
        save_bundle(path, consents)
        return path

    def snapshot(self, name: str = "north.snapshot", age_s: int = 0, lasts_s: int = DAY_S) -> Path:
        path = self.folder / name
        path.write_bytes(self.snapshot_part(age_s, lasts_s).data)
        return path

    def snapshot_part(self, age_s: int = 0, lasts_s: int = DAY_S) -> Part:
        """What the node knows, signed by it."""
        state = self.node.memory.revoked
        entries = [(who, word, mask) for who, some in state.items() for word, mask in some.items()]
        held = [one for one in self.node.memory.envelopes.values() if one.items]
        content = Content(joined_keys(entries), names_of_envelopes(held))
        # After the consents, or they would be newer than the snapshot.
        then = int(time.time()) + 1 - age_s
        block = ChainPoint(7, bytes(32))
        moment = SnapshotMoment(sha256(b"state"), block, then, then, then + lasts_s)
        return make_snapshot(self.node.key, self.node.network, moment, content, _salts())

    def add_delta(self, name: str = "north.snapshot", after_s: int = 1) -> Path:
        """Append what the node learned since the last part."""
        path = self.folder / name
        parts = list(read_parts(path.read_bytes()))
        now, last = self.snapshot_part(), parts[-1].head
        moment = replace(now.head.moment, as_of=last.moment.as_of + after_s)
        state = self.node.memory.revoked
        entries = [(who, word, mask) for who, some in state.items() for word, mask in some.items()]
        held = [one for one in self.node.memory.envelopes.values() if one.items]
        content = Content(joined_keys(entries), names_of_envelopes(held))
        salt = sha256(b"delta %d" % len(parts))[:16]
        made = make_delta(
            self.node.key, self.node.network, moment, content, salt, last, parts[0].head.salt
        )
        path.write_bytes(path.read_bytes() + made.data)
        return path

    def gate(self, **options: Any) -> Gate:
        return Gate("anyone", "train-ai", network=self.folder / "network.toml", **options)

    def offline(self, **options: Any) -> Gate:
        return self.gate(offline=[self.snapshot()], bundle=self.bundle(), **options)

    def check(self, manifest: object, *more: object, status: int = 0, typed: bytes | None = None) -> Any:
        return self.world.run("check", manifest, *QUERY, *more, status=status, typed=typed)


def _salts() -> Iterator[bytes]:
    return (sha256(b"salt %d" % number)[:16] for number in count())


@pytest.fixture
def buyer(
    world: World, tmp_path_factory: pytest.TempPathFactory, monkeypatch: pytest.MonkeyPatch
) -> Buyer:
    monkeypatch.setenv("XDG_STATE_HOME", str(tmp_path_factory.mktemp("state")))
    return Buyer(world)
