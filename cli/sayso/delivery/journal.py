"""The folder of a watch: how far it came, what could not be delivered, and the secret.

`state.json` is replaced atomically after each delivery, so a process that dies delivers its last event
again and loses none. A letter is on the disk before the place moves past its event. One process at a
time holds the folder.
"""

import fcntl
import json
import os
from pathlib import Path
from typing import Any, Final, Literal, Self

from msgspec import Struct

from sayso.delivery.errors import OtherWatch
from sayso.errors import OutputFailed
from sayso.outputs import output_errors, write_file
from sayso_protocol.encoding.json_text import parse_json
from sayso_protocol.errors import SaysoError
from sayso_protocol.receipts.json_values import typed

STATE: Final = "state.json"
LETTERS: Final = "dead-letters.jsonl"
SECRET: Final = "webhook.secret"  # noqa: S105 - the name of a file
LOCK: Final = ".lock"
STATE_BYTES: Final = 1 << 20


class _State(Struct, forbid_unknown_fields=True):
    type: Literal["sayso-watch-1"]
    watched: dict[str, list[str]]
    place: str


class Journal:
    """Journal is the folder of a watch; use as a context manager.

    Args:
        folder: Made if it does not exist.
        watched: What is watched: lists of texts by name; a folder belongs to one of these.
    """

    def __init__(self, folder: Path, watched: dict[str, list[str]]) -> None:
        self._folder, self._watched = folder, watched
        self._lock = -1
        self.place: str | None = None

    @property
    def secret(self) -> Path:
        """Where the secret is, unless the user names another file."""
        return self._folder / SECRET

    def __enter__(self) -> Self:
        """Lock the folder and read the place; raises OtherWatch and OutputFailed."""
        with output_errors(self._folder):
            self._folder.mkdir(parents=True, exist_ok=True)
            self._lock = os.open(self._folder / LOCK, os.O_RDWR | os.O_CREAT, 0o600)
        try:
            fcntl.flock(self._lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            self.place = self._read()
        except OSError as error:
            self._close()
            raise OtherWatch(f"another process uses {str(self._folder)!r}") from error
        except BaseException:
            self._close()
            raise
        return self

    def __exit__(self, *_: object) -> None:
        self._close()

    def _close(self) -> None:
        os.close(self._lock)

    def _read(self) -> str | None:
        path = self._folder / STATE
        try:
            with path.open("rb") as file:
                data = file.read(STATE_BYTES)
        except FileNotFoundError:
            return None
        try:
            state = typed(parse_json(data), _State)
        except SaysoError as error:
            raise OtherWatch(f"{str(path)!r} is not the state of a watch: {error}") from error
        if state.watched != self._watched:
            raise OtherWatch(
                f"{str(self._folder)!r} belongs to a watch of something else; name another --state"
            )
        return state.place

    def move(self, place: str) -> None:
        """Note that everything up to a place was delivered or laid aside; raises OutputFailed."""
        state = {"type": "sayso-watch-1", "watched": self._watched, "place": place}
        write_file(self._folder / STATE, json.dumps(state, indent=1).encode() + b"\n")
        self.place = place

    def lay_aside(self, letter: dict[str, Any]) -> None:
        """Append an event that could not be delivered; raises OutputFailed."""
        path = self._folder / LETTERS
        line = json.dumps(letter).encode() + b"\n"
        with output_errors(path):
            descriptor = os.open(path, os.O_RDWR | os.O_CREAT | os.O_APPEND, 0o600)
            try:
                size = os.fstat(descriptor).st_size
                if size and os.pread(descriptor, 1, size - 1) != b"\n":
                    line = b"\n" + line  # a process died within its last line
                if os.write(descriptor, line) != len(line):
                    raise OutputFailed(f"cannot write {str(path)!r}: the disk is full")
                os.fsync(descriptor)
            finally:
                os.close(descriptor)
