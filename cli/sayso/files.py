"""Files in, item hashes out: SHA-256 of the bytes, read as a stream.

A folder is walked in the order of its names' bytes, so the same folder gives the same list everywhere.
Symbolic links are never followed: what was not named is never licensed. Names that are not UTF-8 keep
their bytes as Python's surrogate escapes.
"""

import hashlib
import os
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from stat import S_ISDIR, S_ISLNK, S_ISREG

from sayso.errors import FileUnreadable, NothingToGrant


@dataclass(frozen=True)
class FoundFiles:
    """What is in the paths given: files to hash, and what was left out (links, sockets, devices)."""

    files: tuple[Path, ...]
    skipped: tuple[Path, ...]


@dataclass(frozen=True)
class HashedFile:
    """A file and its item hash (32 bytes)."""

    path: Path
    item: bytes


@contextmanager
def _reading(path: Path) -> Iterator[None]:
    try:
        yield
    except OSError as error:
        raise FileUnreadable(f"cannot read {str(path)!r}: {error.strerror}") from error


def find_files(paths: Iterable[Path]) -> FoundFiles:
    """The regular files in these files and folders; raises FileUnreadable, NothingToGrant."""
    files: list[Path] = []
    skipped: list[Path] = []
    for path in paths:
        with _reading(path):
            mode = path.lstat().st_mode
        if S_ISDIR(mode):
            _walk(path, files, skipped)
        elif S_ISREG(mode):
            files.append(path)
        else:
            what = "a symbolic link" if S_ISLNK(mode) else "neither a file nor a folder"
            raise FileUnreadable(f"{str(path)!r} is {what}; name the file itself")
    if not files:
        raise NothingToGrant("there is no file in these paths")
    return FoundFiles(tuple(files), tuple(skipped))


def _walk(folder: Path, files: list[Path], skipped: list[Path]) -> None:
    """Append what a folder holds, depth first; a folder that cannot be read is an error, not a gap."""
    with _reading(folder), os.scandir(folder) as entries:
        ordered = sorted(entries, key=lambda entry: os.fsencode(entry.name))
    for entry in ordered:
        path = folder / entry.name
        if entry.is_dir(follow_symlinks=False):
            _walk(path, files, skipped)
        else:
            (files if entry.is_file(follow_symlinks=False) else skipped).append(path)


def item_hash(path: Path) -> bytes:
    """SHA-256 of a regular file's bytes, 32 bytes; raises FileUnreadable."""
    with _reading(path):
        # O_NONBLOCK: a pipe put in the file's place must not make us wait for ever.
        descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
        with os.fdopen(descriptor, "rb") as file:
            if not S_ISREG(os.fstat(descriptor).st_mode):
                raise FileUnreadable(f"{str(path)!r} is not a regular file")
            return hashlib.file_digest(file, "sha256").digest()


def hash_files(paths: Iterable[Path]) -> Iterator[HashedFile]:
    """Each file with its item hash, in order; raises FileUnreadable."""
    for path in paths:
        yield HashedFile(path, item_hash(path))
