"""Reads small files of a node's folder: nothing else than files, and no more of them than a limit.

A running node reads its settings again on its event loop, so a pipe in their place must not stop it.
"""

import os
import stat
from pathlib import Path
from typing import Final, NamedTuple

SMALL_BYTES: Final = 1_048_576  # of each file but the store


class SmallFile(NamedTuple):
    """What a file has, and its permissions."""

    data: bytes
    mode: int

    @property
    def text(self) -> str:
        """Its text, without the mark of bytes' order; raises UnicodeDecodeError."""
        return self.data.decode("utf-8-sig")


def read_small(path: Path, most: int = SMALL_BYTES) -> SmallFile:
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
