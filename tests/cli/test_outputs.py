"""Files appear all together, or not at all; an earlier file never passes for a result."""

import os
import signal
import stat
import subprocess
import sys
from pathlib import Path

import pytest

from sayso.errors import OutputFailed, OutputIsInput
from sayso.outputs import Outputs, clear, refuse_existing, write_file
from support.waiting import DEADLINE_S


def test_nothing_is_there_before_the_commit(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.open(tmp_path / "a").write(b"1")
        outputs.open(tmp_path / "b").write(b"2")
        assert not {"a", "b"} & {path.name for path in tmp_path.iterdir()}
        outputs.commit()
    assert {path.name: path.read_bytes() for path in tmp_path.iterdir()} == {"a": b"1", "b": b"2"}


def test_an_exception_leaves_nothing(tmp_path: Path) -> None:
    def interrupted() -> None:
        with Outputs() as outputs:
            outputs.open(tmp_path / "a").write(b"1")
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        interrupted()
    assert not list(tmp_path.iterdir())


def test_forgetting_to_commit_leaves_nothing(tmp_path: Path) -> None:
    with Outputs() as outputs:
        outputs.open(tmp_path / "a").write(b"1")
    assert not list(tmp_path.iterdir())


def test_the_umask_applies(tmp_path: Path) -> None:
    before = os.umask(0o077)
    try:
        write_file(tmp_path / "a", b"")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "a").stat().st_mode) == 0o600


def test_writing_replaces_at_once(tmp_path: Path) -> None:
    write_file(tmp_path / "a", b"1")
    write_file(tmp_path / "a", b"2")
    assert (tmp_path / "a").read_bytes() == b"2"
    assert len(list(tmp_path.iterdir())) == 1


def test_long_names(tmp_path: Path) -> None:
    path = tmp_path / ("x" * 255)
    write_file(path, b"1")
    assert path.read_bytes() == b"1"
    with pytest.raises(OutputFailed):
        write_file(tmp_path / ("x" * 256), b"1")
    assert len(list(tmp_path.iterdir())) == 1


def test_clear_removes_all_or_complains_and_removes_none(tmp_path: Path) -> None:
    kept, folder = tmp_path / "kept", tmp_path / "folder"
    kept.write_bytes(b"old")
    folder.mkdir()
    for wrong in ([kept, folder], [kept, kept], [kept, tmp_path / "folder" / ".." / "kept"]):
        with pytest.raises(OutputFailed):
            clear(wrong)
        assert kept.exists()
    with pytest.raises(OutputIsInput):
        clear([kept], inputs=[kept])
    clear([kept, tmp_path / "missing"])
    assert not kept.exists()


def test_an_existing_file_is_refused(tmp_path: Path) -> None:
    refuse_existing(tmp_path / "new")
    (tmp_path / "link").symlink_to("nowhere")
    with pytest.raises(OutputFailed):
        refuse_existing(tmp_path / "link")


SLOW = """
import sys
from pathlib import Path
import click
from sayso import main
from sayso.outputs import Outputs

@main.cli.command("slow")
def slow():
    with Outputs() as outputs:
        outputs.open(Path("kept.jsonl")).write(b"half")
        print("staged", flush=True)
        sys.stdin.read()

main.cli.get_command = lambda ctx, name: slow
sys.argv = ["sayso", "slow"]
main.main()
"""


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT, signal.SIGHUP])
def test_a_signal_leaves_nothing(tmp_path: Path, number: int) -> None:
    process = subprocess.Popen(
        [sys.executable, "-c", SLOW], cwd=tmp_path, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    )
    assert process.stdout
    try:
        assert process.stdout.readline() == b"staged\n"
        assert len(list(tmp_path.iterdir())) == 1
        process.send_signal(number)
        assert process.wait(DEADLINE_S) not in {0, 3}
    finally:
        process.kill()
        process.communicate()
    assert not list(tmp_path.iterdir())
