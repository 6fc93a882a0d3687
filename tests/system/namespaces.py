"""Networks of the test's own: Linux network namespaces that vanish with the processes that hold them.

with Namespace() as one, Namespace() as other:
    join(one, "10.77.0.1", other, "10.77.0.254")
    with one.inside():
        subprocess.Popen(...)       # lives in there
"""

import ctypes
import os
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from subprocess import DEVNULL, PIPE
from types import TracebackType
from typing import Final, Self

from support.waiting import DEADLINE_S

CLONE_NEWNET: Final = 0x40000000  # sched.h
OWN: Final = Path("/proc/thread-self/ns/net")

_libc = ctypes.CDLL(None, use_errno=True)
_numbers = count()


class Namespace:
    """One network: it has nothing but its loopback until it is joined to others."""

    def __init__(self) -> None:
        # It ends when its input closes: with us at the latest.
        self._holder = subprocess.Popen(["unshare", "--net", "cat"], stdin=PIPE, stdout=DEVNULL)
        self.path = Path(f"/proc/{self._holder.pid}/ns/net")
        end = time.monotonic() + DEADLINE_S
        while not self._is_made():
            assert self._holder.poll() is None, "network namespaces need root on Linux"
            assert time.monotonic() < end, "the namespace was not made"
            time.sleep(0.005)
        self.ip("link", "set", "lo", "up")

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        assert self._holder.stdin
        self._holder.stdin.close()
        self._holder.wait(DEADLINE_S)

    def _is_made(self) -> bool:
        try:
            return self.path.readlink() != OWN.readlink() and self._name() == "cat"
        except FileNotFoundError:
            return False

    def _name(self) -> str:
        return Path(f"/proc/{self._holder.pid}/comm").read_text().strip()

    def ip(self, *arguments: str) -> None:
        """Run `ip` in here (iproute2)."""
        subprocess.run(["nsenter", f"--net={self.path}", "ip", *arguments], check=True)

    @contextmanager
    def inside(self) -> Iterator[None]:
        """Whatever this thread opens or starts in the block is in here, for as long as that lives."""
        before, here = (os.open(path, os.O_RDONLY) for path in (OWN, self.path))
        try:
            _enter(here)
            yield
        finally:
            _enter(before)
            os.close(here)
            os.close(before)


def join(one: Namespace, address: str, other: Namespace, other_address: str) -> str:
    """A cable between two; returns the name of its end in the first, to pull it."""
    number = next(_numbers)
    ends = (f"a{number}", f"b{number}")
    one.ip("link", "add", ends[0], "type", "veth", "peer", "name", ends[1], "netns", str(other.path))
    for place, end, own in ((one, ends[0], address), (other, ends[1], other_address)):
        place.ip("address", "add", f"{own}/24", "dev", end)
        place.ip("link", "set", end, "up")
    return ends[0]


def _enter(namespace: int) -> None:
    if _libc.setns(namespace, CLONE_NEWNET):
        number = ctypes.get_errno()
        raise OSError(number, os.strerror(number))
