"""What the node says to systemd, by sd_notify(3), from a real process."""

import contextlib
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from pathlib import Path

from node.config.test_folder import make
from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.supervision import systemd
from sayso_node.supervision.systemd import ServiceManager
from support.waiting import DEADLINE_S


@contextlib.contextmanager
def listening(path: Path) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        heard.bind(str(path))
        heard.settimeout(DEADLINE_S)
        yield heard


def until(heard: socket.socket, words: str) -> str:
    """The next message with these words."""
    end = time.monotonic() + DEADLINE_S
    while time.monotonic() < end:
        said = heard.recv(4_096).decode()
        if words in said:
            return said
    raise AssertionError(words)


def test_a_node_tells_ready_alive_reloading_and_stopping(tmp_path: Path) -> None:
    http, peer = free_ports(2)
    folder = tmp_path / "node"
    address, listen = f"{LOOPBACK}:{http}", (f"/ip4/{LOOPBACK}/tcp/{peer}",)
    make(folder, http=address, listen=listen, rpc=f"http://{LOOPBACK}:1")
    with listening(tmp_path / "notify") as heard:
        process = subprocess.Popen(
            [sys.executable, "-m", "sayso", "node", "run", str(folder)],
            env=os.environ | {"NOTIFY_SOCKET": str(tmp_path / "notify"), "WATCHDOG_USEC": "900000"},
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            cwd=tmp_path,
        )
        try:
            until(heard, "READY=1")
            said = until(heard, "WATCHDOG=1")
            assert "STATUS=not ready: " in said
            process.send_signal(signal.SIGHUP)
            assert "MONOTONIC_USEC=" in until(heard, "RELOADING=1")
            until(heard, "READY=1")
            process.send_signal(signal.SIGSTOP)  # a loop that hangs says nothing more
            heard.setblocking(False)
            with contextlib.suppress(BlockingIOError):
                while heard.recv(4_096):
                    pass
            process.send_signal(signal.SIGCONT)
            heard.settimeout(DEADLINE_S)
            until(heard, "WATCHDOG=1")
        finally:
            process.send_signal(signal.SIGCONT)
            process.terminate()
            status = process.wait(DEADLINE_S)
        assert status == 0
        until(heard, "STOPPING=1")


def test_nobody_to_tell_ends_nothing(tmp_path: Path) -> None:
    nobody: list[Mapping[str, str]] = [
        {},
        *({"NOTIFY_SOCKET": one} for one in (str(tmp_path), "x" * 200)),
    ]
    for ours in nobody:
        ServiceManager(ours).tell("READY=1")


def test_a_watchdog_of_another_process_is_not_ours() -> None:
    for pid, text, expected in (
        (os.getpid(), "3000000", 3.0),
        (1, "3000000", 0.0),
        (os.getpid(), "-1", 0.0),
    ):
        manager = ServiceManager({"WATCHDOG_PID": str(pid), "WATCHDOG_USEC": text})
        assert manager._watchdog_s == expected
    assert systemd.LOOKS >= 2  # one may be late


def test_an_abstract_socket(tmp_path: Path) -> None:
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as heard:
        name = f"sayso-test-{os.getpid()}"
        heard.bind(f"\0{name}")
        heard.settimeout(DEADLINE_S)
        ServiceManager({"NOTIFY_SOCKET": f"@{name}"}).tell("READY=1", "STATUS=x")
        assert heard.recv(100) == b"READY=1\nSTATUS=x"
