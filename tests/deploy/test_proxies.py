"""The samples for nginx and Caddy before a node that echoes; only ports and certificates differ."""

import json
import os
import re
import subprocess
import threading
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing, contextmanager
from http.client import HTTPConnection
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from docs.markdown import ROOT
from sayso.demo.ports import LOOPBACK, free_ports
from support.machine import need
from support.waiting import DEADLINE_S, POLL_S

DEPLOY = ROOT / "deploy"
FORGED = {"X-Forwarded-For": "203.0.113.9", "Forwarded": "for=203.0.113.9"}


class Echo(BaseHTTPRequestHandler):
    """Answers what it was asked; a stream of events sends one, and waits until it is told to end."""

    protocol_version = "HTTP/1.1"
    over = threading.Event()

    def do_POST(self) -> None:
        size = int(self.headers.get("Content-Length") or 0)
        self._answer(len(self.rfile.read(size)))

    def do_GET(self) -> None:
        if self.path == "/v1/events":
            self.send_response(200)
            self.send_header("Content-Type", "text/event-stream")
            self.send_header("Connection", "close")
            self.end_headers()
            self.wfile.write(b"data: one\n\n")
            self.wfile.flush()
            self.over.wait(DEADLINE_S)
            self.close_connection = True
            return
        self._answer(0)

    def _answer(self, size: int) -> None:
        assert isinstance(self.server, ThreadingHTTPServer)
        said = {"path": self.path, "size": size, "headers": self.headers.items()}
        body = json.dumps(said | {"port": self.server.server_port}).encode()
        self.send_response(200)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, *_: object) -> None:
        """Say nothing."""


@contextmanager
def echo(port: int) -> Iterator[None]:
    Echo.over.clear()
    server = ThreadingHTTPServer((LOOPBACK, port), Echo)
    thread = threading.Thread(target=server.serve_forever, args=(POLL_S,))
    thread.start()
    try:
        yield
    finally:
        Echo.over.set()
        server.shutdown()
        thread.join()
        server.server_close()


@contextmanager
def running(command: list[str], url: str, **options: Any) -> Iterator[str]:
    process = subprocess.Popen(command, stderr=subprocess.DEVNULL, **options)
    try:
        end = time.monotonic() + DEADLINE_S
        while process.poll() is None and time.monotonic() < end:
            try:
                ask(url, "/healthz")
            except OSError:
                time.sleep(0.05)
            else:
                break
        assert process.poll() is None, "the proxy has ended"
        yield url
    finally:
        process.terminate()
        process.wait(DEADLINE_S)


def nginx(folder: Path, http: int, peers: int, port: int) -> tuple[list[str], dict[str, Any]]:
    text = (DEPLOY / "nginx" / "sayso.conf").read_text()
    server, _, _ = text.partition("server {\n    listen 80;")
    server = re.sub(r"    (listen \[::\]:443 ssl|ssl_\w+ .*);\n", "", server)
    for before, after in (
        ("listen 443 ssl", f"listen {LOOPBACK}:{port}"),
        (f"{LOOPBACK}:8600", f"{LOOPBACK}:{http}"),
        (f"{LOOPBACK}:4601", f"{LOOPBACK}:{peers}"),
    ):
        assert before in server
        server = server.replace(before, after)
    paths = "".join(
        f"{one}_temp_path {folder / one};\n"
        for one in ("client_body", "proxy", "fastcgi", "uwsgi", "scgi")
    )
    user = "user root;\n" if os.geteuid() == 0 else ""
    (folder / "nginx.conf").write_text(
        f"{user}pid {folder}/pid;\nerror_log {folder}/error;\ndaemon off;\n"
        f"events {{}}\nhttp {{\naccess_log off;\n{paths}{server}\n}}\n"
    )
    return ["nginx", "-c", str(folder / "nginx.conf"), "-e", str(folder / "early")], {}


def caddy(folder: Path, http: int, peers: int, port: int) -> tuple[list[str], dict[str, Any]]:
    path = folder / "Caddyfile"
    text = (DEPLOY / "caddy" / "Caddyfile").read_text()
    path.write_text(text.replace("grace_period 10s", "admin off\n\tgrace_period 100ms"))
    environment = {
        "PATH": os.environ["PATH"],
        "HOME": str(folder),
        "SAYSO_DOMAIN": f"http://{LOOPBACK}:{port}",
        "SAYSO_HTTP": f"{LOOPBACK}:{http}",
        "SAYSO_WEBSOCKET": f"{LOOPBACK}:{peers}",
    }
    command = ["caddy", "run", "--config", str(path), "--adapter", "caddyfile"]
    return command, {"env": environment}


