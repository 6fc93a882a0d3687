"""A node process behind a real socket, for tests that an event loop of their own would disturb.

with node_process(folder) as node:
    answer = node.send(b"GET /healthz HTTP/1.1\\r\\nHost: x\\r\\n\\r\\n")
"""

import json
import os
import socket
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import replace
from http.client import HTTPConnection
from pathlib import Path
from typing import Any

from sayso.demo.ports import LOOPBACK, free_ports
from sayso_node.folder.config import init_node
from sayso_node.folder.settings import Settings
from sayso_node.store.opening import location_in, store_at
from sayso_protocol.network_file import NetworkFile
from support.protocol_strategies import NETWORK
from support.waiting import DEADLINE_S

HEALTHY = 200, {"ok": True}
DEFAULT = NetworkFile(NETWORK, 1, 0)


class NodeProcess:
    """A node that runs, and what its HTTP port says."""

    def __init__(self, folder: Path, port: int, pid: int) -> None:
        self.folder, self.port, self.pid = folder, port, pid
        self.url = f"http://{LOOPBACK}:{port}"

    def connect(self) -> socket.socket:
        return socket.create_connection((LOOPBACK, self.port), timeout=DEADLINE_S)

    def send(self, request: bytes) -> bytes:
        """Send bytes on a connection of their own; all that comes until the node hangs up or is done."""
        with closing(self.connect()) as line:
            line.sendall(request)
            return read_answer(line)

    def get(self, path: str) -> tuple[int, Any]:
        with closing(HTTPConnection(LOOPBACK, self.port, timeout=DEADLINE_S)) as http:
            http.request("GET", path)
            answer = http.getresponse()
            return answer.status, json.loads(answer.read())

    def stored(self) -> int:
        """How many messages its store holds."""
        store = store_at(location_in(self.folder))
        store.start()
        try:
            with store.read() as db:
                count: int = db.execute(
                    "SELECT (SELECT count(*) FROM messages) + (SELECT count(*) FROM pending)"
                    " + (SELECT count(*) FROM waiting)"
                ).fetchone()[0]
        finally:
            store.stop()
        return count


def read_answer(line: socket.socket) -> bytes:
    """One answer: to its end by length, or until the other side hangs up."""
    answer = b""
    while part := _part(line):
        answer += part
        head, separator, body = answer.partition(b"\r\n\r\n")
        length = [one for one in head.lower().split(b"\r\n") if one.startswith(b"content-length:")]
        if separator and length and len(body) >= int(length[0].split(b":")[1]):
            break
    return answer


def _part(line: socket.socket) -> bytes:
    try:
        return line.recv(65_536)
    except ConnectionError:  # hung up on with something unread
        return b""


def parse(answer: bytes) -> tuple[int, str]:
    """Status and code of a refusal, which is in the one shape."""
    head, _, body = answer.partition(b"\r\n\r\n")
    status = int(head.split(b" ")[1])
    assert b"application/json" in head, answer
    error = json.loads(body)["error"]
    assert set(error) == {"code", "message"}
    return status, error["code"]


@contextmanager
def node_process(
    folder: Path, *, trusted: NetworkFile = DEFAULT, **changes: Any
) -> Iterator[NodeProcess]:
    """Start a node without peers, and without a chain unless told of one; stop it at the end.

    It reads its settings and keys in `folder`/node; what else they name there has to be there already.
    """
    port, listen = free_ports(2)
    settings = Settings(
        name="process",
        network="../network.toml",
        http=f"{LOOPBACK}:{port}",
        listen=(f"/ip4/{LOOPBACK}/tcp/{listen}",),
        rpc=f"http://{LOOPBACK}:1",
    )
    operator = init_node(folder / "node", replace(settings, **changes), os.urandom)
    trusted = replace(trusted, operators=(operator,))
    (folder / "network.toml").write_text(trusted.to_toml())
    process = subprocess.Popen(
        [sys.executable, "-m", "sayso_node", str(folder / "node")], stdin=subprocess.PIPE
    )
    try:
        node = NodeProcess(folder / "node", port, process.pid)
        _await(node, process)
        yield node
    finally:
        ended = process.poll()
        assert process.stdin
        process.stdin.close()
        assert (ended, process.wait(DEADLINE_S)) == (None, 0)


def _await(node: NodeProcess, process: "subprocess.Popen[bytes]") -> None:
    end = time.monotonic() + DEADLINE_S
    while process.poll() is None and time.monotonic() < end:
        try:
            assert node.get("/healthz") == HEALTHY
        except ConnectionError:
            time.sleep(0.05)
        else:
            return
    raise AssertionError("the node did not start")


@contextmanager
def watched(node: NodeProcess) -> Iterator[None]:
    """Ask for /healthz again and again: each answer is there, and is the right one."""
    over, wrong = threading.Event(), list[object]()

    def look() -> None:
        while not over.wait(0.05):
            try:
                answer = node.get("/healthz")
            except OSError as error:
                wrong.append(error)
                return
            if answer != HEALTHY:
                wrong.append(answer)

    thread = threading.Thread(target=look)
    thread.start()
    try:
        yield
    finally:
        over.set()
        thread.join()
    assert not wrong
