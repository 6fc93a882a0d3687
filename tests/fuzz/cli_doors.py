"""The doors of the command: manifests of every format, bundles, records, keystores, answers, streams."""

import asyncio
import csv
import io
import json
import lzma
import tarfile
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import Any, Final

import aiohttp
import msgspec
import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
from aiohttp.base_protocol import BaseProtocol
from eth_account import Account

from fuzz.target import Target
from sayso.contributor.keystore import key_address, save_key
from sayso.contributor.saved_messages import load_bundle
from sayso.explain import explain
from sayso.gate.formats.base import Columns
from sayso.gate.formats.opening import open_source
from sayso.gate.records.record import record_from_json
from sayso.holder.hashes import read_hashes
from sayso.marketplace.taking import read_answer
from sayso.node_client import following
from sayso.node_client.transport import _unpack
from sayso.outputs import Outputs
from sayso_node.api.schema.values import CheckedPacked
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import Malformed
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import hex_text
from support.node_rig import consent
from support.protocol_strategies import NETWORK

LICENSE, ITEM = "0x" + "11" * 32, "0x" + "22" * 32
ROW: Final = {"license": LICENSE, "item": ITEM, "file": "a.flac"}
RECORD: Final = {
    "type": "sayso-run-1",
    "judges": "nodes",
    "network": {"chain_id": 1, "registry": "0x" + "12" * 20},
    "grantee": "0x" + "34" * 20,
    "purpose": "train-ai",
    "max_age_s": 60,
    "run_id": "run 7",
    "run_until": 0,
    "time": 1,
    "until": 2,
    "manifest": {"name": "m", "format": "jsonl", "rows": 1},
    "counts": {"granted": 1},
    "differing": 0,
    "overruled": 0,
    "sources": [],
    "parts": [{"rows": 1, "results_root": LICENSE, "answers": []}],
}
_LABEL: Final = json.dumps({"license": LICENSE, "salt": ITEM}).encode()
_LINE: Final = json.dumps(ROW).encode() + b"\n"
FOLDER: Final = Path(tempfile.mkdtemp(prefix="sayso-fuzz-"))


def _files() -> dict[str, Target]:
    """Manifests, read in pieces of up to a MiB, and what is kept of them."""
    manifests = {
        "jsonl": json.dumps(ROW).encode() + b"\n",
        "csv": _csv(),
        "parquet": _parquet(),
        "tar": _tar("w"),
        "tar.gz": _tar("w:gz"),
        "arrow": _arrow(pa.ipc.new_stream),
        "feather": _arrow(pa.ipc.new_file),
        "jsonl.xz": lzma.compress(_LINE),
        "jsonl.zst": pa.compress(_LINE, "zstd", asbytes=True),
    }
    found = {
        f"manifest .{form}": Target(_manifest(f"m.{form}"), (seed,), buffers=_BUFFERS.get(form, 2 << 20))
        for form, seed in manifests.items()
    }
    for form in ("parquet", "arrow"):
        found[f"kept .{form}"] = Target(_kept(f"m.{form}"), (manifests[form],), buffers=2 << 20)
    return found


# The window of xz's encoder; Python 3.12 and later hold a piece more for each file within a gzip file.
_BUFFERS = {"jsonl.xz": 10 << 20, "tar.gz": 3 << 20}


