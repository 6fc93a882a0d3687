"""What strangers do writes bounded lines, and no line shows a secret or looks like two."""

import ast
import asyncio
import io
import json
import logging
import os
import re
import signal
import socket
import struct
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from structlog.stdlib import BoundLogger

import sayso_node
from node.api.process import node_process
from sayso_node import app
from sayso_node.errors import NodeBusy
from sayso_node.gossip import child
from sayso_node.supervision import children, logs
from sayso_node.supervision.log_events import LOG_EVENTS
from sayso_node.supervision.logs import (
    LINE_CHARS,
    LINES,
    LINES_S,
    REMEMBERED,
    LineFormatter,
    RateLimit,
    logger,
)
from sayso_protocol.messages.envelope import encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.primitives import address_text, hex_text
from support.node_rig import consent, revocation
from support.protocol_strategies import ADA, BEN
from support.waiting import DEADLINE_S

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
def lines(now: list[float], *, as_json: bool = False) -> Iterator[tuple[BoundLogger, io.StringIO]]:
    text = io.StringIO()
    handler = logging.StreamHandler(text)
    handler.setFormatter(LineFormatter(as_json=as_json))
    handler.addFilter(RateLimit(lambda: now[0]))
    plain = logging.getLogger("sayso_node.test_logs")
    plain.propagate = False
    plain.setLevel(logging.INFO)
    plain.addHandler(handler)
    yield logger("sayso_node.test_logs"), text
    plain.removeHandler(handler)


def test_one_event_writes_so_many_lines_and_says_what_it_left_out() -> None:
    now = [0.0]
    with lines(now) as (log, text):
        for number in range(10_000):
            log.error("item-failed", item=number)
        log.error("part-failed")
        assert len(text.getvalue().splitlines()) == LINES + 1
        now[0] += LINES_S
        log.error("item-failed", item=1)
        log.error("part-failed", part="another")
        assert text.getvalue().count("left_out") == 1
        assert f"item=1 left_out={10_000 - LINES}" in text.getvalue()


def test_a_line_that_repeats_is_counted() -> None:
    now = [0.0]
    with lines(now) as (log, text):
        for _ in range(7):
            log.warning("chain-unread", error="no answer")
        log.warning("chain-unread", error="another answer")
        assert text.getvalue().count("chain-unread") == 2
        assert text.getvalue().count("left_out=6") == 1
        now[0] += LINES_S
        log.warning("chain-unread", error="no answer")
        assert text.getvalue().count('error="no answer"') == 2


def test_memory_for_lines_is_bounded() -> None:
    limit = RateLimit(lambda: 0.0)
    for number in range(5_000):
        limit.filter(logging.LogRecord("x", 20, f"/{number}", number, "%d", (number,), None))
    assert max(len(limit._events), len(limit._lines)) <= REMEMBERED


def test_a_traceback_is_bounded_too() -> None:
    with lines([0.0]) as (log, text):
        log.error("item-failed", item="y" * 1_000_000, exc_info=ValueError("x" * 1_000_000))
        assert len(text.getvalue()) < LINE_CHARS + 100
        assert "item-failed: " in text.getvalue()
        assert text.getvalue().rstrip().endswith("x")


def test_a_line_is_one_line_and_shows_no_secret() -> None:
    with lines([0.0]) as (log, text):
        log.error("item-failed", item="/a\nERROR sayso_node: all is lost\r\x1b[2J\x9b\u2028")
        error = OSError("wss://u:secret-password@host:1/secret-key?x=secret-query password=secret-word")
        log.error("part-failed", part="https://host/secret-path", exc_info=error)
        first, *rest = text.getvalue().split("\n")
        assert first.endswith('"/a\\x0aERROR sayso_node: all is lost\\x0d\\x1b[2J\\x9b\\x2028"')
        assert "secret-" not in text.getvalue()
        assert any(line.startswith("OSError") for line in rest)
        assert "wss://host:1/…" in text.getvalue()


