"""The index of an offline record: which license and item each row names, for a check of what is new.

    magic | a block for each part of the record | tables | header, JSON | its HMAC-SHA-256 | its length

The header holds the SHA-256 of every block, of the tables and of the record, and marks of the manifest
and the bundle (keyed_marks.py).
Only an index under this user's own key is used (secret.py), because it spares the judgement of rows.
"""

import hashlib
import hmac
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any, Final, NamedTuple

import msgspec
import numpy as np
from msgspec import Struct
from numpy.typing import NDArray

from sayso.errors import FileUnreadable
from sayso.files import opening, reading
from sayso.gate.since.keyed_marks import KeyedMark
from sayso.gate.since.secret import read_own
from sayso.gate.since.tables import Sizes, Tables
from sayso.outputs import Outputs, StagedFile
from sayso_protocol.encoding.row_tree import NODE_ROWS, ROW_BYTES, results_nodes
from sayso_protocol.primitives import HASH_BYTES, sha256
from sayso_protocol.receipts.json_values import NetworkJson
from sayso_protocol.verdicts.license_table import ABSENT

MAGIC: Final = b"sayso-index-2\n\0\0"
_LENGTH_BYTES: Final = 8
_HEADER_BYTES: Final = 256 * 1024 * 1024
_KEPT_BYTES: Final = 128 * 1024 * 1024  # of blocks, which are needed twice


class Unfit(Exception):
    """An earlier check does not serve; the message says why."""


class Block(NamedTuple):
    """Block holds the rows of one part of a record.

    Attributes:
        owner: For each row the number of its license in the tables, or ABSENT.
        position: For each row the index of its item in the license.
        numbers: For each row the number of its reason.
        unknown: The joined rows without a license, 64 bytes each.
        nodes: The lowest nodes of the part's results tree.
    """

    owner: NDArray[np.int32]
    position: NDArray[np.uint16]
    numbers: NDArray[np.uint8]
    unknown: bytes
    nodes: bytes

    @property
    def data(self) -> bytes:
        """Return the block as bytes."""
        arrays = (self.owner, self.position, self.numbers)
        return b"".join([*(one.tobytes() for one in arrays), self.unknown, self.nodes])


