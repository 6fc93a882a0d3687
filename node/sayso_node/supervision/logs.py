"""The log of a process: one event a line, as text or JSON, in UTC; no secrets, no people, bounded.

    log = logger(__name__)
    log.warning("chain-unread", error=error)

The names of events are stable (log_events.py). Nobody is named: addresses and hashes of messages are
left out, and of URLs all but the host. A line that repeats within LINES_S is counted instead of
written, and so is what one event writes beyond LINES; a later line of the event has the count as
`left_out`. Control characters are escaped, because strangers choose parts of lines.
"""

import logging
import os
import re
import time
from collections.abc import Callable, Mapping, MutableMapping
from typing import Any, Final

import structlog
from cachetools import LRUCache
from structlog.stdlib import BoundLogger, LoggerFactory, ProcessorFormatter, filter_by_level

from sayso_node.supervision.log_events import LOG_EVENTS
from sayso_protocol.redaction import HIDDEN, redacted

FORM: Final = "SAYSO_LOG"  # the variable of the environment: `text` or `json`; children inherit it
_JSON: Final = "json"
LINES: Final = 30  # of one event, with or without a traceback
LINES_S: Final = 60.0
LINE_CHARS: Final = 16_384  # of one line with its traceback
VALUE_CHARS: Final = 2_048  # of each value but the traceback
REMEMBERED: Final = 1_024  # lines that are known again, and events of libraries
_CONTROL: Final = re.compile(r"[\x00-\x09\x0b-\x1f\x7f-\x9f\u2028\u2029]")
_UNPLAIN: Final = re.compile(r'[\s"=]')
_BREAK: Final = re.compile(r"\n")
_PERSONAL: Final = re.compile(r"0x[0-9a-fA-F]{40,}")  # addresses, hashes of messages, signatures, keys
_PASSWORD: Final = re.compile(r"(?i)\b(password|passwd|pwd|secret|token)(\s*[=:]\s*)[^\s,;'\"]+")

Event = MutableMapping[str, Any]


def logger(name: str) -> BoundLogger:
    """Return the logger of a module, whose methods take the name of an event and named values."""
    wrapped: BoundLogger = structlog.wrap_logger(
        LoggerFactory()(name),
        processors=[filter_by_level, ProcessorFormatter.wrap_for_formatter],
        wrapper_class=BoundLogger,
    )
    return wrapped


class LineFormatter(ProcessorFormatter):
    """Formats lines so that they can be read and shown to others; raises nothing."""

    def __init__(self, *, as_json: bool = False) -> None:
        render = structlog.processors.JSONRenderer(ensure_ascii=False) if as_json else _text
        super().__init__(
            processors=[
                _described,
                structlog.stdlib.add_log_level,
                structlog.processors.TimeStamper(fmt="iso", utc=True, key="time"),
                structlog.processors.format_exc_info,
                ProcessorFormatter.remove_processors_meta,
                _cleaned,
                render,
            ],
            foreign_pre_chain=[_of_library],
            use_get_message=True,
        )


class RateLimit(logging.Filter):
    """Lets only so many lines of one event pass, each of them once; memory is bounded."""

    def __init__(self, now: Callable[[], float] = time.monotonic) -> None:
        super().__init__()
        self._now = now
        self._events: LRUCache[object, list[float]] = LRUCache(REMEMBERED)  # since when, lines, left out
        self._lines: LRUCache[tuple[object, str], float] = LRUCache(REMEMBERED)  # when each was written

    def filter(self, record: logging.LogRecord) -> bool:
        """Return whether the line is written."""
        now, event = self._now(), _event_of(record)
        place = self._events.setdefault(event, [now, 0, 0])
        if now - place[0] >= LINES_S:
            place[:2] = now, 0
        line = event, record.getMessage()
        written = self._lines.get(line)
        if place[1] >= LINES or (written is not None and now - written < LINES_S):
            place[2] += 1
            return False
        self._lines[line] = now
        place[1] += 1
        if place[2]:
            record.left_out = int(place[2])
            place[2] = 0
        return True


def set_up_log(*, verbose: bool, form: str | None = None) -> None:
    """Log to standard error; the libp2p library logs only its warnings and errors.

    Args:
        verbose: Whether more than what goes wrong is logged.
        form: `text` or `json`, for child processes, too; by default what SAYSO_LOG says.
    """
    if form:
        os.environ[FORM] = form
    handler = logging.StreamHandler()
    handler.setFormatter(LineFormatter(as_json=os.environ.get(FORM) == _JSON))
    handler.addFilter(RateLimit())
    logging.basicConfig(level=logging.INFO if verbose else logging.WARNING, handlers=[handler])


def _event_of(record: logging.LogRecord) -> object:
    if isinstance(record.msg, Mapping):
        return record.msg.get("event")
    return record.pathname, record.lineno  # of a library


def _of_library(_: Any, __: str, event: Event) -> Event:
    return {**event, "event": "library", "message": event["event"]}


def _described(_: Any, __: str, event: Event) -> Event:
    """Put the meaning beside the name, where it comes from, and how much was left out before."""
    record: logging.LogRecord = event["_record"]
    values = {name: value for name, value in event.items() if name != "event"}
    left_out = getattr(record, "left_out", 0)
    return {
        "event": event["event"],
        "meaning": LOG_EVENTS.get(event["event"], ""),
        "logger": record.name,
        **values,
        **({"left_out": left_out} if left_out else {}),
    }


def _cleaned(_: Any, __: str, event: Event) -> Event:
    """Bound each value, and leave out secrets and people."""
    return {
        name: value
        if isinstance(value, bool | int | float)
        else _clean(_shown(value), LINE_CHARS // 2 if name == "exception" else VALUE_CHARS)
        for name, value in event.items()
    }


def _shown(value: object) -> str:
    if isinstance(value, BaseException):
        return str(value) if getattr(value, "code", None) else f"{type(value).__name__}: {value}"
    if isinstance(value, list | tuple | set | frozenset):
        return ", ".join(map(str, sorted(value, key=str)))
    return str(value)


def _clean(text: str, most: int) -> str:
    text = _PASSWORD.sub(rf"\1\2{HIDDEN}", _PERSONAL.sub(f"0x{HIDDEN}", redacted(text)))
    return _CONTROL.sub(_escaped, _shortened(text, most))


def _text(_: Any, __: str, event: Event) -> str:
    """Render a line for people; a traceback follows on lines of its own."""
    event = dict(event)
    trace = event.pop("exception", "")
    head = f"{event.pop('time')} {event.pop('level').upper()} {event.pop('event')}"
    meaning, _logger = event.pop("meaning"), event.pop("logger")
    values = "".join(f" {name}={_quoted(value)}" for name, value in event.items())
    line = _BREAK.sub(_escaped, f"{head}: {meaning}{';' if values else ''}{values}")
    return _shortened(f"{line}\n{trace}" if trace else line, LINE_CHARS)


def _shortened(text: str, most: int) -> str:
    return text if len(text) <= most else f"{text[: most // 2]} [...] {text[-most // 2 :]}"


def _quoted(value: object) -> str:
    text = str(value)
    is_plain = text and not _UNPLAIN.search(text)
    return text if is_plain else '"' + text.replace('"', "'") + '"'


def _escaped(match: "re.Match[str]") -> str:
    return f"\\x{ord(match[0]):02x}"
