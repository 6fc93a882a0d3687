"""Reads small files of a node's folder, and makes files and folders that appear complete or not at all.

Only files are read, and no more of them than a limit: a running node reads its settings again on its
event loop, so a pipe in their place must not stop it.
"""

import fcntl
import os
import shutil
import stat
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Final, NamedTuple

SMALL_FILE_BYTES: Final = 1_048_576  # of each file but the store


class SmallFile(NamedTuple):
    """What a file has, and its permissions."""

    data: bytes
    mode: int

    @property
    def text(self) -> str:
        """Its text, without the mark of bytes' order; raises UnicodeDecodeError."""
        return self.data.decode("utf-8-sig")


def read_small(path: Path, most: int = SMALL_FILE_BYTES) -> SmallFile:
    """Read a whole file of at most so many bytes; raises OSError, also for anything else."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with os.fdopen(descriptor, "rb") as file:
        mode = os.fstat(descriptor).st_mode
        if not stat.S_ISREG(mode):
            raise OSError("it is not a file")
        data = file.read(most + 1)
    if len(data) > most:
        raise OSError(f"it is longer than {most} bytes")
    return SmallFile(data, stat.S_IMODE(mode))


def sync_folder(path: Path) -> None:
    """Put the names in a folder on the disk; raises OSError."""
    descriptor = os.open(path, os.O_RDONLY | os.O_DIRECTORY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


@contextmanager
def staging(parent: Path, prefix: str) -> Iterator[Path]:
    """Make a folder that is gone at the end; raises OSError.

    What killed processes left under this prefix goes first, because it may hold keys. A living one holds
    a lock.
    """
    for one in parent.glob(f"{prefix}*"):
        with suppress(OSError), _locked(one):
            shutil.rmtree(one)
    with tempfile.TemporaryDirectory(prefix=prefix, dir=parent) as held, _locked(Path(held)):
        yield Path(held)


@contextmanager
def _locked(folder: Path) -> Iterator[None]:
    """Hold the lock of a folder; raises OSError if another process has it."""
    descriptor = os.open(folder, os.O_RDONLY | os.O_DIRECTORY | os.O_NOFOLLOW)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)
