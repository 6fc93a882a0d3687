"""A real PostgreSQL server for tests, on a socket of its own; it listens to no network."""

import contextlib
import os
import pwd
import shutil
import signal
import subprocess
import tempfile
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from itertools import count
from pathlib import Path
from unittest import mock

import psycopg

from sayso_node.store.postgres import session
from support import machine

USER = "sayso"
READY_POLL_S = 0.02
_VERSIONS = Path("/usr/lib/postgresql")  # where Debian puts the programs of each
_MEMORY = Path("/dev/shm")
_ROOM = 2**30  # bytes that a server of tests may need
_SETTINGS = {
    "listen_addresses": "",
    "unix_socket_permissions": "0777",
    "max_connections": "100",
    "autovacuum": "off",
    "jit": "off",
}


def _program(name: str) -> str:
    found = sorted(_VERSIONS.glob(f"*/bin/{name}"), key=lambda path: float(path.parts[4]))
    return str(found[-1]) if found else machine.lacks("PostgreSQL (Debian: apt-get install postgresql)")


def _as_user(command: Sequence[str]) -> list[str]:
    """The command, by a user that may run it: PostgreSQL refuses root."""
    if os.getuid():
        return [*command]
    return [
        shutil.which("setpriv") or "setpriv",
        "--reuid=postgres",
        "--regid=postgres",
        "--clear-groups",
        *command,
    ]


def _children(pid: int) -> list[int]:
    return [int(one) for one in Path(f"/proc/{pid}/task/{pid}/children").read_text().split()]


def _runs(pid: int) -> bool:
    """Return whether a process runs; one that has ended may wait for its parent."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except (FileNotFoundError, ProcessLookupError):
        return False


class Server:
    """A server in a folder."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._names = (f"store{number}" for number in count())
        self._process: subprocess.Popen[bytes] | None = None

    def start(self) -> None:
        """Start, and wait until the server accepts connections."""
        options = [part for name, value in _SETTINGS.items() for part in ("-c", f"{name}={value}")]
        command = [
            _program("postgres"),
            "-D",
            str(self.folder / "data"),
            "-k",
            str(self.folder),
            *options,
        ]
        with (self.folder / "log").open("ab") as log:
            self._process = subprocess.Popen(
                _as_user(command), stdout=log, stderr=log, start_new_session=True
            )
        ready = [_program("pg_isready"), "-h", str(self.folder), "-q"]
        while subprocess.run(ready, check=False).returncode:
            if self._process.poll() is not None:
                raise AssertionError((self.folder / "log").read_text())
            time.sleep(READY_POLL_S)

    def stop(self, how: signal.Signals = signal.SIGINT) -> None:
        """End the server: fast by SIGINT, as in a power cut by SIGKILL."""
        assert self._process
        if how == signal.SIGKILL:
            # Each session has a process group of its own, and would commit what it was just told to.
            sessions = _children(self._process.pid)
            for pid in (self._process.pid, *sessions):
                with contextlib.suppress(ProcessLookupError):
                    os.kill(pid, how)
            self._process.wait()
            while any(map(_runs, sessions)):
                pass
        else:
            self._process.send_signal(how)
            self._process.wait()

    @property
    def dsn(self) -> str:
        """The location of the server's own database."""
        return f"postgresql://{USER}@/postgres?host={self.folder}"

    def schema(self) -> str:
        """Make an empty schema, which is as good as a database and made faster; returns its location."""
        name = next(self._names)
        with psycopg.connect(self.dsn, autocommit=True) as db:
            db.execute(f"CREATE SCHEMA {name}")
        return f"{self.dsn}&options=-csearch_path%3D{name}"


def _place() -> Path | None:
    """Return where a server's folder is made; None means the folder of temporary files."""
    has_room = _MEMORY.is_dir() and shutil.disk_usage(_MEMORY).free >= _ROOM
    return _MEMORY if has_room and os.access(_MEMORY, os.W_OK) else None


@contextmanager
def postgres() -> Iterator[Server]:
    """Run a fresh server, in memory where there is room: tables then cost a quarter of the CPU time."""
    folder = Path(tempfile.mkdtemp(prefix="sayso-postgres-", dir=_place()))
    try:
        if not os.getuid():
            owner = pwd.getpwnam("postgres")
            os.chown(folder, owner.pw_uid, owner.pw_gid)
        folder.chmod(0o755)
        init = [_program("initdb"), "-D", str(folder / "data"), "-U", USER, "-A", "trust", "-N"]
        subprocess.run(
            _as_user([*init, "--encoding=UTF8", "--locale=C"]), check=True, stdout=subprocess.DEVNULL
        )
        server = Server(folder)
        server.start()
        try:
            yield server
        finally:
            server.stop()
    finally:
        shutil.rmtree(folder, ignore_errors=True)


@contextmanager
def refusing_soon() -> Iterator[None]:
    """Refuse at once what somebody has who lives on; else a node waits for the end of that session."""
    with mock.patch.object(session, "_WAIT", "100ms"):
        yield
