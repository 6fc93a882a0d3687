"""Output files, which appear all together and complete, or not at all.

clear([kept], inputs=[manifest])  # so that no file of an earlier run passes for a result
with Outputs() as outputs:
    outputs.open(kept).write(b"...")
    outputs.commit()
"""

import fcntl
import os
import secrets
import shutil
from collections.abc import Iterable, Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from stat import S_ISREG
from typing import IO, Final, Self

from sayso.errors import OutputFailed
from sayso.places import refuse_inputs

PART: Final = ".part"


@contextmanager
def output_errors(path: Path) -> Iterator[None]:
    """Turn an OSError into OutputFailed."""
    try:
        yield
    except OSError as error:
        raise _failed(path, error) from error


def _failed(path: Path, error: OSError) -> OutputFailed:
    return OutputFailed(f"cannot write {str(path)!r}: {error.strerror}")


def clear(outputs: Iterable[Path], inputs: Iterable[Path] = ()) -> None:
    """Remove all earlier output files, or raise and remove none.

    Raises:
        OutputIsInput, FileUnreadable: As refuse_inputs.
        OutputFailed: Two outputs have the same name, or one is not a regular file.
    """
    paths = list(outputs)
    refuse_inputs(paths, inputs)
    taken: set[str] = set()
    for path in paths:
        if (real := os.path.realpath(path)) in taken:
            raise OutputFailed(f"{str(path)!r} is named twice")
        taken.add(real)
        with output_errors(path), suppress(FileNotFoundError):
            if not S_ISREG(path.lstat().st_mode):
                raise OutputFailed(f"{str(path)!r} is not a regular file")
    for path in paths:
        with output_errors(path):
            path.unlink(missing_ok=True)
        sweep(path)


def sweep(path: Path) -> None:
    """Remove what processes that were killed left of this output; a living one holds a lock."""
    start, folder = _part_start(path), path.parent
    with suppress(OSError):
        left = [one.path for one in os.scandir(folder) if one.name.startswith(start)]
        for one in (Path(name) for name in left if name.endswith(PART)):
            with suppress(OSError), _locked(one):
                shutil.rmtree(one) if one.is_dir() else one.unlink()


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    """Hold the lock of a file or folder; raises OSError if another process holds it."""
    descriptor = os.open(path, os.O_RDONLY | os.O_NOFOLLOW | os.O_NONBLOCK)
    try:
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)
        yield
    finally:
        os.close(descriptor)


def _lock(descriptor: int) -> None:
    """Lock a staged output, where the file system can, so that nobody sweeps it."""
    with suppress(OSError):
        fcntl.flock(descriptor, fcntl.LOCK_EX | fcntl.LOCK_NB)


class StagedFile:
    """StagedFile is an output file under a temporary name in its final folder.

    Within a staged folder, which itself has a temporary name, it has its final name (`part`) at once.
    """

    def __init__(self, path: Path, mode: int, part: Path | None = None) -> None:
        self._path = path
        self._part = part or part_of(path)
        with output_errors(path):
            descriptor = os.open(self._part, os.O_RDWR | os.O_CREAT | os.O_EXCL, mode)
        if part is None:
            _lock(descriptor)
        self._file: IO[bytes] = os.fdopen(descriptor, "w+b")

    @property
    def part(self) -> Path:
        """Return the temporary path, for a library that writes to a path."""
        return self._part

    @property
    def is_closed(self) -> bool:
        """Return whether it is finished or discarded."""
        return self._file.closed

    def write(self, data: bytes) -> None:
        """Append; raises OutputFailed."""
        try:
            self._file.write(data)
        except OSError as error:
            raise _failed(self._path, error) from error

    def finish(self) -> None:
        """Put everything on the disk; raises OutputFailed."""
        with output_errors(self._path):
            self._file.flush()
            os.fsync(self._file.fileno())
            self._file.close()

    def move(self) -> None:
        """Give it its name; raises OutputFailed."""
        with output_errors(self._path):
            self._part.replace(self._path)

    def discard(self, *, moved: bool) -> None:
        """Leave nothing behind."""
        with suppress(OSError):
            self._file.close()
        with suppress(OSError):
            (self._path if moved else self._part).unlink()


