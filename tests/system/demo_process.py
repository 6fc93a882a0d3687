"""Runs `sayso demo` as a user does, and finds every process that it started."""

import json
import os
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from support.waiting import DEADLINE_S

DEMO = ("-m", "sayso", "demo")


@dataclass
class Demo:
    """A running demo; `token` is in the environment of everything it starts."""

    process: subprocess.Popen[str]
    token: str

    def until_line(self, start: str) -> str:
        """Read its story up to a line that begins so, and return that."""
        assert self.process.stdout
        for line in self.process.stdout:
            if line.startswith(start):
                return line
        raise AssertionError(f"the demo ended before it said {start!r}")

    def relatives(self) -> list[int]:
        """Processes of this demo that run, itself included."""
        return [pid for pid in _pids() if self.token in _environment(pid)]

    def expect_nothing_left(self) -> None:
        """Nothing that it started may run any more."""
        deadline = time.monotonic() + DEADLINE_S
        while left := self.relatives():
            assert time.monotonic() < deadline, f"left running: {[_command(pid) for pid in left]}"
            time.sleep(0.05)


@contextmanager
def demo(
    *arguments: str, environment: dict[str, str] | None = None, folder: Path | None = None
) -> Iterator[Demo]:
    """Start a demo; whatever a test does, nothing of it runs afterwards."""
    token = uuid.uuid4().hex
    process = subprocess.Popen(
        [sys.executable, *DEMO, *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=folder,
        env=_marked({**os.environ, **(environment or {})}, token),
    )
    running = Demo(process, token)
    try:
        yield running
    finally:
        for pid in running.relatives():
            os.kill(pid, signal.SIGKILL)
        process.communicate()


def finish(running: Demo) -> tuple[int, dict[str, Any], str]:
    """Exit status, the JSON of the last line, and the whole story."""
    story, errors = running.process.communicate(timeout=280)
    lines = story.strip().splitlines()
    assert lines, errors
    return running.process.returncode, json.loads(lines[-1]), story


def _marked(environment: dict[str, str], token: str) -> dict[str, str]:
    """The environment with a token in a value that children inherit: a folder that does not exist."""
    path = filter(None, (environment.get("PYTHONPATH"), f"/{token}"))
    return {**environment, "PYTHONPATH": os.pathsep.join(path)}


def _pids() -> list[int]:
    return [int(entry.name) for entry in Path("/proc").iterdir() if entry.name.isdigit()]


def _environment(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/environ").read_bytes().decode(errors="replace")
    except OSError:
        return ""


def _command(pid: int) -> str:
    try:
        return Path(f"/proc/{pid}/cmdline").read_bytes().replace(b"\0", b" ").decode(errors="replace")
    except OSError:
        return "(gone)"
