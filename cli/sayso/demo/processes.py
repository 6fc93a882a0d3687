"""The demo's processes, which never outlive the demo.

Each child's standard input is a pipe that only the demo holds. If the demo is killed, the pipe closes
and the child ends by itself.
"""

import asyncio
import contextlib
import os
import signal
from pathlib import Path
from typing import Final, Self

from sayso.errors import DemoFailed
from sayso_node.supervision.children import start_module

STOP_S: Final = 10.0


class Child:
    """Child is a process that runs a Python module."""

    def __init__(self, name: str, process: asyncio.subprocess.Process, log: Path) -> None:
        self.name = name
        self._process = process
        self._log = log

    @classmethod
    async def start(cls, name: str, log: Path, module: str, *arguments: str) -> Self:
        """Run a module; standard error goes to the log, standard output to first_line()."""
        with log.open("ab") as errors:
            process = await start_module(
                module,
                *arguments,
                stdin=asyncio.subprocess.PIPE,
                stdout=asyncio.subprocess.PIPE,
                stderr=errors,
                start_new_session=True,  # Ctrl-C reaches only the demo, which ends its children in order
            )
        return cls(name, process, log)

    @property
    def pid(self) -> int:
        """Return the process id."""
        return self._process.pid

    @property
    def running(self) -> bool:
        """Return whether the process still runs."""
        return self._process.returncode is None

    async def first_line(self, patience_s: float) -> str:
        """Read the first line of its output; raises DemoFailed with the end of its log."""
        assert self._process.stdout  # noqa: S101 - it was started with a pipe
        try:
            async with asyncio.timeout(patience_s):
                line = await self._process.stdout.readline()
        except TimeoutError:
            line = b""
        if not line:
            raise DemoFailed(f"{self.name} did not start. {self.last_words()}")
        return line.decode()

    def last_words(self) -> str:
        """Return the last three lines of its log."""
        lines = self._log.read_text(errors="replace").strip().splitlines()
        return " / ".join(lines[-3:])

    async def kill(self) -> None:
        """Send SIGKILL, and wait for the end of the process."""
        await self._signal(signal.SIGKILL)

    async def stop(self) -> None:
        """Send SIGTERM, and SIGKILL if the process does not end in time."""
        try:
            async with asyncio.timeout(STOP_S):
                await self._signal(signal.SIGTERM)
        except TimeoutError:
            await self.kill()

    async def _signal(self, number: signal.Signals) -> None:
        if self.running:
            with contextlib.suppress(ProcessLookupError):
                os.kill(self.pid, number)
            await self._process.wait()