def doors() -> dict[str, Target]:
    """Return all doors by name."""
    bundle = encode_bundle([encode(consent(1))])
    who, digest = "0x" + "34" * 20, "0x" + "56" * 32
    event = json.dumps({"contributor": who, "word": "1", "mask": "2", "digest": None, "time": 1.5})
    stated = json.dumps({"signer": who, "digest": digest, "kind": "use", "statement": {}, "time": 1.5})
    packed = msgspec.msgpack.encode(CheckedPacked(b"\1", None))
    return {
        **_files(),
        "license bundle": Target(_on_disk("b.sayso", _bundle), (bundle,)),
        "list of hashes": Target(_on_disk("list.txt", read_hashes), (f"{LICENSE}\n{ITEM}\n".encode(),)),
        "keystore": Target(_on_disk("key.json", key_address), (_keystore(),)),
        "record of a run": Target(
            lambda data: record_from_json(parse_json(data)), (json.dumps(RECORD).encode(),)
        ),
        "what `sayso show` explains": Target(_explained, (bundle,)),
        "answer of a node in msgpack": Target(lambda data: _unpack(data, CheckedPacked), (packed,)),
        "answer to a request for consent": Target(lambda data: read_answer(data, NETWORK), (_answer(),)),
        "stream of events": Target(
            lambda data: asyncio.run(_events(data)),
            (
                f"id: 7\nevent: revocation\ndata: {event}\n\n".encode(),
                f": a-7\n\nid: 8\nevent: use\ndata: {stated}\n\n".encode(),
            ),
        ),
    }


def _answer() -> bytes:
    """What the page of a node gives a marketplace."""
    one = consent(1)
    values = {"license": hex_text(one.digest), "envelope": hex_text(encode(one))}
    return json.dumps({"type": "sayso-consent-1", "licenses": [values]}).encode()


def _bundle(path: Path) -> object:
    return load_bundle(path, NETWORK)


def _explained(data: bytes) -> object:
    return explain(data, None, (), 0.0, 1 << 26)


def _on_disk(name: str, read: Callable[[Path], object]) -> Callable[[bytes], object]:
    def written(data: bytes) -> object:
        (FOLDER / name).write_bytes(data)
        return read(FOLDER / name)

    return written


def _manifest(name: str) -> Callable[[bytes], object]:
    return _on_disk(name, lambda path: sum(len(one) for one in open_source(path, Columns()).batches(64)))


def _kept(name: str) -> Callable[[bytes], object]:
    """Write every other row again."""

    def keep(path: Path) -> object:
        with Outputs() as outputs:
            source = open_source(path, Columns())
            writer = source.writer(outputs, path.with_name(f"kept-{name}"))
            for batch in source.batches(1 << 20):
                writer.write(batch, np.arange(len(batch)) % 2 == 0)
            writer.close()
        return source.notes

    return _on_disk(name, keep)


def _arrow(of: Callable[..., Any]) -> bytes:
    file, table = io.BytesIO(), pa.table({name: [value] * 3 for name, value in ROW.items()})
    with of(file, table.schema) as writer:
        writer.write_table(table)
    return file.getvalue()


def _csv() -> bytes:
    file = io.StringIO()
    writer = csv.DictWriter(file, ROW)
    writer.writeheader()
    writer.writerow(ROW)
    return file.getvalue().encode()


def _parquet() -> bytes:
    file = io.BytesIO()
    pq.write_table(pa.table({name: [value] for name, value in ROW.items()}), file)
    return file.getvalue()


def _tar(mode: str) -> bytes:
    file = io.BytesIO()
    with tarfile.open(fileobj=file, mode=mode) as archive:  # type: ignore[call-overload]
        for name, data in (("1.flac", b"a.flac"), ("1.json", _LABEL)):
            info = tarfile.TarInfo(name)
            info.size = len(data)
            archive.addfile(info, io.BytesIO(data))
    return file.getvalue()


def _keystore() -> bytes:
    path = FOLDER / "made.json"
    path.unlink(missing_ok=True)
    save_key(path, Account.from_key(b"\1" * 32), "password", work=2)
    return path.read_bytes()


async def _events(data: bytes) -> None:
    """Read a stream as the gate does; what makes it connect again is no fault."""
    protocol = BaseProtocol(asyncio.get_running_loop())
    stream = aiohttp.StreamReader(protocol, following.EVENT_LINE_BYTES, loop=asyncio.get_running_loop())
    stream.feed_data(data)
    stream.feed_eof()
    try:
        async for _ in following._events(stream):
            pass
    except (TimeoutError, ValueError) as error:
        raise Malformed(str(error)) from error