class StagedFolder:
    """StagedFolder is an output folder under a temporary name in its final parent."""

    def __init__(self, path: Path) -> None:
        refuse_existing(path)
        self._path, self.part = path, part_of(path)
        with output_errors(path):
            self.part.mkdir()
            self._descriptor = os.open(self.part, os.O_RDONLY | os.O_DIRECTORY)
        _lock(self._descriptor)
        self._made = {self.part}

    def open(self, path: Path, mode: int = 0o644) -> StagedFile:
        """Open a file of the folder by its relative path; its user finishes it. Raises OutputFailed."""
        place = self._place(path)
        return StagedFile(place, mode, part=place)

    def write(self, path: Path, data: bytes) -> None:
        """Write a whole file of the folder under its relative path; raises OutputFailed."""
        file = self.open(path)
        file.write(data)
        file.finish()

    def take(self, file: Path, path: Path) -> None:
        """Link or copy a file into the folder, under a relative path; raises OutputFailed."""
        place = self._place(path)
        try:
            os.link(file, place, follow_symlinks=False)
        except OSError:  # another disk, or a file system without hard links
            with output_errors(place):
                shutil.copy2(file, place, follow_symlinks=False)
                _sync(place)

    def _place(self, path: Path) -> Path:
        place = self.part / path
        if place.parent not in self._made:
            with output_errors(place):
                place.parent.mkdir(parents=True, exist_ok=True)
            self._made.add(place.parent)
        return place

    def finish(self) -> None:
        """Put every entry on the disk; the data of its files is there already. Raises OutputFailed."""
        with output_errors(self._path):
            for folder in self._made:
                _sync(folder)

    def move(self) -> None:
        """Give it its name; raises OutputFailed."""
        with output_errors(self._path):
            self.part.rename(self._path)
        os.close(self._descriptor)

    def discard(self, *, moved: bool) -> None:
        """Leave nothing behind."""
        shutil.rmtree(self._path if moved else self.part, ignore_errors=True)
        if not moved:
            os.close(self._descriptor)


def _sync(path: Path) -> None:
    descriptor = os.open(path, os.O_RDONLY)
    try:
        os.fsync(descriptor)
    finally:
        os.close(descriptor)


class Outputs:
    """Outputs moves its files into place when all are complete, and otherwise removes all."""

    def __init__(self) -> None:
        self._files: list[StagedFile | StagedFolder] = []
        self._moved = 0
        self._committed = False

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *error: object) -> None:
        if not self._committed:
            for position, file in enumerate(self._files):
                file.discard(moved=position < self._moved)

    def open(self, path: Path, mode: int = 0o644) -> StagedFile:
        """Open a staged file for `path`; the umask applies. Raises OutputFailed."""
        self._files.append(file := StagedFile(path, mode))
        return file

    def folder(self, path: Path) -> StagedFolder:
        """Create a staged folder for `path`, which must not exist. Raises OutputFailed."""
        self._files.append(folder := StagedFolder(path))
        return folder

    def commit(self) -> None:
        """Move all files into place, in the order of their opening; raises OutputFailed."""
        for file in self._files:
            file.finish()
        for file in self._files:
            file.move()
            self._moved += 1
        self._committed = True


def part_of(path: Path) -> Path:
    """Return an unused temporary name in the folder of `path`."""
    return path.with_name(f"{_part_start(path)}{secrets.token_hex(4)}{PART}")


def _part_start(path: Path) -> str:
    return f".{path.name[:100]}."


def write_file(path: Path, data: bytes) -> None:
    """Write or atomically replace one file; raises OutputFailed."""
    with Outputs() as outputs:
        outputs.open(path).write(data)
        outputs.commit()


def refuse_existing(*paths: Path | None) -> None:
    """Raise OutputFailed if one of the named paths exists."""
    for path in paths:
        if path and os.path.lexists(path):
            raise OutputFailed(f"{str(path)!r} exists; name another file or move it away")
