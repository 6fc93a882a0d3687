"""The whole system, as `sayso demo` shows it: it holds, it can fail, and it leaves nothing behind."""

import os
import signal
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

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
]
INTERRUPTED = 130


def test_every_step_holds_and_nothing_is_left() -> None:
    with demo("--json") as running:
        status, summary, story = finish(running)
        assert [step["name"] for step in summary["steps"]] == STEPS
        assert all(step["ok"] for step in summary["steps"]), story
        assert status == 0
        assert summary["ok"] is True
        running.expect_nothing_left()


@pytest.mark.parametrize("channel", FAILURES)
def test_without_a_channel_exactly_these_steps_fail(channel: str) -> None:
    with demo("--json", "--disable", channel, "--patience", "10") as running:
        status, summary, story = finish(running)
        failed = [step["name"] for step in summary["steps"] if not step["ok"]]
        assert failed == FAILURES[channel], story
        assert status == 1
        assert summary["ok"] is False
        running.expect_nothing_left()


@pytest.mark.parametrize("line", ["Sayso", "1.", "2.", "3.", "9."])
def test_ctrl_c_at_any_moment_ends_everything(line: str) -> None:
    with demo() as running:
        running.until_line(line)
        running.process.send_signal(signal.SIGINT)
        assert running.process.wait(60) == INTERRUPTED
        running.expect_nothing_left()


def test_children_do_not_outlive_a_demo_that_is_killed() -> None:
    with demo() as running:
        running.until_line("3.")
        assert len(running.relatives()) > 4  # the chain, three nodes and what these have started
        running.process.kill()
        running.process.wait()
        running.expect_nothing_left()


def test_a_folder_of_any_kind(tmp_path: Path) -> None:
    (tmp_path / "nested" / "deeper").mkdir(parents=True)
    (tmp_path / "nested" / "deeper" / "naïve \n name.bin").write_bytes(b"")
    (tmp_path / "one file").write_bytes(b"the only bytes")
    (tmp_path / "the same file").write_bytes(b"the only bytes")
    (tmp_path / os.fsdecode(b"\xff\xfe.wav")).write_bytes(b"odd")  # the name is not UTF-8
    (tmp_path / "link").symlink_to("/etc/hostname")
    os.mkfifo(tmp_path / "pipe")
    with demo("--json", "--data", str(tmp_path)) as running:
        status, _, story = finish(running)
        assert status == 0, story
        assert "4 files, 3 different items" in story


def test_a_folder_without_files_starts_nothing(tmp_path: Path) -> None:
    with demo("--data", str(tmp_path)) as running:
        _, errors = running.process.communicate(timeout=60)
        assert running.process.returncode == 1
        assert "nothing-to-grant" in errors


def test_from_the_installed_wheel_outside_a_checkout(tmp_path: Path) -> None:
    root = Path(__file__).parents[2]
    wheels, site = tmp_path / "wheels", tmp_path / "site"
    build = [sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", str(wheels)]
    subprocess.run(build, cwd=root, check=True, capture_output=True)
    (wheel,) = wheels.iterdir()
    install = [sys.executable, "-m", "pip", "install", "--no-deps", "--target", str(site), str(wheel)]
    subprocess.run(install, check=True, capture_output=True)
    where = [
        sys.executable,
        "-c",
        "import sayso, sayso_node; print(sayso.__file__, sayso_node.__file__)",
    ]
    environment = {"PYTHONPATH": str(site)}
    found = subprocess.run(
        where,
        env={**os.environ, **environment},
        cwd=tmp_path,
        check=True,
        capture_output=True,
        text=True,
    ).stdout.split()
    assert all(path.startswith(str(site)) for path in found), found
    with demo("--json", environment=environment, folder=tmp_path) as running:
        status, _, story = finish(running)
        assert status == 0, story
