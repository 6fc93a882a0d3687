"""What whole processes go through: a full disk, a stopped child, a twin, folders with faults."""

import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Callable, Iterator
from contextlib import ExitStack, contextmanager, suppress
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from click.testing import CliRunner

from sayso.demo.ports import LOOPBACK, free_ports
from sayso.main import cli
from sayso_node.folder.config import init_node
from sayso_node.folder.lock import LOCK_FILE
from sayso_node.folder.settings import Settings
from sayso_protocol.messages.envelope import Envelope, encode
from sayso_protocol.messages.wire import encode_bundle
from sayso_protocol.network_file import NetworkFile, Operator
from sayso_protocol.primitives import hex_text
from support.machine import lacks
from support.node_rig import consent, revocation
from support.protocol_strategies import NETWORK
from support.waiting import DEADLINE_S

MSGPACK = {"Content-Type": "application/msgpack"}


def eventually(
    condition: Callable[[], object], process: "subprocess.Popen[bytes] | None" = None
) -> None:
    deadline = time.monotonic() + DEADLINE_S
    while not condition():
        assert process is None or process.poll() is None, "the node has ended"
        assert time.monotonic() < deadline, "it did not come true"
        time.sleep(0.1)


class Node:
    """A node's folder, and its HTTP API."""

    def __init__(self, folder: Path, **changes: Any) -> None:
        self.folder = folder
        http, peer = free_ports(2)
        self.url = f"http://{LOOPBACK}:{http}"
        self.settings = Settings(
            name=folder.name,
            network="network.toml",
            http=f"{LOOPBACK}:{http}",
            listen=(f"/ip4/{LOOPBACK}/tcp/{peer}",),
            rpc=f"http://{LOOPBACK}:1",
            sync_interval_s=0.5,
            disabled=("chain", "snapshots"),
        )
        self.settings = replace(self.settings, **changes)
        self.operator = init_node(folder, self.settings, os.urandom)

    def trust(self, *operators: Operator) -> None:
        trusted = NetworkFile(NETWORK, 1, 0, operators)
        (self.folder / "network.toml").write_text(trusted.to_toml())

    def ask(self, path: str, data: bytes | None = None) -> tuple[int, Any]:
        request = urllib.request.Request(self.url + path, data=data, headers=MSGPACK if data else {})
        try:
            with urllib.request.urlopen(request, timeout=DEADLINE_S) as answer:
                return answer.status, json.loads(answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return error.code, json.loads(error.read())
        except (urllib.error.URLError, ConnectionError):
            return 0, None

    def reasons(self) -> dict[str, str]:
        _, body = self.ask("/readyz")
        return {one["code"]: one["text"] for one in body["reasons"]} if body else {}

    def submit(self, *envelopes: Envelope) -> tuple[int, Any]:
        return self.ask("/v1/messages", encode_bundle([encode(one) for one in envelopes]))

    @contextmanager
    def running(self, *before: str) -> Iterator["subprocess.Popen[bytes]"]:
        command = [*before, sys.executable, "-m", "sayso_node", str(self.folder)]
        with (self.folder.parent / f"{self.folder.name}.log").open("wb") as log:
            process = subprocess.Popen(command, stdin=subprocess.PIPE, stderr=log)
            try:
                eventually(lambda: self.ask("/healthz")[0] == 200, process)
                yield process
            finally:
                assert process.stdin
                process.stdin.close()
                process.wait(DEADLINE_S)


def child_of(pid: int) -> int:
    """The gossip process of a node."""
    found = subprocess.run(
        ["pgrep", "-P", str(pid), "-f", "gossip.child"], capture_output=True, text=True, check=True
    )
    return int(found.stdout.split()[0])


@pytest.mark.long
def test_a_stopped_gossip_process_is_named_and_replaced(tmp_path: Path) -> None:
    node = Node(tmp_path / "node")
    node.trust(node.operator)
    with node.running() as process:
        child = child_of(process.pid)
        os.kill(child, signal.SIGSTOP)
        eventually(lambda: "part-down" in node.reasons(), process)
        assert "gossip" in node.reasons()["part-down"]
        eventually(lambda: "part-down" not in node.reasons(), process)
        assert child_of(process.pid) != child
        with pytest.raises(ProcessLookupError):
            os.kill(child, 0)


def fill(ballast: Path) -> None:
    """Write until the disk has no room."""
    with suppress(OSError), ballast.open("wb", buffering=0) as file:
        while True:
            file.write(bytes(65_536))


MOUNTED = 'mount -t tmpfs -o size=24m tmpfs "$1" && cp -a "$2/." "$1" && shift 2 && exec "$@"'


@pytest.mark.long
def test_a_full_disk_loses_nothing_and_says_so(tmp_path: Path) -> None:
    if os.geteuid() != 0 or shutil.which("unshare") is None:
        lacks("root on Linux, with unshare")
    node = Node(tmp_path / "node")
    node.trust(node.operator)
    disk, start = tmp_path / "node", tmp_path / "start"
    disk.rename(start)
    disk.mkdir()
    mounted = ("unshare", "--mount", "sh", "-c", MOUNTED, "sh", str(disk), str(start))
    kept, refused = list[bytes](), list[bytes]()
    with node.running(*mounted) as process:
        seen = Path(f"/proc/{process.pid}/root") / disk.relative_to("/")  # in its own mount namespace
        for number in range(1, 6):
            status, body = node.submit(consent(number, sponsor=None))
            assert (status, body["results"][0]["status"]) == (200, "stored")
            kept.append(consent(number).digest)
        fill(seen / "ballast")
        stop = revocation("everything")
        for number in range(6, 400):
            status, body = node.submit(consent(number, sponsor=None))
            (kept if status == 200 else refused).append(consent(number).digest)
            if refused:
                break
        assert refused
        status, body = node.submit(stop)
        acknowledged = status == 200 and "acknowledgement" in body["results"][0]
        if not acknowledged:
            assert status == 503
        eventually(lambda: "store-unwritable" in node.reasons(), process)
        assert node.ask("/readyz")[0] == 503
        status, body = node.ask(f"/v1/licenses/{hex_text(kept[0])}")
        assert status == 200  # what it knows it still answers
        (seen / "ballast").unlink()
        eventually(lambda: node.submit(stop)[0] == 200, process)
        eventually(lambda: "store-unwritable" not in node.reasons(), process)
        status, body = node.submit(stop)
        assert body["results"][0]["acknowledgement"]
        for digest in kept:
            assert node.ask(f"/v1/licenses/{hex_text(digest)}")[0] == 200
        shutil.copytree(seen, tmp_path / "after")
    again = Path(tmp_path / "node")
    again.rmdir()
    shutil.move(tmp_path / "after", again)
    with node.running():
        for digest in kept:
            assert node.ask(f"/v1/licenses/{hex_text(digest)}")[0] == 200


@pytest.mark.long
def test_two_processes_with_one_identity_sign_nothing(tmp_path: Path) -> None:
    """Over libp2p: a peer hears both, though each has a folder, a store and ports of its own."""
    peer, one = Node(tmp_path / "peer"), Node(tmp_path / "one")
    two = Node(tmp_path / "two")
    shutil.copy(one.folder / "identity.key", two.folder / "identity.key")
    for node in (peer, one, two):
        node.trust(peer.operator, one.operator)
    with ExitStack() as stack:
        for node in (peer, one):
            stack.enter_context(node.running())
        eventually(lambda: "peers-unsynced" not in one.reasons())
        assert "identity-used-twice" not in one.reasons()
        stack.enter_context(two.running())
        for node in (one, two):
            eventually(lambda node=node: "identity-used-twice" in node.reasons())  # type: ignore[misc]
            status, body = node.submit(revocation("everything"))
            assert status in {202, 503}
            assert "acknowledgement" not in json.dumps(body)


def _folder(path: Path) -> None:
    path.unlink(missing_ok=True)
    path.mkdir()


def _text(path: Path, text: str) -> None:
    path.write_text(text)


def _bytes(path: Path) -> None:
    path.write_bytes(b"\xff\xfe\x00" * 999)


def _set(node: Node, before: str, after: str) -> None:
    path = node.folder / "node.toml"
    text = path.read_text()
    assert before in text
    path.write_text(text.replace(before, after))


DATABASE = 'store = "postgresql://u:p@127.0.0.1:1/x"'
NOWHERE = 'http = "no.such.name.invalid:1"'
WRONG: dict[str, Callable[[Node], None]] = {
    "settings are a folder": lambda node: _folder(node.folder / "node.toml"),
    "identity is a folder": lambda node: _folder(node.folder / "identity.key"),
    "identity is empty": lambda node: _text(node.folder / "identity.key", ""),
    "no network file": lambda node: (node.folder / "network.toml").unlink(),
    "network file is binary": lambda node: _bytes(node.folder / "network.toml"),
    "settings are binary": lambda node: _bytes(node.folder / "node.toml"),
    "lock is a folder": lambda node: _folder(node.folder / LOCK_FILE),
    "store is a folder": lambda node: _folder(node.folder / "store.sqlite"),
    "store is no database": lambda node: _bytes(node.folder / "store.sqlite"),
    "no name": lambda node: _set(node, f'http = "{node.settings.http}"', NOWHERE),
    "no database": lambda node: _set(node, 'store = ""', DATABASE),
    "no multiaddr": lambda node: _set(node, node.settings.listen[0], "/ip4/127.0.0.1/tcp/1/tcp/2"),
}
COMMANDS = (["sayso_node"], ["sayso", "node", "run"], ["sayso", "node", "doctor"])


def ended(node: Node, command: list[str]) -> tuple[int, str]:
    done = subprocess.run(
        [sys.executable, "-m", *command, str(node.folder)],
        input=b"",
        capture_output=True,
        timeout=DEADLINE_S,
        check=False,
        cwd=node.folder.parent,
    )
    return done.returncode, (done.stdout + done.stderr).decode()


@pytest.mark.long
@pytest.mark.parametrize("how", WRONG)
def test_no_operator_sees_a_traceback(tmp_path: Path, how: str) -> None:
    """Whatever is wrong in the folder or with the settings: one line, with a code and what is meant."""
    node = Node(tmp_path / "node")
    node.trust(node.operator)
    WRONG[how](node)
    for command in COMMANDS:
        status, said = ended(node, command)
        assert "Traceback" not in said
        assert status == 1, said
        assert "error [" in said or "FAIL" in said


@pytest.mark.long
@pytest.mark.parametrize("kind", ["http", "peers"])
def test_a_port_that_is_taken_is_one_line(tmp_path: Path, kind: str) -> None:
    node = Node(tmp_path / "node")
    node.trust(node.operator)
    port = node.settings.http.rpartition(":")[2]
    if kind == "peers":
        port = node.settings.listen[0].rpartition("/")[2]
    with socket.create_server((LOOPBACK, int(port))):
        for command in COMMANDS[:2]:
            status, said = ended(node, command)
            assert (status, "Traceback" in said) == (1, False), said
            assert "error [" in said


def test_no_settings_no_traceback(tmp_path: Path) -> None:
    """The short cut of the above: a node is never started."""
    for command in (["node", "run"], ["node", "doctor"]):
        result = CliRunner().invoke(cli, [*command, str(tmp_path / "nowhere")])
        assert (result.exit_code, type(result.exception)) == (1, SystemExit)
        assert "error [" in result.output or "FAIL" in result.output
