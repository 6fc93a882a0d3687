"""Remembers that a store is damaged, from the first read that noticed it until it is repaired.

It is remembered beside the store, too, so that a node that is started again does not speak either.
"""

import contextlib
from collections.abc import Callable
from pathlib import Path

from sayso_protocol.redaction import reason_of

_SUFFIX = ".damaged"


class Damage:
    """What was found; usable in any thread.

    Args:
        path: Path of the store, beside which the note stands; None for a store on a server, of which
            nothing is noted.
    """

    def __init__(self, path: Path | None) -> None:
        self._note = path.with_name(path.name + _SUFFIX) if path else None
        self._text: str | None = None
        self._listener: Callable[[], object] | None = None

    @property
    def text(self) -> str | None:
        """What was found first; None if nothing was."""
        return self._text

    def noted(self) -> str | None:
        """Return what is noted beside the store; None if nothing is."""
        if self._note is None:
            return None
        try:
            return self._note.read_text(errors="replace").strip() or "noted without a reason"
        except FileNotFoundError:
            return None
        except OSError as error:  # another user may have noted it
            return f"noted in {self._note.name}, which cannot be read: {reason_of(error)}"

    def load(self) -> None:
        """Read the note that another process, or this one before, has left."""
        self._text = self.noted()

    def listen(self, listener: Callable[[], object]) -> None:
        """Call this, in any thread, whenever damage is found."""
        self._listener = listener

    def report(self, text: str) -> None:
        """Record what was found; what was found first stays."""
        if self._text is None:
            self._text = text
            if self._note is not None:
                with contextlib.suppress(OSError):  # a full or broken disk must not hide the damage
                    self._note.write_text(text + "\n")
        if self._listener:
            self._listener()

    def repaired(self) -> None:
        """Record that everything was compared and is right again."""
        if self._note is not None:
            with contextlib.suppress(OSError):
                self._note.unlink(missing_ok=True)
        self._text = None
