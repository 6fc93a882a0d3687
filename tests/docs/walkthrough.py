"""Runs the shell blocks of a document one after the other in one shell, as a reader would.

Blocks marked `sh run` are run; a block marked `text` behind one shows what was seen. Only the ports
differ from what is written, so that two of these can run beside each other.
"""

import os
import re
import signal
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from docs.markdown import Block, blocks
from sayso.demo.ports import free_ports

DEADLINE_S: Final = 400.0  # a whole page, of dozens of commands, on a busy machine
TOLD: Final = 4_000  # characters of a log
RUN: Final = "sh run"
SEEN: Final = "text"
_MARK: Final = "=== end of block"
_PORT: Final = re.compile(r"(?<=127\.0\.0\.1:)\d+|(?<=/tcp/)\d+|(?<=--port )\d+")

# What differs from run to run. Documents may shorten a long number to its ends: 0x12ab...cd34.
_VOLATILE: Final = (
    (re.compile(r"\b0x[0-9a-fA-F]+(\.\.\.[0-9a-fA-F]+)?"), "0x#"),
    (re.compile(r"\b12D3KooW\w*(\.\.\.\w+)?"), "#"),
    (re.compile(r"\b([0-9a-f]{32,}|[0-9a-f]{4}\.\.\.[0-9a-f]{4})\b"), "#"),
    (re.compile(r"\d{4}-\d\d-\d\d \d\d:\d\d(:\d\d)?"), "#"),
    (re.compile(r"\bblock( +)[\d,]+"), r"block\1#"),
    (re.compile(r"[\d,]+ gas, [\d.]+ coins"), "# gas, # coins"),
    (_PORT, "#"),
)


@dataclass(frozen=True)
class Step:
    """A block that is run, and the block that shows what was seen, if there is one."""

    command: Block
    shown: Block | None


def steps(text: str) -> list[Step]:
    """The steps of a document."""
    found = list(blocks(text))
    following = [*found[1:], None]
    return [
        Step(block, after if after and after.info == SEEN else None)
        for block, after in zip(found, following, strict=True)
        if block.info == RUN
    ]


def walk(way: Sequence[Step], folder: Path) -> list[str]:
    """Run all steps in a folder; what each wrote to standard output. Fails if one of them fails."""
    script = "set -e\n" + "".join(f"{one.command.text}echo '{_MARK}'\n" for one in way)
    (folder / ".walkthrough").write_text(_on_free_ports(script))
    with (folder / ".seen").open("w") as seen, (folder / ".errors").open("w") as errors:
        shell = subprocess.Popen(
            ["bash", ".walkthrough"],
            cwd=folder,
            env=environment(),
            stdin=subprocess.DEVNULL,
            stdout=seen,
            stderr=errors,
            start_new_session=True,
        )
        try:
            status: int | None = shell.wait(DEADLINE_S)
            left = _is_alive(shell.pid)
        except subprocess.TimeoutExpired:
            status, left = None, True
        finally:
            _end(shell)
    outputs = (folder / ".seen").read_text().split(f"{_MARK}\n")
    assert status == 0, f"status {status}\n{outputs[-1]}\n{_told(folder)}"
    assert not left, "the document leaves something running"
    return outputs[:-1]


def _told(folder: Path) -> str:
    """What was said elsewhere: on standard error, and in the logs of what ran in the background."""
    files = [folder / ".errors", *sorted(folder.glob("*.log"))]
    return "\n".join(f"{path.name}: {path.read_text()[-TOLD:]}" for path in files)


def stable(line: str) -> str:
    """A line without what differs from run to run."""
    for pattern, replacement in _VOLATILE:
        line = pattern.sub(replacement, line)
    return line


def missing(shown: str, seen: str) -> list[str]:
    """The lines that a document shows and nobody saw, in this order; `...` stands for anything."""
    rest = iter([stable(line) for line in seen.splitlines()])
    absent = []
    for line in shown.splitlines():
        form = ".*".join(map(re.escape, stable(line).split("...")))
        if line.strip() != "..." and not any(re.fullmatch(form, one) for one in rest):
            absent.append(line)
    return absent


def _on_free_ports(script: str) -> str:
    written = sorted(set(_PORT.findall(script)))
    free = dict(zip(written, map(str, free_ports(len(written))), strict=True))
    return _PORT.sub(lambda match: free[match[0]], script)


def environment() -> dict[str, str]:
    """The caller's, with our own `sayso` first and none of its settings."""
    kept = {name: value for name, value in os.environ.items() if not name.startswith("SAYSO_")}
    bin_folder = str(Path(sys.executable).parent)
    return {**kept, "PATH": os.pathsep.join([bin_folder, kept.get("PATH", os.defpath)])}


def _is_alive(group: int) -> bool:
    try:
        os.killpg(group, 0)
    except ProcessLookupError:
        return False
    return True


def _end(shell: subprocess.Popen[bytes]) -> None:
    """Whatever the shell started in its session; nodes take their own children with them."""
    if _is_alive(shell.pid):
        os.killpg(shell.pid, signal.SIGKILL)
    shell.wait()
