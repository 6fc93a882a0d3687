"""Where an output may not stand: where an input is, by whatever name or link that place is reached.

An output replaces what has its name. Inside a data set that would be a part of what is checked, so such
a name is refused before anything is opened, removed or written.
"""

import os
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path

from sayso.errors import FileUnreadable, OutputIsInput

Place = tuple[int, int]  # device and inode: what a file is, whatever it is called
Known = str | Place


def refuse_inputs(outputs: Sequence[Path], inputs: Iterable[Path]) -> None:
    """Refuse outputs that are an input, lie inside one, or are what something in one links to.

    Args:
        outputs: Need not exist.
        inputs: Files and folders; need not exist.

    Raises:
        OutputIsInput: An output would replace a part of an input, or be added to it.
        FileUnreadable: An input folder cannot be looked through, so nobody knows.
    """
    above = {known: path for path in reversed(outputs) for known in _chain(path)}
    for given in inputs:
        for known in _parts(given):
            if known in above:
                raise OutputIsInput(f"{str(above[known])!r} is, or is inside, the input {str(given)!r}")


def _chain(path: Path) -> Iterator[Known]:
    """A file and the folders that it lies in: by real name, and by what they are."""
    real = Path(os.path.realpath(path))
    for one in (real, *real.parents):
        yield str(one)
        if place := _place(one):
            yield place


def _parts(given: Path) -> Iterator[Known]:
    """An input, each file and folder in it, and what links in it lead to."""
    yield os.path.realpath(given)
    if place := _place(given):
        yield place
    if not given.is_dir():
        return
    around = set(_chain(given))  # a link to what the folder itself lies in leads to no other data
    waiting = [str(given)]
    while waiting:
        folder = waiting.pop()
        device, number = _place(folder) or (0, 0)
        yield device, number
        for entry in _entries(folder):
            if entry.is_dir(follow_symlinks=False):
                waiting.append(entry.path)
            elif not entry.is_symlink():
                yield device, entry.inode()  # by a hard link it may have another name elsewhere
            else:
                target = {os.path.realpath(entry.path), _place(entry.path)}
                yield from (one for one in target - around if one)


def _entries(folder: str) -> list[os.DirEntry[str]]:
    try:
        with os.scandir(folder) as entries:
            return list(entries)
    except OSError as error:
        raise FileUnreadable(f"cannot read {folder!r}: {error.strerror}") from error


def _place(path: Path | str) -> Place | None:
    try:
        found = os.stat(path)  # noqa: PTH116 - entries of folders come as text
    except OSError:
        return None  # what is not there is known by its name only
    return found.st_dev, found.st_ino
