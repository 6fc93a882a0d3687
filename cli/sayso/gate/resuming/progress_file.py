"""The progress of a check: the answer about each part, kept as soon as it is there.

    magic | header | its MAC | for each part: length | content, compressed | its MAC

A journal spares questions, so it is used only under this user's own key (since/secret.py), for the same
question to the same sources. Each part is bound to its place and to the header. What a process that was
killed left incomplete ends the journal; what was changed is judged again.
"""

import fcntl
import hmac
import os
import zlib
from contextlib import suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Any, Final, Self

from msgspec import DecodeError, Struct, msgpack

from sayso.errors import OutputFailed
from sayso.gate.since.secret import read_own
from sayso.outputs import output_errors
from sayso_protocol.primitives import sha256
from sayso_protocol.receipts.text import ReceiptJson

_MAGIC: Final = b"sayso-progress-1"
PART_BYTES: Final = 256 * 1024 * 1024  # of one part, compressed or not
_LENGTH_BYTES: Final = 4


class ProgressHeader(Struct, frozen=True):
    """ProgressHeader says for what the answers are.

    Attributes:
        meaning: SHA-256 of the question and its sources.
        run_id: The name of the run, which receipts state.
        begun: When the run began, seconds since the epoch.
    """

    meaning: bytes
    run_id: str
    begun: int


class Answer(Struct, frozen=True):
    """Answer is a node's answer: the numbers of its reasons, and its receipt."""

    numbers: bytes
    receipt: ReceiptJson


class Part(Struct, frozen=True):
    """Part is what was judged of some rows; see Judged.

    Attributes:
        rows: SHA-256 of the joined rows.
    """

    rows: bytes
    numbers: bytes
    answers: list[Answer]
    differing: int
    chain: bytes | None
    overruled: int
    time: int | None
    until: int | None
    block: dict[str, Any] | None


class ProgressFile:
    """ProgressFile is an open journal, which no other process can open.

    Args:
        path: Made if it is missing.
        key: This user's key.

    Attributes:
        size: Bytes that it had when it was opened.
        header: What it is about; None if it is new, or not of this user.

    Raises:
        OutputFailed: It is something else, in use by another check, or cannot be written.
    """

    def __init__(self, path: Path, key: bytes) -> None:
        self.path, self._key = path, key
        self._header_mac, self._count = b"", 0
        self._places: dict[bytes, list[tuple[int, int]]] = {}
        with output_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_NOFOLLOW | os.O_NONBLOCK, 0o600)
            self._file: IO[bytes] = os.fdopen(descriptor, "r+b")
            found = os.fstat(descriptor)
        self.size = found.st_size
        self.header = self._claim(is_file=S_ISREG(found.st_mode))

    def _claim(self, *, is_file: bool) -> ProgressHeader | None:
        """Lock the journal, and return its header, or None if it has none of this user."""
        try:
            fcntl.flock(self._file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except OSError as error:
            self._file.close()
            raise OutputFailed(f"{str(self.path)!r} is in use by another check") from error
        if is_file and (not self.size or self._file.read(len(_MAGIC)) == _MAGIC):
            return self._read_header() if self.size else None
        self._file.close()
        raise OutputFailed(f"{str(self.path)!r} is not the progress file of a check; name another file")

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        self._file.close()

    def _read_header(self) -> ProgressHeader | None:
        content = self._next(b"header")
        if content is None:
            return None
        with suppress(DecodeError):
            return msgpack.decode(content, type=ProgressHeader)
        return None

    def _mac(self, content: bytes, place: bytes) -> bytes:
        return hmac.digest(self._key, self._header_mac + place + content, "sha256")

    def _next(self, place: bytes) -> bytes | None:
        """Return the next content, or None if it is incomplete or not of this user."""
        length = int.from_bytes(self._file.read(_LENGTH_BYTES))
        found = None
        if 0 < length <= PART_BYTES:
            found = read_own(self._file, length, self._key, self._header_mac + place)
        if found is None:
            return None
        content, mac = found
        self._header_mac = self._header_mac or mac
        return content

    def begin(self, header: ProgressHeader) -> None:
        """Forget what is there, and begin anew; raises OutputFailed."""
        self._header_mac, self._count, self._places = b"", 0, {}
        with output_errors(self.path):
            self._file.seek(0)
            self._file.truncate()
            self._file.write(_MAGIC)
        self._header_mac = self._write(msgpack.encode(header), b"header")

    def go_on(self) -> None:
        """Find the parts that are there; those after one that is damaged are lost."""
        good = self._file.tell()
        while part := self._part(self._count):
            self._places.setdefault(part.rows, []).append((good, self._count))
            good = self._file.tell()
            self._count += 1
        with output_errors(self.path):
            self._file.seek(good)
            self._file.truncate()

    def _part(self, number: int) -> Part | None:
        content = self._next(b"%d" % number)
        return None if content is None else _unpacked(content)

    def add(self, part: Part) -> None:
        """Append a part; a process that is killed from now on has it. Raises OutputFailed."""
        self._write(zlib.compress(msgpack.encode(part), 1), b"%d" % self._count)
        self._count += 1

    def _write(self, content: bytes, place: bytes) -> bytes:
        mac = self._mac(content, place)
        with output_errors(self.path):
            self._file.seek(0, os.SEEK_END)
            self._file.write(len(content).to_bytes(_LENGTH_BYTES) + content + mac)
            self._file.flush()
        return mac

    def take(self, rows: bytes) -> Part | None:
        """Return what was judged of these rows, each time once; None if nothing is left."""
        places = self._places.get(sha256(rows))
        if not places:
            return None
        at, number = places.pop(0)
        with output_errors(self.path):
            self._file.seek(at)
            return self._part(number)  # verified again, because the file may have changed

    def finish(self) -> None:
        """Remove the journal, because the check is complete; raises OutputFailed."""
        with output_errors(self.path):
            self.path.unlink(missing_ok=True)


def _unpacked(content: bytes) -> Part | None:
    unpacker = zlib.decompressobj()
    try:
        data = unpacker.decompress(content, PART_BYTES)
        return msgpack.decode(data, type=Part) if unpacker.eof else None
    except (zlib.error, DecodeError):
        return None
