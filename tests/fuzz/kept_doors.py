"""The doors of what a check keeps for the next one: its progress and its index.

Somebody else may have written either. What has not this user's MAC is refused before it is parsed; what
has it is parsed by the last two doors.
"""

import tempfile
import zlib
from pathlib import Path
from typing import Final

import msgspec
import numpy as np

from fuzz.target import Target
from sayso.gate.resuming.progress_file import Part, ProgressFile, ProgressHeader, _unpacked
from sayso.gate.since.index import Block, Header, Index, IndexWriter, Meaning, Unfit
from sayso.gate.since.tables import LICENSE, PERSON, SUBLICENSE, Sizes, Tables
from sayso.outputs import Outputs
from sayso_protocol.errors import Malformed
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.json_values import NetworkJson
from support.protocol_strategies import NETWORK

KEY: Final = bytes(32)
FOLDER: Final = Path(tempfile.mkdtemp(prefix="sayso-fuzz-kept-"))
_ROWS: Final = bytes(64)


def doors() -> dict[str, Target]:
    """Return all doors by name."""
    progress, packed = _progress()
    table = _tables().data
    return {
        "file of progress": Target(_resume, (progress,), buffers=1 << 20),
        "index of a record": Target(_index, (_index_file(),)),
        "part of a progress": Target(_part, (packed,), buffers=1 << 20),
        "tables of an index": Target(_read_tables, (table,)),
    }


def part() -> Part:
    """A part of one row, as it was judged offline."""
    return Part(sha256(_ROWS), b"\1", [], 0, None, 0, 7, 8, None)


def _progress() -> tuple[bytes, bytes]:
    """A file of progress, and one of its parts."""
    path = FOLDER / "made"
    path.unlink(missing_ok=True)
    with ProgressFile(path, KEY) as made:
        made.begin(ProgressHeader(bytes(32), "run 7", 7))
        made.add(part())
    return path.read_bytes(), zlib.compress(msgspec.msgpack.encode(part()), 1)


def _resume(data: bytes) -> None:
    path = FOLDER / "progress"
    path.write_bytes(data)
    with ProgressFile(path, KEY) as found:
        if found.header is None:
            raise Malformed("it is not of this user")
        found.go_on()
        found.take(_ROWS)


def _part(data: bytes) -> None:
    if _unpacked(data) is None:
        raise Malformed("it is no part")


def _tables() -> Tables:
    return Tables(np.zeros(1, LICENSE), np.zeros(0, SUBLICENSE), np.zeros(1, PERSON), [], [])


def _read_tables(data: bytes) -> None:
    try:
        Tables.read(data, Sizes(1, 0, 1, 0))
    except ValueError as error:
        raise Malformed(str(error)) from error


def _index_file() -> bytes:
    meaning = Meaning("1", NetworkJson.of(NETWORK), "0x" + "34" * 20, "train-ai", {})
    tables = _tables()
    header = Header(meaning, "00" * 32, [], [], [], {}, was_chosen=False, sizes=tables.sizes, tables="",
                    blocks=[])  # fmt: skip
    writer = IndexWriter(FOLDER / "made.index", KEY)
    with Outputs() as outputs:
        writer.open(outputs)
        one = np.zeros(1, np.int32), np.zeros(1, np.uint16), np.ones(1, np.uint8)
        writer.add(Block(*one, b"", bytes(32)))
        writer.finish(header, tables.data)
        outputs.commit()
    return (FOLDER / "made.index").read_bytes()


def _index(data: bytes) -> None:
    path = FOLDER / "r.index"
    path.write_bytes(data)
    try:
        index = Index(path, KEY)
        for number in range(len(index.header.blocks)):
            index.block(number)
    except Unfit as why:
        raise Malformed(str(why)) from why
