"""Item hashes of files: SHA-256 of the bytes, read as a stream.

A folder is walked in the byte order of its names, so the same folder gives the same list everywhere.
Symbolic links are never followed, so that a command licenses only files in the named folders. Names that
are not UTF-8 keep their bytes as Python's surrogate escapes.
"""

import errno
import hashlib
import os
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader
from pathlib import Path
from stat import S_ISDIR, S_ISFIFO, S_ISLNK, S_ISREG
from typing import Final

from sayso.errors import FileUnreadable, NothingToGrant
from sayso_protocol.errors import SaysoError
from sayso_protocol.primitives import salted_item
from sayso_protocol.redaction import reason_of

HASHED_PIECE_BYTES: Final = 1 << 20
SALT_BYTES: Final = 32


@dataclass(frozen=True)
class FoundFiles:
    """FoundFiles holds the files to hash, and the skipped entries (links, sockets, devices)."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...]


@dataclass(frozen=True)
class HashedFile:
    """HashedFile is a file with its item hash (32 bytes), and the salt of that, or empty."""

    path: Path
    item: bytes
    salt: bytes = b""


@contextmanager
def reading(path: Path, fault: type[SaysoError] = FileUnreadable) -> Iterator[None]:
    """Turn an OSError, and bytes that are not text, into `fault`, which names the file."""
    try:
        yield
    except (OSError, UnicodeDecodeError) as error:
        why = reason_of(error) if isinstance(error, OSError) else "it is not text in UTF-8"
        raise fault(f"cannot read {str(path)!r}: {why}") from error


@contextmanager
def opening(
    path: Path, fault: type[SaysoError] = FileUnreadable, *, forward: bool = False
) -> Iterator[BufferedReader]:
    """Open a file to read it, and never wait for one; its OSErrors become `fault`, as by `reading`.

    It is a regular file, because a device never ends. If its reader only goes `forward`, it may be a
    pipe, too, into which somebody writes something.
    """
    with reading(path, fault):
        descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK)
        mode = os.fstat(descriptor).st_mode
        if not S_ISREG(mode) and not (forward and S_ISFIFO(mode)):
            os.close(descriptor)
            if S_ISDIR(mode):
                raise IsADirectoryError(errno.EISDIR, os.strerror(errno.EISDIR))
            raise fault(f"cannot read {str(path)!r}: it is not a regular file")
        os.set_blocking(descriptor, True)
        with os.fdopen(descriptor, "rb") as file:
            if S_ISFIFO(mode) and not file.peek(1):
                raise fault(f"cannot read {str(path)!r}: nobody writes into this pipe")
            yield file


def find_files(paths: Iterable[Path]) -> FoundFiles:
    """Find the regular files in files and folders; raises FileUnreadable, NothingToGrant."""
    files: list[Path] = []
    skipped: list[Path] = []
    for path in paths:
        with reading(path):
            mode = path.lstat().st_mode
        if S_ISDIR(mode):
            _walk(path, files, skipped)
        elif S_ISREG(mode):
            files.append(path)
        else:
            kind = "a symbolic link" if S_ISLNK(mode) else "neither a file nor a folder"
            raise FileUnreadable(f"{str(path)!r} is {kind}; name the file itself")
    if not files:
        raise NothingToGrant("these paths contain no file")
    return FoundFiles(tuple(files), tuple(skipped))


def _walk(folder: Path, files: list[Path], skipped: list[Path]) -> None:
    """Append the entries of a folder, depth first; an unreadable folder raises FileUnreadable."""
    with reading(folder), os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in ordered:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            _walk(path, files, skipped)
        else:
            (files if entry.is_file(follow_symlinks=False) else skipped).append(path)


def item_hash(path: Path) -> bytes:
    """Compute the SHA-256 of a regular file, 32 bytes; raises FileUnreadable."""
    with reading(path):
        # O_NONBLOCK: a pipe that replaced the file must not block this process.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        try:
            found = os.fstat(descriptor)
            if not S_ISREG(found.st_mode):
                raise FileUnreadable(f"{str(path)!r} is not a regular file")
            digest, most = hashlib.sha256(), min(found.st_size + 1, HASHED_PIECE_BYTES)
            while piece := os.read(descriptor, most):  # most files are read at once
                digest.update(piece)
            return digest.digest()
        finally:
            os.close(descriptor)


def salt_files(files: Iterable[HashedFile], draw: Callable[[int], bytes]) -> Iterator[HashedFile]:
    """Yield each file with a salted item hash; files with the same bytes get the same salt.

    `draw` returns so many random bytes.
    """
    salts: dict[bytes, bytes] = {}
    for file in files:
        salt = salts.setdefault(file.item, b"") or draw(SALT_BYTES)
        salts[file.item] = salt
        yield HashedFile(file.path, salted_item(salt, file.item), salt)


def hash_files(paths: Iterable[Path]) -> Iterator[HashedFile]:
    """Yield each file with its item hash, in order; raises FileUnreadable."""
    for path in paths:
        yield HashedFile(path, item_hash(path))
