"""Compressed files: read to their very end, and written in the compression of the input.

Whatever follows the first compressed part is read, too, and a cut or damaged part is an error, so that
no reader sees rows that were not judged.
"""

import bz2
import gzip
import io
import lzma
import zlib
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import IO, Any, Final, cast

from sayso.errors import BadManifest, FileUnreadable
from sayso.extras import extra
from sayso.files import opening
from sayso.outputs import output_errors

# The first bytes of each kind, and its usual ending.
PACKED_MAGIC: Final = {
    b"\x1f\x8b": "gz",
    b"\x28\xb5\x2f\xfd": "zst",
    b"\xfd7zXZ\x00": "xz",
    b"BZh": "bz2",
}
_SKIPPED: Final = b"\x2a\x4d\x18"  # after a first byte 0x5?: a frame of zst that holds no data
# The first bytes of files that are not manifests, and what these files are.
_OTHERS: Final = {
    b"PK\x03\x04": "a zip archive, or a workbook",
    b"7z\xbc\xaf": "a 7z archive",
    b"Rar!\x1a\x07": "a rar archive",
    b"\x04\x22\x4d\x18": "compressed with lz4",
    b"\x5d\x00\x00": "compressed with lzma",
    b"\x1f\x9d": "compressed with compress",
    b"\x02\x21\x4c\x18": "compressed with lz4",
    b"\xff\x06\x00\x00sNaPpY": "compressed with snappy",
    b"Obj\x01": "in Avro",
    b"SQLite format 3\0": "a database of SQLite",
    b"\x89HDF": "in HDF5",
    b"\x93NUMPY": "in the format of NumPy",
    b"\xff\xfe": "in UTF-16 or UTF-32; write it in UTF-8, with iconv",
    b"\xfe\xff": "in UTF-16; write it in UTF-8, with iconv",
    b"\x00\x00\xfe\xff": "in UTF-32; write it in UTF-8, with iconv",
}
# The same in letters, with which the first name of an archive may begin, too.
_LETTERS: Final = {
    b"PAR1": "Parquet; give it the ending .parquet",
    b"ARROW1": "an Arrow file; give it the ending .arrow",
    b"ORC": "in ORC",
    b"version https://": "a pointer of Git LFS; fetch the file itself, with `git lfs pull`",
    b"<!DOCTYPE": "a web page; fetch the file itself",
    b"<!doctype": "a web page; fetch the file itself",
    b"<html": "a web page; fetch the file itself",
    b"<?xml": "in XML",
}
_HEAD_BYTES: Final = 16
_BUFFER_BYTES: Final = 1 << 18
_XZ_BYTES: Final = 128 * 1024 * 1024  # of memory for its dictionary
Opener = Callable[[Any], IO[bytes]]


def kind_of(path: Path) -> str:
    """Return the compression of a file by its first bytes, or an empty text; raises FileUnreadable."""
    with opening(path) as file:
        return _kind_of(file.read(_HEAD_BYTES))


def _kind_of(head: bytes) -> str:
    if head[1:4] == _SKIPPED and head[0] >> 4 == 5:
        return "zst"
    return next((kind for magic, kind in PACKED_MAGIC.items() if head.startswith(magic)), "")


def refuse_other(path: Path, head: bytes, known: Mapping[bytes, str] = _OTHERS) -> None:
    """Raise BadManifest, with what to do, if data begins as a file does that is not a manifest."""
    for magic, what in known.items():
        if head.startswith(magic):
            more = "" if ";" in what else "; unpack it, or write it in a format that check reads"
            raise BadManifest(f"{str(path)!r} is {what}{more}")


def refuse_letters(path: Path, head: bytes, *but: bytes) -> None:
    """Raise BadManifest if data that is not an archive begins as another kind of file does."""
    refuse_other(path, head, {magic: what for magic, what in _LETTERS.items() if magic not in but})


def refuse_no_table(path: Path, magic: bytes) -> None:
    """Raise BadManifest if a file is compressed, or begins as what is no table."""
    if kind := kind_of(path):
        raise BadManifest(f"{str(path)!r} is compressed with {kind} as a whole; unpack it")
    with path.open("rb") as file:
        head = file.read(_HEAD_BYTES)
    refuse_other(path, head)
    refuse_letters(path, head, magic)


