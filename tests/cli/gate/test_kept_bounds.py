"""What a check keeps for the next one, written by somebody else: bounded before anything is parsed."""

import os
import tracemalloc
from collections.abc import Callable
from pathlib import Path

import pytest

from cli.gate.conftest import Buyer
from cli.gate.test_since_faults import OFFLINE, SINCE
from fuzz.kept_doors import KEY, doors, part
from sayso.gate.resuming.progress_file import Part, ProgressFile, ProgressHeader
from sayso.gate.since.index import MAGIC, Index, Unfit

MIB = 1 << 20
PROMISE = (1 << 28).to_bytes(4)


def peak_of(work: Callable[[], object]) -> int:
    tracemalloc.start()
    try:
        work()
        return tracemalloc.get_traced_memory()[1]
    finally:
        tracemalloc.stop()


def opened(path: Path) -> None:
    with ProgressFile(path, KEY) as journal:
        assert journal.header is None


@pytest.mark.parametrize("size", [0, 1 << 29])
def test_a_progress_that_promises_a_large_header(tmp_path: Path, size: int) -> None:
    path = tmp_path / "progress"
    path.write_bytes(b"sayso-progress-1" + PROMISE + bytes(40))
    os.truncate(path, max(size, path.stat().st_size))  # sparse: it takes no disk
    assert peak_of(lambda: opened(path)) < 4 * MIB


@pytest.mark.parametrize("size", [0, 1 << 29])
def test_a_progress_that_promises_a_large_part(tmp_path: Path, size: int) -> None:
    path = tmp_path / "progress"
    path.write_bytes(doors()["file of progress"].seeds[0] + PROMISE + bytes(40))
    os.truncate(path, max(size, path.stat().st_size))

    def goes_on() -> None:
        with ProgressFile(path, KEY) as journal:
            journal.go_on()
            assert journal.take(bytes(64)) == part()

    assert peak_of(goes_on) < 4 * MIB


def test_an_index_that_promises_a_large_header(tmp_path: Path) -> None:
    path = tmp_path / "r.index"
    path.write_bytes(MAGIC)
    size = 1 << 28
    os.truncate(path, len(MAGIC) + size)
    with path.open("ab") as file:
        file.write(bytes(32) + size.to_bytes(8))

    def reads() -> None:
        with pytest.raises(Unfit, match="somebody else made it"):
            Index(path, KEY)

    assert peak_of(reads) < 4 * MIB


@pytest.mark.parametrize("at", [0, -1])
def test_a_progress_that_changes_while_it_is_used(tmp_path: Path, at: int) -> None:
    """Another program wrote into it after it was opened: what it says counts for nothing."""
    path = tmp_path / "progress"
    with ProgressFile(path, KEY) as journal:
        journal.begin(ProgressHeader(bytes(32), "run 7", 7))
        journal.add(part())
        begin = journal._file.seek(0, 2) - 32
    with ProgressFile(path, KEY) as journal:
        assert journal.header
        journal.go_on()
        with path.open("r+b") as other:
            content = bytearray(path.read_bytes())
            content[(begin - 5) if at == 0 else at] ^= 1
            other.write(content)
        assert journal.take(bytes(64)) is None


def test_the_part_of_another_place_is_not_taken(tmp_path: Path) -> None:
    """A part that is copied over another one has the wrong place."""
    path = tmp_path / "progress"
    other = Part(bytes(32), *[getattr(part(), one) for one in Part.__struct_fields__[1:]])
    with ProgressFile(path, KEY) as journal:
        journal.begin(ProgressHeader(bytes(32), "run 7", 7))
        journal.add(part())
        first = journal._file.tell()
        journal.add(other)
        second = journal._file.tell()
    with ProgressFile(path, KEY) as journal:
        journal.go_on()
        data = path.read_bytes()
        with path.open("r+b") as file:
            file.seek(first)
            file.write(data[2 * first - second : first])
        assert journal.take(bytes(64)) == part()
        assert journal.take(b"anything") is None


@pytest.mark.parametrize("make", [os.mkfifo, lambda path: Path(path).symlink_to("/dev/zero")])
def test_a_record_without_end(buyer: Buyer, make: Callable[[str], object]) -> None:
    buyer.snapshot()
    buyer.bundle()
    make("record.json")
    told = buyer.check("m.jsonl", *OFFLINE, *SINCE, status=1)
    assert "error [file-unreadable]" in told.stderr
    assert "not a regular file" in told.stderr