def test_json_is_one_object_a_line_in_utc(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    time.tzset()
    try:
        with lines([0.0], as_json=True) as (log, text):
            log.error("part-failed", part="payer", tries=3, exc_info=ValueError("one\ntwo"))
            log.warning("settings-later", names={"b", "a"}, error=NodeBusy("wait"))
    finally:
        monkeypatch.undo()
        time.tzset()
    one, two = (json.loads(line) for line in text.getvalue().splitlines())
    at = datetime.fromisoformat(one.pop("time"))
    assert at.utcoffset() == timedelta(0)
    assert abs(at - datetime.now(UTC)) < timedelta(hours=1)
    assert one.pop("exception").endswith("ValueError: one\ntwo")
    assert one == {
        "event": "part-failed",
        "meaning": LOG_EVENTS["part-failed"],
        "logger": "sayso_node.test_logs",
        "level": "error",
        "part": "payer",
        "tries": 3,
    }
    assert (two["names"], two["error"]) == ("a, b", "wait")


def test_lines_of_libraries_are_events_too() -> None:
    with lines([0.0], as_json=True) as (_, text):
        logging.getLogger("sayso_node.test_logs").error("of %s", "a\nlibrary")
        line = json.loads(text.getvalue())
        assert (line["event"], line["message"]) == ("library", "of a\nlibrary")


def test_a_process_logs_like_that(monkeypatch: pytest.MonkeyPatch) -> None:
    """The node and its gossip process alike."""
    monkeypatch.setattr(logging.root, "handlers", [])
    logs.set_up_log(verbose=False)
    [handler] = logging.root.handlers
    assert isinstance(handler.formatter, LineFormatter)
    assert [type(one) for one in handler.filters] == [RateLimit]
    assert logs.FORM in children.INHERITED
    for module in (app, child):
        assert "basicConfig" not in Path(str(module.__file__)).read_text()
    assert vars(child)["set_up_log"] is logs.set_up_log


async def test_many_tasks_that_fail_alike_write_few_lines() -> None:
    with lines([0.0]) as (log, text):

        async def fail(number: int) -> None:
            log.error("item-failed", item=f"peer {number}")

        await asyncio.gather(*(fail(number) for number in range(1_000)))
        assert text.getvalue().count("item-failed") == LINES


LEVELS = {"debug", "info", "warning", "error", "exception", "critical"}


def written_events() -> Iterator[tuple[str, str | None]]:
    """Where a module of the node writes a line, and the event; None if it is not a name as it stands."""
    for path in Path(str(sayso_node.__file__)).parent.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Attribute):
                continue
            of = node.func.value
            if isinstance(of, ast.Name) and of.id in {"log", "_log"} and node.func.attr in LEVELS:
                event = node.args[0] if len(node.args) == 1 else None
                yield str(path), str(event.value) if isinstance(event, ast.Constant) else None


def test_every_line_has_an_event_with_a_meaning() -> None:
    written = list(written_events())
    assert len(written) > 50
    assert [path for path, event in written if event not in LOG_EVENTS] == []
    assert LOG_EVENTS.keys() - {event for _, event in written} == {"library"}
    assert all(re.fullmatch(r"[a-z]+(-[a-z]+)*", name) for name in LOG_EVENTS)


def test_nobody_and_no_secret_is_in_the_log_of_a_node(
    tmp_path: Path, capfd: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Through consents and revocations, wrong requests, an endpoint and a database with passwords."""
    monkeypatch.setenv("SAYSO_LOG", "json")
    one, stop = consent(1), revocation("everything")
    body = encode_bundle([encode(envelope) for envelope in (one, stop)])
    rpc = f"http://user:{SECRETS[0]}@127.0.0.1:1/v2/{SECRETS[1]}?key={SECRETS[2]}"
    with node_process(tmp_path, rpc=rpc) as node:
        head = b"POST /v1/messages HTTP/1.1\r\nHost: x\r\n" + PACKED
        node.send(head + b"Content-Length: %d\r\n\r\n" % len(body) + body)
        for path in (f"/v1/licenses/{hex_text(one.digest)}", f"/v1/contributors/{address_text(ADA)}/x"):
            node.get(path)
        assert node.stored() > 0
        config = node.folder / "node.toml"
        database = f'store = "postgresql://u:{SECRETS[3]}@127.0.0.1:1/x"'
        for before, after, event in (
            ('store = ""', database, "settings-later"),
            ("max_fee_gwei = 200.0", f'max_fee_gwei = "{SECRETS[3]}"', "settings-unread"),
        ):
            config.write_text(config.read_text().replace(before, after))
            os.kill(node.pid, signal.SIGHUP)
            until_line(capfd, event)
        config.write_text(config.read_text().replace(f'"{SECRETS[3]}"', "200.0"))
    wrong = subprocess.run(
        [sys.executable, "-m", "sayso_node", str(node.folder)],
        input=b"",
        capture_output=True,
        check=False,
    )
    text = SEEN.pop() + wrong.stderr.decode()
    assert "chain-unread" in text
    assert "Traceback" not in text
    seen = text.lower()
    keys = [hex_text(value)[2:] for value in (one.digest, stop.digest, ADA, BEN, *one.items)]
    secrets = [*SECRETS, *keys, (node.folder / "identity.key").read_text().strip()]
    assert [secret for secret in secrets if secret.lower() in seen] == []


SECRETS = ("s3cret-of-the-user", "s3cret-of-the-path", "s3cret-of-the-query", "s3cret-of-the-database")
SEEN: list[str] = [""]


def until_line(capfd: pytest.CaptureFixture[str], words: str) -> None:
    """Wait until the log has a new line with these words."""
    end = time.monotonic() + DEADLINE_S
    new = ""
    while words not in new:
        assert time.monotonic() < end, new
        time.sleep(0.05)
        new += capfd.readouterr().err
    SEEN[0] += new
