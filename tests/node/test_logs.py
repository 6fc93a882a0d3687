"""What strangers do writes bounded lines, and no line shows a secret or looks like two."""

import asyncio
import io
import logging
import socket
import struct
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from node.api.process import node_process
from sayso_node import app
from sayso_node.gossip import child
from sayso_node.supervision import logs
from sayso_node.supervision.logs import LINE_CHARS, LINES, LINES_S, LineFormatter, RateLimit

RESET = struct.pack("ii", 1, 0)
HEAD = b"POST /v1/%s HTTP/1.1\r\nHost: x\r\n"
SIZE = b"Content-Length: 99\r\n"
JSON, PACKED = b"Content-Type: application/json\r\n", b"Content-Type: application/msgpack\r\n"
UNFINISHED = (
    HEAD % b"typed-data/revocation" + JSON + SIZE + b"\r\n{",
    HEAD % b"nothing" + SIZE + b"\r\n{",
    HEAD % b"check" + b"Content-Type: text/plain\r\n" + SIZE + b"\r\n{",
    HEAD % b"messages" + PACKED + SIZE + b"Content-Encoding: gzip\r\n\r\nabc",
    HEAD % b"messages" + PACKED + SIZE + b"Content-Encoding: deflate\r\n\r\nabc",
    HEAD % b"check" + JSON + b"Content-Encoding: gzip\r\n" + SIZE + b"\r\n" + bytes(50),
    HEAD % b"check" + JSON + b"Transfer-Encoding: chunked\r\n\r\n5\r\nab",
    HEAD % b"check" + JSON + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nab",
    HEAD % b"check" + JSON + b"Expect: nonsense\r\n" + SIZE + b"\r\n",
    b"GET /healthz HTTP/1.1\r\nHost: x\r\n" + SIZE + b"\r\n{",
    b"GET /%0aERROR%20sayso:%20all%20is%20lost HTTP/1.1\r\n\r\n",
    b"\x16\x03\x01\x02\x00\x01\x00",
    b"GET /v1/events HTTP/1.1\r\nHost: x\r\n\r\n",
)


def test_unfinished_requests_write_nothing(tmp_path: Path, capfd: pytest.CaptureFixture[str]) -> None:
    """Neither those that hang up at once, nor those that wait for an answer, nor those that reset."""
    with node_process(tmp_path, disabled=("chain",)) as node:
        capfd.readouterr()
        for request in UNFINISHED:
            for waits in (False, True):
                for reset in (False, True):
                    with node.connect() as line:
                        line.sendall(request)
                        if waits and request not in (UNFINISHED[0], UNFINISHED[6]):
                            line.recv(1)
                        if reset:
                            line.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
        assert node.get("/healthz") == (200, {"ok": True})
    _, errors = capfd.readouterr()
    assert errors == ""


@contextmanager
def logger(now: list[float]) -> Iterator[tuple[logging.Logger, io.StringIO]]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(LineFormatter(logs.LOG_FORMAT))
    handler.addFilter(RateLimit(lambda: now[0]))
    log = logging.getLogger("sayso_node.test_logs")
    log.propagate = False
    log.addHandler(handler)
    yield log, text
    log.removeHandler(handler)


def test_one_place_writes_so_many_lines_and_says_what_it_left_out() -> None:
    now = [0.0]
    with logger(now) as (log, text):
        for number in range(10_000):
            log.error("stranger %d", number)
        log.error("another place")
        assert len(text.getvalue().splitlines()) == LINES + 1
        now[0] += LINES_S
        for number in range(2):
            log.error("stranger %d", number)
        # The place is another line of this file, so it has nothing to say about what was left out above.
        assert "left out" not in text.getvalue()
        for _ in range(2):
            now[0] += LINES_S
            for _ in range(LINES + 7):
                log.warning("again")
        assert "[7 lines like this were left out] again" in text.getvalue()


def test_a_traceback_is_bounded_too() -> None:
    with logger([0.0]) as (log, text):
        log.error("a fault", exc_info=ValueError("x" * 1_000_000))
        assert len(text.getvalue()) < LINE_CHARS + 100
        assert "a fault" in text.getvalue()
        assert text.getvalue().rstrip().endswith("x")


def test_a_line_is_one_line_and_shows_no_secret() -> None:
    with logger([0.0]) as (log, text):
        log.error("path %s", "/a\nERROR sayso_node: all is lost\r\x1b[2J\x9b")
        error = OSError("wss://u:secret-password@host:1/secret-key?x=secret-query")
        log.error("at https://host/secret-path", exc_info=error)
        first, *rest = text.getvalue().split("\n")
        assert first.endswith("/a\\x0aERROR sayso_node: all is lost\\x0d\\x1b[2J\\x9b")
        assert not any(
            f"secret-{one}" in text.getvalue() for one in ("password", "key", "query", "path")
        )
        assert any(line.startswith("OSError") for line in rest)
        assert "wss://host:1/…" in text.getvalue()


def test_a_process_logs_like_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node and its gossip process alike."""
    monkeypatch.setattr(logging.root, "handlers", [])
    logs.set_up_log(verbose=False)
    [handler] = logging.root.handlers
    assert isinstance(handler.formatter, LineFormatter)
    assert [type(one) for one in handler.filters] == [RateLimit]
    for module in (app, child):
        assert "basicConfig" not in Path(str(module.__file__)).read_text()
    assert vars(child)["set_up_log"] is logs.set_up_log


async def test_many_tasks_that_fail_alike_write_few_lines() -> None:
    with logger([0.0]) as (log, text):

        async def fail(number: int) -> None:
            log.error("a fault in peer %d", number)

        await asyncio.gather(*(fail(number) for number in range(1_000)))
        assert text.getvalue().count("a fault") == LINES
