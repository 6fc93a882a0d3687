"""The systemd unit, run by systemd itself: started, watched, reloaded, started again, and stopped.

    AS=root BOOT=1 tests/bare/run.sh bookworm "python3 tests/bare/service.py"

The node is made and installed as docs/how-to/operator-run-a-node.md says, "As a service" included. Only
Python's standard library is used.
"""

import os
import re
import signal
import subprocess
import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from bare.guide import HERE, ask, eventually, make, run, say, told

URL = "http://127.0.0.1:8600"
NOBODY = 0


def shown(name: str) -> str:
    """A property of the unit."""
    command = ["systemctl", "show", "--value", f"--property={name}", "sayso"]
    return subprocess.run(command, capture_output=True, text=True, check=True).stdout.strip()


def main_process() -> int:
    return int(shown("MainPID"))


def is_ready() -> bool:
    try:
        return ask(f"{URL}/readyz")[0] == 200
    except OSError:
        return False


def process_status(pid: int, name: str) -> list[str]:
    """A line of /proc/PID/status."""
    text = Path(f"/proc/{pid}/status").read_text()
    found = re.search(rf"^{name}:\s*(.*)$", text, re.MULTILINE)
    assert found
    return found[1].split()


def check_hardened(pid: int) -> None:
    """It is nobody's root, can never become it, and sees a system that nothing can be written to."""
    uid = process_status(pid, "Uid")
    assert set(uid) != {"0"}, uid
    assert process_status(pid, "CapEff") == ["0" * 16]
    assert process_status(pid, "CapBnd") == ["0" * 16]
    assert process_status(pid, "NoNewPrivs") == ["1"]
    assert process_status(pid, "Seccomp") == ["2"]
    for folder in ("usr", "opt/sayso", "etc", "root", "home"):
        path = f"/{folder}/x"
        touched = subprocess.run(
            ["nsenter", "--target", str(pid), "--mount", "touch", path],
            capture_output=True,
            text=True,
            check=False,
        )
        assert touched.returncode, path
        say(touched.stderr.strip())


def restarted(before: int, what: str) -> int:
    """Wait until systemd runs another process that is ready."""
    eventually(what, lambda: main_process() not in (NOBODY, before) and is_ready())
    say(f"restarts: {shown('NRestarts')}, result before: {shown('Result')}")
    return main_process()


def main() -> None:
    """Follow the page, and do to the service what happens to services."""
    chain, _ = make()
    run(told("systemd-sysusers"), HERE)  # returns when the node has said READY=1
    assert (shown("ActiveState"), shown("SubState")) == ("active", "running")
    eventually("the node is ready", is_ready)
    eventually("systemd shows that it is ready", lambda: shown("StatusText") == "ready")
    first = main_process()
    check_hardened(first)
    run("systemctl reload sayso", HERE)
    assert main_process() == first
    os.kill(first, signal.SIGKILL)
    second = restarted(first, "it is started again after kill -9")
    os.kill(second, signal.SIGSTOP)
    third = restarted(second, "the watchdog has ended a process that hangs, and another runs")
    chain.terminate()
    chain.wait()
    eventually("systemd shows why it is not ready", lambda: "chain-unread" in shown("StatusText"))
    assert main_process() == third
    run("systemctl stop sayso", HERE)
    assert (shown("ActiveState"), shown("Result")) == ("inactive", "success")
    run("journalctl --unit sayso --no-pager --output cat --lines 12", HERE)
    say("systemd keeps the node running")


if __name__ == "__main__":
    main()
