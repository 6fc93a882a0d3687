"""The gate in every other format, beside a program that does the same read, filter and write without it.

CPU time of the process and its children counts, because the disk and the neighbours of this machine do
not. Peers know the bad licenses or items as a set, and check nothing else.
"""

import csv
import hashlib
import io
import json
import os
import resource
import statistics
import subprocess
import tarfile
import tempfile
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from eth_account import Account
from hexbytes import HexBytes

from bench.consents import NETWORK, current
from bench.figure import Figure
from bench.gate import ITEMS, Place, message
from sayso.gate.gate import Gate
from sayso.gate.running import GateFiles
from sayso_protocol.encoding.merkle import content_root
from sayso_protocol.messages.envelope import Envelope
from sayso_protocol.messages.typed_data import digest
from sayso_protocol.primitives import hex_text, sha256

ROWS = int(os.environ.get("SAYSO_BENCH_TEXT_ROWS", "1000000"))
WIDE_ROWS = int(os.environ.get("SAYSO_BENCH_WIDE_ROWS", "500000"))
WIDE_COLUMNS = 40
FILES = int(os.environ.get("SAYSO_BENCH_FILES", "20000"))
FILE_BYTES = 4_096
REPEATS = 3
Works = Mapping[str, Callable[[], int]]


def figures() -> Iterator[Figure]:
    """All figures of this part."""
    with tempfile.TemporaryDirectory() as name:
        place = Place(Path(name), media_envelopes())
        gate = place.gate()
        gate.rows(b"\0" * 64)  # the bundle is read once for all manifests
        for take in (wide, json_lines, csv_rows, tars, folder):
            yield take(place, gate)


def shares(works: Works) -> dict[str, float]:
    """Units per second of CPU time, children included: the median of interleaved repeats."""
    seen: dict[str, list[float]] = {name: [] for name in works}
    for _ in range(REPEATS):
        for name, work in works.items():
            begun = _cpu()
            units = work()
            seen[name].append(units / (_cpu() - begun))
    return {name: statistics.median(values) for name, values in seen.items()}


def _cpu() -> float:
    used = [resource.getrusage(who) for who in (resource.RUSAGE_SELF, resource.RUSAGE_CHILDREN)]
    return sum(one.ru_utime + one.ru_stime for one in used)


def _figure(name: str, unit: str, works: Works, bound: float) -> Figure:
    found = shares(works)
    ours = found.pop("gate")
    (peer,) = found.values()
    limit = f"bound: {bound:.2f} x the peer; this run: {ours / peer:.2f} x"
    return Figure(name, ours, unit, "higher", found, limit)


def _checked(place: Place, gate: Gate, manifest: Path) -> Callable[[], int]:
    def check() -> int:
        kept = place.folder / f"kept{manifest.suffix}"
        if kept.is_dir():
            subprocess.run(["rm", "-r", str(kept)], check=True)
        record = gate.check(manifest, GateFiles(kept=kept))
        assert 0 < record.clear < record.rows
        assert record.counts.keys() == {"granted", "revoked"}
        return record.rows

    return check


def wide(place: Place, gate: Gate) -> Figure:
    """A table of many columns, of which one row in a hundred, spread over all groups, is revoked."""
    path = place.folder / "wide.parquet"
    table = next(place.tables(WIDE_ROWS))
    chance = np.random.default_rng(7)
    for at in range(WIDE_COLUMNS - table.num_columns):  # measured features, each value another
        table = table.append_column(f"c{at}", pa.array(chance.random(len(table), np.float32)))
    pq.write_table(table, path, row_group_size=100_000)
    bad = pa.array(sorted(place.revoked), table.schema.field("license").type)

    def plain() -> int:
        found = pq.read_table(path)
        kept = found.filter(pc.invert(pc.is_in(found["license"], bad)))
        pq.write_table(kept, place.folder / "plain.parquet", row_group_size=100_000)
        return len(found)

    works = {"gate": _checked(place, gate, path), "pyarrow read, filter, write": plain}
    return _figure("gate.wide_parquet_rows_per_cpu_s", "rows/s", works, 0.8)


def _rows(place: Place) -> Iterator[tuple[str, str, str]]:
    for at in range(ROWS):
        one = at % len(place.items)
        license_, item = place.licenses[one].tobytes(), place.items[one].tobytes()
        yield hex_text(license_), hex_text(item), f"somebody says number {at}"


