"""Ports for processes that are about to start."""

import errno
import random
import socket
from typing import Final

LOOPBACK: Final = "127.0.0.1"

# Below the ephemeral ports (Linux from 32,768, RFC 6335 from 49,152), so that no connection takes a free
# port by chance before the process has started.
RANGE: Final = range(10_000, 32_000)
ATTEMPTS: Final = 1_000


def free_ports(count: int) -> list[int]:
    """Find distinct TCP ports on loopback that are free now; raises OSError."""
    found: list[int] = []
    for port in random.SystemRandom().sample(RANGE, ATTEMPTS):
        if len(found) == count:
            return found
        if _is_free(port):
            found.append(port)
    raise OSError(errno.EADDRINUSE, f"no {count} free ports on {LOOPBACK}")


def _is_free(port: int) -> bool:
    with socket.socket() as probe:
        try:
            probe.bind((LOOPBACK, port))
        except OSError:
            return False
        return True
