"""A guard against outputs that would replace an input, by whatever name or link they reach it.

An output replaces the file of its name. Inside a data set it would change the data that is checked, so
such a name is refused before any file is opened, removed or written.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sayso.errors import OutputIsInput
from sayso.files import reading

Place = tuple[int, int]  # device and inode, which identify a file under any name
Known = str | Place


def refuse_inputs(outputs: Sequence[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that are an input, lie inside one, or are the target of a link in one.

    Args:
        outputs: Need not exist.
        inputs: Files and folders; need not exist.

    Raises:
        OutputIsInput: An output would change an input.
        FileUnreadable: An input folder cannot be read.
    """
    above = {known: path for path in reversed(outputs) for known in _chain(path)}
    for given in inputs:
        for known in _parts(given):
            if known in above:
                raise OutputIsInput(f"{str(above[known])!r} is, or is inside, the input {str(given)!r}")


def _chain(path: Path) -> Iterator[Known]:
    """Yield a file and its parent folders, by real name and by place."""
    real = Path(os.path.realpath(path))
    for one in (real, *real.parents):
        yield str(one)
        if place := _place(one):
            yield place


def _parts(given: Path) -> Iterator[Known]:
    """Yield an input, each file and folder in it, and the targets of its links."""
    yield os.path.realpath(given)
    if place := _place(given):
        yield place
    if not given.is_dir():
        return
    around = set(_chain(given))  # links to the folder's own parents lead to no other data
    waiting = [str(given)]
    while waiting:
        folder = waiting.pop()
        device, number = _place(folder) or (0, 0)
        yield device, number
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not entry.is_symlink():
                yield device, entry.inode()  # a hard link may give it another name elsewhere
            else:
                target = {os.path.realpath(entry.path), _place(entry.path)}
                yield from (one for one in target - around if one)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    with reading(Path(folder)), os.scandir(folder) as entries:
        return list(entries)


def _place(path: Path | str) -> Place | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - entries of folders come as text
    except OSError:
        return None  # a missing file is known by its name only
    return found.st_dev, found.st_ino