def json_lines(place: Place, gate: Gate) -> Figure:
    """JSON Lines, beside a loop over `json.loads`."""
    path = place.folder / "rows.jsonl"
    with path.open("w") as file:
        for license_, item, caption in _rows(place):
            fields = {"file": f"clips/{caption[-6:]}.flac", "license": license_, "item": item}
            file.write(json.dumps({**fields, "caption": caption, "seconds": 1.5}) + "\n")
    bad = {hex_text(one) for one in place.revoked}

    def plain() -> int:
        with path.open("rb") as file, (place.folder / "plain.jsonl").open("wb") as out:
            for count, line in enumerate(file, 1):  # noqa: B007 - returned below
                if json.loads(line)["license"] not in bad:
                    out.write(line)
        return count

    works = {"gate": _checked(place, gate, path), "a loop over json.loads": plain}
    return _figure("gate.jsonl_rows_per_cpu_s", "rows/s", works, 0.5)


def csv_rows(place: Place, gate: Gate) -> Figure:
    """CSV, beside Python's csv."""
    path = place.folder / "rows.csv"
    with path.open("w", newline="") as file:
        writer = csv.writer(file)
        writer.writerow(["file", "license", "item", "caption", "seconds"])
        for license_, item, caption in _rows(place):
            writer.writerow([f"clips/{caption[-6:]}.flac", license_, item, f'"{caption}", he', 1.5])
    bad = {hex_text(one) for one in place.revoked}

    def plain() -> int:
        with path.open(newline="") as file, (place.folder / "plain.csv").open("w", newline="") as out:
            reader, writer, count = csv.reader(file), csv.writer(out), 0
            for row in reader:
                count += 1
                if row[1] not in bad:
                    writer.writerow(row)
        return count - 1

    works = {"gate": _checked(place, gate, path), "a loop over csv": plain}
    return _figure("gate.csv_rows_per_cpu_s", "rows/s", works, 0.5)


def _content(at: int) -> bytes:
    return sha256(b"file %d" % at) * (FILE_BYTES // 32)


def media_envelopes() -> list[Envelope]:
    """Consents for the files of the tar and the folder; every hundredth is of a revoked license."""
    hashes = [sha256(_content(at)) for at in range(FILES)]
    return [
        _licensed(number, hashes[start : start + ITEMS])
        for number, start in enumerate(range(0, FILES, ITEMS), 10_000)
    ]


def _licensed(number: int, items: Sequence[bytes]) -> Envelope:
    """A consent for these items instead of made-up ones."""
    ordered = tuple(sorted(items))
    terms = replace(message(current(number, 1)), content=content_root(ordered), items=len(ordered))
    account = Account.from_key(sha256(b"bench %d" % number))
    signature = bytes(account.unsafe_sign_hash(HexBytes(digest(terms, NETWORK))).signature)
    return Envelope(terms, NETWORK, signature, ordered)


def tars(place: Place, gate: Gate) -> Figure:
    """An archive of small samples, beside Python's tarfile."""
    path = place.folder / "samples.tar"
    with tarfile.open(path, "w") as archive:
        for at in range(FILES):
            for ending, data in (("flac", _content(at)), ("cls", b"7")):
                info = tarfile.TarInfo(f"{at:06}.{ending}")
                info.size = len(data)
                archive.addfile(info, io.BytesIO(data))

    def plain() -> int:
        count, plain_path = 0, place.folder / "plain.tar"
        with tarfile.open(path) as archive, tarfile.open(plain_path, "w") as out:
            for info in archive:
                file = archive.extractfile(info)
                assert file is not None
                data = file.read()
                if info.name.endswith(".flac"):
                    count += 1
                    is_kept = hashlib.sha256(data).digest() not in place.revoked_items
                if is_kept:
                    out.addfile(info, io.BytesIO(data))
        return count

    works = {"gate": _checked(place, gate, path), "a loop over tarfile": plain}
    return _figure("gate.tar_samples_per_cpu_s", "samples/s", works, 0.8)


def folder(place: Place, gate: Gate) -> Figure:
    """A folder of many small files, beside sha256sum and a link for each."""
    path = place.folder / "media"
    for at in range(FILES):
        one = path / f"{at // 1_000:03}" / f"{at:06}.flac"
        one.parent.mkdir(parents=True, exist_ok=True)
        one.write_bytes(_content(at))

    def plain() -> int:
        linked = place.folder / "linked"
        subprocess.run(["rm", "-rf", str(linked)], check=True)
        script = 'find "$0" -type f -print0 | xargs -0 sha256sum >/dev/null && cp -al "$0" "$1"'
        subprocess.run(["sh", "-c", script, str(path), str(linked)], check=True)
        return FILES

    works = {"gate": _checked(place, gate, path), "sha256sum and links": plain}
    return _figure("gate.folder_files_per_cpu_s", "files/s", works, 1 / 3)