@contextmanager
def opened(path: Path) -> Iterator[IO[bytes]]:
    """Open a file, decompressed.

    Raises:
        FileUnreadable: It cannot be read.
        BadManifest: The compressed data is damaged, cut, or followed by something else.
        ExtraMissing: Its compression needs the extra `data`.
    """
    kind = kind_of(path)
    try:
        with path.open("rb", buffering=_BUFFER_BYTES) as raw:
            file = _readers()[kind](raw) if kind else raw
            head = cast("Any", file).peek(_HEAD_BYTES)
            if kind and (inner := _kind_of(head)):
                raise BadManifest(f"{str(path)!r} is compressed twice, with {inner} within; unpack it")
            refuse_other(path, head)
            yield file
    except (gzip.BadGzipFile, zlib.error, lzma.LZMAError, EOFError) as error:
        raise _damaged(path, error) from error
    except OSError as error:
        if kind and error.errno is None:  # of a decompressor
            raise _damaged(path, error) from error
        raise FileUnreadable(f"cannot read {str(path)!r}: {error.strerror or error}") from error


def _damaged(path: Path, error: Exception) -> BadManifest:
    """Return the error for compressed data that cannot be unpacked, with what to do."""
    text = str(error).lower()
    if "memory" in text:
        return BadManifest(
            f"{str(path)!r} takes more than 128 MiB to unpack ({error}); compress it with a smaller"
            " window"
        )
    return BadManifest(f"{str(path)!r} is damaged or cut: {error}; fetch it again, or write it again")


def _readers() -> dict[str, Opener]:
    return {
        "gz": lambda raw: _buffered(gzip.GzipFile(fileobj=raw)),
        "xz": lambda raw: _buffered(_Streams(raw, _xz)),
        "bz2": lambda raw: _buffered(_Streams(raw, bz2.BZ2Decompressor)),
        "zst": lambda raw: _buffered(_zstd_reader(raw)),
    }


def _buffered(file: Any) -> IO[bytes]:
    return cast("IO[bytes]", io.BufferedReader(file, _BUFFER_BYTES))


def _xz() -> lzma.LZMADecompressor:
    return lzma.LZMADecompressor(lzma.FORMAT_XZ, memlimit=_XZ_BYTES)


class _Streams(io.RawIOBase):
    """_Streams decompresses one stream after the other; Python's own files pass over what follows."""

    def __init__(self, raw: IO[bytes], new: Callable[[], Any]) -> None:
        self._raw, self._new, self._one = raw, new, new()

    def readable(self) -> bool:
        return True

    def readinto(self, buffer: Any) -> int:
        while True:
            if self._one.eof:
                rest = self._one.unused_data.lstrip(b"\0")  # padding between streams of xz
                while not rest:
                    more = self._raw.read(_BUFFER_BYTES)
                    if not more:
                        return 0
                    rest = more.lstrip(b"\0")
                self._one = self._new()
                piece = self._one.decompress(rest, len(buffer))
            else:
                more = self._raw.read(_BUFFER_BYTES) if self._one.needs_input else b""
                if self._one.needs_input and not more:
                    raise EOFError("it ends within its compressed data")
                piece = self._one.decompress(more, len(buffer))
            if piece:
                buffer[: len(piece)] = piece
                return len(piece)


def _zstd_reader(raw: IO[bytes]) -> Any:
    with extra("data"):
        import pyarrow as pa  # noqa: PLC0415 - only if needed

    return pa.CompressedInputStream(pa.PythonFile(raw, "r"), "zstd")


class Packing:
    """Packing compresses what is written to a file; `kind` may be empty."""

    def __init__(self, file: Any, kind: str, path: Path) -> None:
        self._path, self._kind = path, kind
        with output_errors(path):
            self._file = _writers()[kind](_Kept(file)) if kind else file

    def write(self, data: bytes) -> None:
        """Append; raises OutputFailed."""
        with output_errors(self._path):
            self._file.write(data)

    def close(self) -> None:
        """Complete the compressed data, and leave the file itself open; raises OutputFailed."""
        if self._kind:
            with output_errors(self._path):
                self._file.close()


def _writers() -> dict[str, Callable[[Any], Any]]:
    return {
        "gz": lambda file: gzip.GzipFile(fileobj=file, mode="wb", compresslevel=6, mtime=0, filename=""),
        "xz": lambda file: lzma.LZMAFile(file, "wb"),
        "bz2": lambda file: bz2.BZ2File(file, "wb"),
        "zst": _zstd_writer,
    }


def _zstd_writer(file: Any) -> Any:
    with extra("data"):
        import pyarrow as pa  # noqa: PLC0415 - only if needed

    return pa.CompressedOutputStream(pa.PythonFile(file, "w"), "zstd")


class _Kept:
    """_Kept stands between a compressor and a file that others complete or discard.

    Every compressor writes its last bytes when it is closed, or collected after an error. Then the file
    may be gone, and these bytes with it.
    """

    closed = False

    def __init__(self, file: Any) -> None:
        self._file = file

    def write(self, data: Any) -> None:
        """Append, unless the file is gone."""
        if not self._file.is_closed:
            self._file.write(data)

    def writable(self) -> bool:
        return True

    def flush(self) -> None:
        """Do nothing."""

    def close(self) -> None:
        """Do nothing."""