PROXIES: dict[str, Callable[..., tuple[list[str], dict[str, Any]]]] = {"nginx": nginx, "caddy": caddy}


@contextmanager
def proxy(name: str, folder: Path) -> Iterator[tuple[str, int, int]]:
    """A proxy before an HTTP port and a WebSocket port; yields its URL and both ports."""
    need(name)
    http, peers, port = free_ports(3)
    command, options = PROXIES[name](folder, http, peers, port)
    with echo(http), echo(peers), running(command, f"http://{LOOPBACK}:{port}", **options) as url:
        yield url, http, peers


def ask(url: str, path: str, method: str = "GET", **options: Any) -> tuple[int, Any]:
    request = urllib.request.Request(url + path, method=method, **options)
    try:
        with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
            return answer.status, json.loads(answer.read())
    except urllib.error.HTTPError as error:
        with error:
            return error.code, None


def upgraded(url: str) -> Any:
    """Ask for a WebSocket; urllib would close the connection."""
    with closing(HTTPConnection(url.removeprefix("http://"), timeout=DEADLINE_S)) as http:
        http.request("GET", "/", headers={"Connection": "Upgrade", "Upgrade": "websocket"})
        return json.loads(http.getresponse().read())


@pytest.mark.long
@pytest.mark.parametrize("name", PROXIES)
def test_who_asks_is_said_once_and_not_believed(tmp_path: Path, name: str) -> None:
    with proxy(name, tmp_path) as (url, http, peers):
        status, said = ask(url, "/v1/status?x=1", headers=FORGED)
        headers = {key.lower(): value for key, value in said["headers"]}
        assert (status, said["port"], said["path"]) == (200, http, "/v1/status?x=1")
        assert headers["x-forwarded-for"] == LOOPBACK
        assert not headers.get("forwarded")
        assert ask(url, "/metrics")[0] == 404
        assert upgraded(url)["port"] == peers
        assert ask(url, "/")[1]["port"] == http


@pytest.mark.long
@pytest.mark.parametrize("name", PROXIES)
def test_a_large_body_passes_and_a_larger_one_does_not(tmp_path: Path, name: str) -> None:
    with proxy(name, tmp_path) as (url, _, _):
        assert ask(url, "/v1/check", "POST", data=bytes(20_000_000))[1]["size"] == 20_000_000
        try:
            status, _ = ask(url, "/v1/check", "POST", data=bytes(257 * 1_048_576))
        except OSError:  # it hung up on us while we sent
            status = 413
        assert status in {413, 502}


@pytest.mark.long
@pytest.mark.parametrize("name", PROXIES)
def test_an_event_comes_while_the_stream_is_open(tmp_path: Path, name: str) -> None:
    with (
        proxy(name, tmp_path) as (url, _, _),
        urllib.request.urlopen(f"{url}/v1/events", timeout=DEADLINE_S) as stream,
    ):
        assert stream.readline() == b"data: one\n"
        assert not Echo.over.is_set()


@pytest.mark.long
def test_nginx_limits_reads_and_consents_and_no_revocation(tmp_path: Path) -> None:
    with proxy("nginx", tmp_path) as (url, _, _):

        def statuses(method: str, path: str, count: int) -> set[int]:
            data = b"{}" if method == "POST" else None
            with ThreadPoolExecutor(16) as pool:  # faster than any limit, also on a busy machine
                asked = [pool.submit(ask, url, path, method, data=data) for _ in range(count)]
            return {one.result()[0] for one in asked}

        for path in ("/v1/revocations", "/v1/messages", "/v1/typed-data/revocation"):
            assert statuses("POST", path, 300) == {200}, path
        assert statuses("POST", "/v1/consents", 300) == {200, 429}
        assert statuses("GET", "/v1/status", 400) == {200, 429}
        assert statuses("GET", "/readyz", 50) == {200}
        assert statuses("POST", "/v1/revocations", 50) == {200}  # while its source reads too much