class BlockMark(Struct):
    """BlockMark says how many rows a block has, how many of them without a license, and its SHA-256."""

    rows: int
    unknown: int
    sha256: str

    @property
    def sizes(self) -> tuple[int, ...]:
        """Return the bytes of each field of the block."""
        nodes = -(-self.rows // NODE_ROWS) * HASH_BYTES
        return (4 * self.rows, 2 * self.rows, self.rows, ROW_BYTES * self.unknown, nodes)


class Meaning(Struct, frozen=True):
    """Meaning is what an index holds only for one question, one reading and one release.

    Attributes:
        release: The version of this package, which fixes how formats are read.
        network, grantee, purpose: The question.
        reading: How the manifest was read: columns and dialect.
    """

    release: str
    network: NetworkJson
    grantee: str
    purpose: str
    reading: dict[str, Any]


class Header(Struct):
    """Header says to what an index belongs.

    Attributes:
        meaning: The question and the reading.
        record: SHA-256 of the record.
        manifest, bundle: The files that were read.
        snapshots: For each snapshot the ids of its parts, in order.
        evidence: The bundle as a source of the record.
        was_chosen: Whether the bundle chose licenses of items, which depends on the time.
        sizes: Of the tables.
        tables: SHA-256 of the tables.
        blocks: The blocks, in the order of the record's parts.
    """

    meaning: Meaning
    record: str
    manifest: list[KeyedMark]
    bundle: list[KeyedMark]
    snapshots: list[list[str]]
    evidence: dict[str, Any]
    was_chosen: bool
    sizes: Sizes
    tables: str
    blocks: list[BlockMark]


class IndexWriter:
    """IndexWriter writes an index beside its record, part by part."""

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key
        self.blocks: list[BlockMark] = []
        self._file: StagedFile | None = None

    def open(self, outputs: Outputs) -> None:
        """Open the file; raises OutputFailed."""
        self._file = outputs.open(self.path)
        self._file.write(MAGIC)

    def note(
        self, rows: bytes, numbers: bytes, owner: NDArray[np.int32], position: NDArray[np.uint16]
    ) -> None:
        """Append the rows of a part as they were judged; raises OutputFailed."""
        absent = np.frombuffer(rows, np.uint8).reshape(-1, ROW_BYTES)[owner == ABSENT].tobytes()
        nodes = results_nodes(rows, numbers)
        self.add(Block(owner, position, np.frombuffer(numbers, np.uint8), absent, nodes))

    def add(self, block: Block) -> None:
        """Append a block; raises OutputFailed."""
        assert self._file  # noqa: S101 - opened with the other outputs
        data = block.data
        self._file.write(data)
        unknown = len(block.unknown) // ROW_BYTES
        self.blocks.append(BlockMark(len(block.numbers), unknown, sha256(data).hex()))

    def finish(self, header: Header, tables: bytes) -> None:
        """Append tables and header, signed; raises OutputFailed."""
        assert self._file  # noqa: S101 - opened with the other outputs
        header.tables, header.blocks = sha256(tables).hex(), self.blocks
        content = msgspec.json.encode(header)
        signed = hmac.digest(self._key, content, "sha256")
        for data in (tables, content, signed, len(content).to_bytes(_LENGTH_BYTES)):
            self._file.write(data)


class Index:
    """Index is an authentic index, whose blocks are read and compared one by one.

    Raises:
        Unfit: It is missing, changed, or of somebody else.
        FileUnreadable: It cannot be read.
    """

    def __init__(self, path: Path, key: bytes | None) -> None:
        self._path = path
        if not path.is_file():
            raise Unfit(f"{str(path)!r} is missing, which a check writes with --index")
        end, header = self._header(key)
        self.header = msgspec.json.decode(header, type=Header)
        self._starts = [len(MAGIC)]
        for one in self.header.blocks:
            self._starts.append(self._starts[-1] + sum(one.sizes))
        self._kept: dict[int, Block] = {}
        start = self._starts[-1]
        tables = self._read(start, end - start, self.header.tables)
        self.tables = Tables.read(tables, self.header.sizes)

    def _header(self, key: bytes | None) -> tuple[int, bytes]:
        """Return where the header begins, and its content."""
        with opening(self._path) as file:
            size = file.seek(0, 2)
            fixed = HASH_BYTES + _LENGTH_BYTES
            if size < len(MAGIC) + fixed:
                raise Unfit(f"{str(self._path)!r} was cut")
            file.seek(size - _LENGTH_BYTES)
            length = int.from_bytes(file.read(_LENGTH_BYTES))
            begin = size - fixed - length
            if begin < len(MAGIC) or length > _HEADER_BYTES:
                raise Unfit(f"{str(self._path)!r} was changed or cut")
            file.seek(begin)
            found = None if key is None else read_own(file, length, key)
        if found is None:
            raise Unfit(f"{str(self._path)!r} was changed, or somebody else made it")
        return begin, found[0]

    def _read(self, start: int, size: int, expected: str) -> bytes:
        with opening(self._path) as file:
            file.seek(start)
            data = file.read(size)
        if len(data) != size or sha256(data).hex() != expected:
            raise Unfit(f"{str(self._path)!r} was changed or cut")
        return data

    def block(self, number: int) -> Block:
        """Return a block by its number; raises Unfit if it was changed."""
        if number in self._kept:
            return self._kept[number]
        one = self.header.blocks[number]
        data = self._read(self._starts[number], sum(one.sizes), one.sha256)
        owner, position, numbers, unknown, nodes = _cut(data, one.sizes)
        owners, positions = np.frombuffer(owner, "<i4"), np.frombuffer(position, "<u2")
        found = Block(owners, positions, np.frombuffer(numbers, np.uint8), unknown, nodes)
        if self._starts[-1] <= _KEPT_BYTES:
            self._kept[number] = found
        return found


def record_digest(path: Path) -> str:
    """Return the SHA-256 of a record, hexadecimal; raises FileUnreadable."""
    with reading(path):
        if path.exists() and not path.is_file():  # of a pipe or a device nobody knows an end
            raise FileUnreadable(f"{str(path)!r} is not a regular file")
        with path.open("rb") as file:
            return hashlib.file_digest(file, "sha256").hexdigest()


def _cut(data: bytes, sizes: Iterable[int]) -> Iterator[bytes]:
    at = 0
    for size in sizes:
        yield data[at : at + size]
        at += size
