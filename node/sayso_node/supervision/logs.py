"""The log of a process: lines without secrets and of bounded length, however many strangers cause.

Each place in the code may write LINES lines in LINES_S; what is more is counted, and the count is
written with a later line of that place. Control characters are escaped, because strangers choose parts
of lines.
"""

import logging
import re
import time
from collections.abc import Callable
from typing import Final

from sayso_protocol.redaction import redacted

LOG_FORMAT: Final = "%(asctime)s %(levelname)s %(name)s: %(message)s"
LINES: Final = 30  # of one place in the code, with or without a traceback
LINES_S: Final = 60.0
LINE_CHARS: Final = 16_384  # of one line with its traceback
_CONTROL: Final = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f]")
_BREAK: Final = re.compile(r"[\r\n]")


class LineFormatter(logging.Formatter):
    """Formats lines so that they can be read and shown to others."""

    def formatMessage(self, record: logging.LogRecord) -> str:  # noqa: N802 - of logging
        """Escape line breaks in the message; those of a traceback come later and stay."""
        return _BREAK.sub(_escaped, super().formatMessage(record))

    def format(self, record: logging.LogRecord) -> str:
        """Return the line, without secrets."""
        text = super().format(record)
        if len(text) > LINE_CHARS:
            text = f"{text[: LINE_CHARS // 2]} [...] {text[-LINE_CHARS // 2 :]}"
        return _CONTROL.sub(_escaped, redacted(text))


class RateLimit(logging.Filter):
    """Lets only so many lines of one place pass; the number of places is that of the code's."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._places: dict[tuple[str, int], list[float]] = {}  # start of the window, lines, left out

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written."""
        now = self._now()
        place = self._places.setdefault((record.pathname, record.lineno), [now, 0, 0])
        if now - place[0] >= LINES_S:
            if place[2]:
                record.msg = f"[{place[2]:.0f} lines like this were left out] {record.msg}"
            place[:] = [now, 0, 0]
        place[1] += 1
        if place[1] <= LINES:
            return True
        place[2] += 1
        return False


def set_up_log(*, verbose: bool) -> None:
    """Log to standard error; the libp2p library logs only its warnings and errors."""
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(LOG_FORMAT))
    handler.addFilter(RateLimit())
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


def _escaped(match: "re.Match[str]") -> str:
    return f"\\x{ord(match[0]):02x}"
