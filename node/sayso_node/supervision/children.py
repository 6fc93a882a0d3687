"""Starts Python modules as child processes; only `sayso watch --exec` starts any other program.

A child runs `python -P -m MODULE`, so no file of the working folder is imported. Its environment has
the names in INHERITED only: no key, password or endpoint of this process. What a child must know, it
gets in its arguments if everybody may read it, and otherwise over a pipe or socket.
"""

import os
import sys
from asyncio import CancelledError, create_subprocess_exec
from asyncio.subprocess import DEVNULL, PIPE, Process
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import IO, Final

import msgspec

INHERITED: Final = frozenset(
    {"HOME", "LANG", "LC_ALL", "LC_CTYPE", "LD_LIBRARY_PATH", "PATH", "TMPDIR", "TZ"}
    | {"SAYSO_LOG"}  # the form of the log
    | {"SSL_CERT_FILE", "SSL_CERT_DIR"}  # of a private authority, for a gossip process that dials by TLS
)

Stream = int | IO[bytes] | None


def environment(ours: Mapping[str, str] = os.environ) -> dict[str, str]:
    """Return the part of this process's environment that children get."""
    given = {name: ours[name] for name in sorted(INHERITED & ours.keys())}
    if path := _python_path(ours.get("PYTHONPATH", "")):
        given["PYTHONPATH"] = path
    return given


def _python_path(ours: str) -> str:
    """Leave out what means the working folder, also by a relative name or an empty one."""
    here = Path.cwd()
    return os.pathsep.join(
        one for one in ours.split(os.pathsep) if Path(one).is_absolute() and Path(one) != here
    )


async def start_module(
    module: str,
    *arguments: str,
    stdin: Stream = DEVNULL,
    stdout: Stream = None,
    stderr: Stream = None,
    pass_fds: Sequence[int] = (),
    start_new_session: bool = False,
) -> Process:
    """Start `python -P -m MODULE ARGUMENTS`; raises OSError if the process cannot be started.

    Args:
        module: Full name of an installed module.
        arguments: Its arguments, which other users of the machine can read: no secrets.
        stdin: Where its input comes from, nowhere by default; see asyncio.create_subprocess_exec.
        stdout: Where its output goes, by default where ours goes.
        stderr: Where its errors go, by default where ours go.
        pass_fds: Descriptors that the child inherits under the same numbers.
        start_new_session: Whether a Ctrl-C for us does not reach the child.
    """
    return await create_subprocess_exec(
        *(sys.executable, "-P", "-m", module, *arguments),
        stdin=stdin,
        stdout=stdout,
        stderr=stderr,
        pass_fds=pass_fds,
        start_new_session=start_new_session,
        env=environment(),
    )


async def answer_of(module: str, order: object) -> tuple[int, bytes]:
    """Give a module an order as JSON; returns its status and its output.

    The process is killed when this task is cancelled. Raises OSError if it cannot be started.
    """
    child = await start_module(module, stdin=PIPE, stdout=PIPE)
    try:
        output, _ = await child.communicate(msgspec.json.encode(order))
    except CancelledError:
        if child.returncode is None:
            child.kill()
        await child.wait()
        raise
    return child.returncode or 0, output
