"""The whole system, as `sayso demo` shows it: it holds, it can fail, and it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tomllib
from collections.abc import Iterable, Iterator
from pathlib import Path
from typing import Any

import pytest

from support.anvil import anvil
from support.waiting import DEADLINE_S
from system.demo_process import demo, finish

FAILURES = tomllib.loads((Path(__file__).parent / "demo_failures.toml").read_text())
STEPS = [
    "chain",
    "nodes",
    "consent",
    "gossip",
    "anchor",
    "check",
    "revoke",
    "purpose",
    "catch-up",
    "sale",
    "take-back",
    "trace",
]
INTERRUPTED = 130


def _some(cases: Iterable[str], at_once: set[str]) -> list[Any]:
    """The cases; those that are not run at once are for the long suite."""
    return [pytest.param(one, marks=() if one in at_once else pytest.mark.long) for one in cases]


@pytest.fixture(params=["embedded", pytest.param("anvil", marks=pytest.mark.long)])
def chain(request: pytest.FixtureRequest) -> Iterator[tuple[str, ...]]:
    """The options that choose the demo's chain."""
    if request.param == "embedded":
        yield ()
    else:
        with anvil() as url:
            yield "--chain", url


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """Files of any kind."""
    (tmp_path / "nested" / "deeper").mkdir(parents=True)
    (tmp_path / "nested" / "deeper" / "naïve \n name.bin").write_bytes(b"")
    (tmp_path / "one file").write_bytes(b"the only bytes")
    (tmp_path / "the same file").write_bytes(b"the only bytes")
    (tmp_path / os.fsdecode(b"\xff\xfe.wav")).write_bytes(b"odd")  # the name is not UTF-8
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    return tmp_path


def expect_every_step(*options: str) -> str:
    """Run the demo: all its steps hold, and nothing is left. Returns its story."""
    with demo("--json", *options) as running:
        status, summary, story = finish(running)
        assert [step["name"] for step in summary["steps"]] == STEPS
        assert all(step["ok"] for step in summary["steps"]), story
        assert status == 0
        assert summary["ok"] is True
        running.expect_nothing_left()
    return story


def test_every_step_holds_and_nothing_is_left(chain: tuple[str, ...]) -> None:
    expect_every_step(*chain)


@pytest.mark.long
def test_every_step_holds_for_a_folder_of_any_kind(folder: Path) -> None:
    expect_every_step("--data", str(folder))


@pytest.mark.long
def test_a_folder_of_any_kind_is_licensed_and_checked(folder: Path) -> None:
    with demo("--data", str(folder)) as running:
        assert "4 files with 3 different items" in running.until_line("   ✓ 4 files")
        running.until_line("   ✓ all 10 rows are clear")


@pytest.mark.parametrize("channel", _some(FAILURES, at_once=set()))
def test_without_a_channel_exactly_these_steps_fail(channel: str) -> None:
    with demo("--json", "--disable", channel, "--patience", "10") as running:
        status, summary, story = finish(running)
        failed = [step["name"] for step in summary["steps"] if not step["ok"]]
        assert failed == FAILURES[channel], story
        assert status == 1
        assert summary["ok"] is False
        running.expect_nothing_left()


@pytest.mark.parametrize("line", _some(["Sayso", "1.", "2.", "3.", "9."], at_once={"2."}))
def test_ctrl_c_at_any_moment_ends_everything(line: str) -> None:
    with demo() as running:
        running.until_line(line)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(DEADLINE_S) == INTERRUPTED
        running.expect_nothing_left()


@pytest.mark.long
def test_children_do_not_outlive_a_demo_that_is_killed() -> None:
    with demo() as running:
        running.until_line("3.")
        assert len(running.relatives()) > 4  # the chain, three nodes and what these have started
        running.process.kill()
        running.process.wait()
        running.expect_nothing_left()


def test_a_folder_without_files_starts_nothing(tmp_path: Path) -> None:
    with demo("--data", str(tmp_path)) as running:
        _, errors = running.process.communicate(timeout=DEADLINE_S)
        assert running.process.returncode == 1
        assert "nothing-to-grant" in errors


@pytest.fixture
def installed(tmp_path: Path) -> dict[str, str]:
    """The environment in which Python finds the wheel and not the checkout."""
    root = Path(__file__).parents[2]
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    environment = {"PYTHONPATH": str(site)}
    found = subprocess.run(
        [sys.executable, "-c", "import sayso, sayso_node; print(sayso.__file__, sayso_node.__file__)"],
        env={**os.environ, **environment},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert all(path.startswith(str(site)) for path in found), found
    return environment


@pytest.mark.long
def test_the_installed_wheel_anchors_and_checks(tmp_path: Path, installed: dict[str, str]) -> None:
    with demo(environment=installed, folder=tmp_path) as running:
        running.until_line("   ✓ all 51 rows are clear")


@pytest.mark.long
def test_every_step_holds_with_the_installed_wheel(tmp_path: Path, installed: dict[str, str]) -> None:
    with demo("--json", environment=installed, folder=tmp_path) as running:
        status, _, story = finish(running)
        assert status == 0, story
