"""Tells systemd how the node is (sd_notify(3)): ready, reloading, stopping, and that its loop turns.

Without NOTIFY_SOCKET nothing is said. With WATCHDOG_USEC, a loop that hangs says nothing, and systemd
starts the node again.
"""

import contextlib
import os
import socket
import time
from collections.abc import Callable, Mapping
from typing import Final

from sayso_node.supervision.retrying import every

STATUS_EVERY_S: Final = 30.0  # where there is no watchdog
LOOKS: Final = 3  # within the time after which systemd ends a process that says nothing


class ServiceManager:
    """The service manager that started this process, if there is one."""

    def __init__(self, ours: Mapping[str, str] = os.environ) -> None:
        self._address = ours.get("NOTIFY_SOCKET", "")
        meant = ours.get("WATCHDOG_PID", str(os.getpid())) == str(os.getpid())
        text = ours.get("WATCHDOG_USEC", "")
        self._watchdog_s = int(text) / 1e6 if meant and text.isdecimal() else 0.0

    def tell(self, *assignments: str) -> None:
        """Send assignments such as READY=1; that nobody hears them ends nothing."""
        if not self._address:
            return
        address = "\0" + self._address[1:] if self._address.startswith("@") else self._address
        with (
            contextlib.suppress(OSError),
            socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM | socket.SOCK_CLOEXEC) as line,
        ):
            line.settimeout(0)
            line.sendto("\n".join(assignments).encode(), address)

    def reloading(self) -> None:
        """Say that the settings are read again; READY=1 has to follow."""
        self.tell("RELOADING=1", f"MONOTONIC_USEC={time.monotonic_ns() // 1000}")

    async def watch(self, status: Callable[[], str]) -> None:
        """Say until cancelled that the event loop turns, and how the node is."""
        async for _ in every(self._watchdog_s / LOOKS or STATUS_EVERY_S):
            self.tell("WATCHDOG=1", f"STATUS={status()}")
