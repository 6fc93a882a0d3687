"""Each plausible misreading of docs/protocol.md is noticed by a vector.

mutations.toml lists changes of the JavaScript implementation. Each one is made in a copy, alone, and all
vectors run against the copy: at least one fails, or the table says why nobody can observe the change.
"""

import re
import shutil
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from itertools import takewhile
from pathlib import Path
from queue import SimpleQueue
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent
TABLE = FOLDER / "mutations.toml"
TESTS = ("vectors", "evidence", "chains", "snapshots", "landings")  # what notices most comes first
AT_ONCE = 2
SAMPLE = 8  # of them in every run, evenly over the table; `make mutations` runs all
BROKEN = re.compile(r"SyntaxError|ReferenceError|is not a function|is not iterable|ERR_MODULE_NOT_FOUND")


class Mutation(NamedTuple):
    """Mutation is one text of a file that is replaced by another, and the rule that it misreads."""

    file: str
    misreads: str
    old: str
    new: str
    equivalent: str

    def __str__(self) -> str:
        return f"{self.file}: {self.misreads}"


def _table() -> Iterator[Mutation]:
    for file, mutations in tomllib.loads(TABLE.read_text()).items():
        for one in mutations:
            yield Mutation(file, one["misreads"], one["old"], one["new"], one.get("equivalent", ""))


MUTATIONS = list(_table())


def _copy(place: Path) -> Path:
    """Copy the implementation beside the vectors, and return its folder."""
    folder = place / "interop"
    shutil.copytree(FOLDER, folder, ignore=shutil.ignore_patterns("node_modules", "__pycache__", "*.py"))
    (folder / "node_modules").symlink_to(FOLDER / "node_modules")
    (place / "vectors").symlink_to(FOLDER.parent / "vectors")
    return folder


def _first_failure(folder: Path, changed: str = "") -> str:
    """Run the vectors up to the first that fails, and return what was printed of it, or nothing.

    Tests that have the name of the changed file come first, then those that import it.
    """
    files = [f"{name}.test.js" for name in TESTS]
    own = changed.replace(".js", ".test.js")
    files.sort(key=lambda one: (one != own, f'"./{changed}"' not in (folder / one).read_text()))
    return next(filter(None, (_failure_in(folder, name) for name in files)), "")


def _failure_in(folder: Path, file: str) -> str:
    """Run the tests of one file up to the first that fails."""
    command = ["node", "--test-reporter=tap", file]
    with subprocess.Popen(
        command, cwd=folder, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True
    ) as run:
        assert run.stdout is not None
        for line in run.stdout:
            if line.startswith("not ok"):
                told = [line, *takewhile(lambda one: one.strip() != "...", run.stdout)]
                run.kill()
                return "".join(told)
            if "Error" in line and not line.startswith(("ok", "#")):
                return "".join([line, *run.stdout])
    return "" if run.returncode == 0 else f"it ended with {run.returncode}"


def _survivors(mutations: Sequence[Mutation], place: Path) -> list[str]:
    """What no vector notices, or what is no misreading but breaks the program."""
    copies: SimpleQueue[Path] = SimpleQueue()
    for number in range(AT_ONCE):
        copies.put(_copy(place / str(number)))

    def fault(mutation: Mutation) -> str:
        folder = copies.get()
        try:
            file = folder / mutation.file
            right = file.read_text()
            file.write_text(right.replace(mutation.old, mutation.new))
            failure = _first_failure(folder, mutation.file)
            file.write_text(right)
        finally:
            copies.put(folder)
        if BROKEN.search(failure):
            return f"{mutation} breaks the program:\n{failure}"
        if bool(failure) is bool(mutation.equivalent):
            return f"{mutation} is {'noticed' if failure else 'not noticed'}"
        return ""

    with ThreadPoolExecutor(AT_ONCE) as pool:
        return [found for found in pool.map(fault, mutations) if found]


def test_the_table_changes_what_is_there() -> None:
    counts = {str(one): (FOLDER / one.file).read_text().count(one.old) for one in MUTATIONS}
    assert not {name: count for name, count in counts.items() if count != 1}
    assert len(counts) == len(MUTATIONS), "two mutations have one name"
    assert all(one.old != one.new for one in MUTATIONS)
    assert sum(not one.equivalent for one in MUTATIONS) >= 100


def test_the_copy_passes_unchanged(tmp_path: Path) -> None:
    assert _first_failure(_copy(tmp_path)) == ""


def test_vectors_notice_a_sample(tmp_path: Path) -> None:
    step = len(MUTATIONS) // SAMPLE
    assert not _survivors(MUTATIONS[::step][:SAMPLE], tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_vectors_notice_every_misreading(tmp_path: Path) -> None:
    found = _survivors(MUTATIONS, tmp_path)
    assert not found, "\n".join(found)
