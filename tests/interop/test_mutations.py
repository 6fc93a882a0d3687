"""Each plausible misreading of docs/protocol.md is noticed by a vector.

mutations.toml lists changes of the JavaScript implementation. mutants.mjs makes each alone, and runs
the vectors: at least one fails, or the table says why nobody can observe the change.
"""

import json
import re
import subprocess
import tomllib
from collections.abc import Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import NamedTuple

import pytest

FOLDER = Path(__file__).parent
TABLE = FOLDER / "mutations.toml"
AT_ONCE = 2  # processes
TOGETHER = 25  # mutations in a process, which keeps what it loaded of each
SAMPLE = 8  # of them in every run, evenly over the table; `make mutations` runs all
BROKEN = re.compile(r"\b(?:SyntaxError|ReferenceError)\b|is not a function|is not iterable")


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


def _failures(mutations: Sequence[Mutation], place: Path) -> list[str | None]:
    """The first failure under each mutation."""
    asked = place / f"{abs(hash(mutations[0]))}.json"
    asked.write_text(json.dumps([one._asdict() for one in mutations]))
    command = ["node", "mutants.mjs", str(asked)]
    run = subprocess.run(command, cwd=FOLDER, capture_output=True, text=True, timeout=1_800, check=False)
    found = [json.loads(line) for line in run.stdout.splitlines()]
    assert len(found) == len(mutations), f"{mutations[len(found)]} ends the program: {run.stderr}"
    return found


def _faults(mutations: Sequence[Mutation], place: Path) -> list[str]:
    """What no vector notices, or what is no misreading but breaks the program."""
    with ThreadPoolExecutor(AT_ONCE) as pool:
        parts = [*pool.map(lambda some: _failures(some, place), _parts(mutations))]
    failures = [failure for part in parts for failure in part]
    found = []
    for mutation, failure in zip(mutations, failures, strict=True):
        if BROKEN.search(failure or ""):
            found.append(f"{mutation} breaks the program: {failure}")
        elif bool(failure) is bool(mutation.equivalent):
            found.append(f"{mutation} is {'noticed' if failure else 'not noticed'}")
    return found


def _parts(mutations: Sequence[Mutation]) -> list[Sequence[Mutation]]:
    return [mutations[at : at + TOGETHER] for at in range(0, len(mutations), TOGETHER)]


def test_the_table_changes_what_is_there() -> None:
    counts = {str(one): (FOLDER / one.file).read_text().count(one.old) for one in MUTATIONS}
    assert not {name: count for name, count in counts.items() if count != 1}
    assert len(counts) == len(MUTATIONS), "two mutations have one name"
    assert all(one.old != one.new for one in MUTATIONS)
    assert sum(not one.equivalent for one in MUTATIONS) >= 100


@pytest.mark.long  # test_javascript.py runs the vectors where nothing is changed
def test_nothing_fails_where_nothing_is_changed(tmp_path: Path) -> None:
    same = [Mutation(file, "nothing", "", "", "") for file in ("rules.js", "chains.js")]
    assert _failures(same, tmp_path) == [None, None]


def test_vectors_notice_a_sample(tmp_path: Path) -> None:
    step = len(MUTATIONS) // SAMPLE
    assert not _faults(MUTATIONS[::step][:SAMPLE], tmp_path)


@pytest.mark.long
@pytest.mark.timeout(3_600)
def test_vectors_notice_every_misreading(tmp_path: Path) -> None:
    found = _faults(MUTATIONS, tmp_path)
    assert not found, "\n".join(found)
