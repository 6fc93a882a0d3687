"""Who holds connections open, cuts them off or never speaks keeps nobody else out."""

import asyncio
import resource
import socket
import struct
from collections.abc import AsyncIterator, Iterator
from contextlib import ExitStack

import pytest

from node.api.process import HEALTHY, NodeProcess, node_process, parse, read_answer
from node.api.routes import GOOD, STATED, full_node, send, status_of
from node.api.test_refusals import faults_of_the_node
from sayso_node.api.http import bodies, connections
from sayso_node.api.http.connections import HttpConnection
from sayso_node.api.routes import events
from sayso_node.sources import Proxies
from support.node_rig import ManualClock
from support.running_node import RunningNode
from support.waiting import DEADLINE_S, until

IDLE = 1_000
FILES = 4_096  # open ones, of this process and of those that it starts
HALVES = (b"", b"G", b"GET /v1/node HTTP/1.1\r\nHost: x\r\n", b"POST /v1/check HTTP/1.1\r\n")
RESET = struct.pack("ii", 1, 0)  # SO_LINGER: hang up without a word
FIELDS = b"Content-Type: application/json\r\nContent-Length: 99\r\n\r\n{"


@pytest.fixture(scope="module", autouse=True)
def many_files() -> Iterator[None]:
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    most = FILES if hard == resource.RLIM_INFINITY else min(FILES, hard)
    resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, most), hard))
    yield
    resource.setrlimit(resource.RLIMIT_NOFILE, (soft, hard))


@pytest.fixture(scope="module")
def process(tmp_path_factory: pytest.TempPathFactory) -> Iterator[NodeProcess]:
    with node_process(tmp_path_factory.mktemp("idle")) as process:
        yield process


@pytest.mark.parametrize("half", HALVES)
def test_a_thousand_idle_connections(process: NodeProcess, half: bytes) -> None:
    with ExitStack() as stack:
        for _ in range(IDLE):
            stack.enter_context(process.connect()).sendall(half)
        assert process.get("/healthz") == HEALTHY
        for one in GOOD:
            line = stack.enter_context(process.connect())
            line.sendall(one.bytes())
            assert line.recv(12, socket.MSG_WAITALL).startswith(b"HTTP/1.1 "), one
        assert process.get("/healthz") == HEALTHY
    # What was handed in among all that: ONE and STOP, and a statement of each kind.
    assert process.stored() == 2 + len(STATED)


def test_more_than_there_is_room_for(process: NodeProcess) -> None:
    """The oldest idle ones make room."""
    with ExitStack() as stack:
        held = [stack.enter_context(process.connect()) for _ in range(connections.CONNECTIONS + 100)]
        assert process.get("/healthz") == HEALTHY
        assert held[0].recv(1) == b""
        held[-1].sendall(b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\n")
        assert read_answer(held[-1]).startswith(b"HTTP/1.1 200 ")


def test_a_thousand_bodies_that_never_end(process: NodeProcess) -> None:
    """Those make room as well: whoever asks for something small is answered."""
    head = b"POST /v1/typed-data/revocation HTTP/1.1\r\nHost: x\r\n" + FIELDS
    with ExitStack() as stack:
        for _ in range(connections.CONNECTIONS + 100):
            stack.enter_context(process.connect()).sendall(head)
        assert process.get("/healthz") == HEALTHY


@pytest.fixture
async def full(node: RunningNode, clock: ManualClock) -> AsyncIterator[RunningNode]:
    async with full_node(node, clock):
        yield node


async def cut(node: RunningNode, sent: bytes, heard: int) -> None:
    """Send something, read so many bytes of the answer, and reset the connection."""
    host, port = node.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.get_extra_info("socket").setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET)
    writer.write(sent)
    await writer.drain()
    if heard:
        await reader.readexactly(heard)
    writer.transport.abort()


async def test_who_hangs_up_in_the_middle_harms_nobody(
    full: RunningNode, caplog: pytest.LogCaptureFixture, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(events, "BEAT_S", 0.05)  # a listener's end is noticed when it is written to
    for one in GOOD:
        whole = one.bytes()
        for at in {1, 12, len(whole) // 2, len(whole) - 1}:
            await cut(full, whole[:at], 0)
        await cut(full, whole, 0)
        await cut(full, whole, 20)
        assert status_of(await send(full, whole)) == one.status
    # A chunk that is cut, and TLS.
    chunked = "Transfer-Encoding: chunked", "Content-Type: application/msgpack"
    for line in (b"5\r\nab", b"0\r\n", b"\r\n"):
        [submit] = [one for one in GOOD if one.path == "/v1/messages"]
        await cut(full, submit._replace(kind="").bytes(*chunked) + line, 0)
    await cut(full, b"\x16\x03\x01\x02\x00\x01\x00", 0)
    runner = full.node._http._runner
    assert runner
    server = runner.server
    assert server
    connections = [one for one in server.connections if isinstance(one, HttpConnection)]
    assert len(connections) == len(server.connections)
    await until(lambda: not any(one.request for one in connections))
    assert faults_of_the_node(caplog) == []


@pytest.mark.parametrize(
    "begun", [b"", b"GET /v1/no", b"GET /healthz HTTP/1.1\r\nHost: x\r\n\r\nGET /v1"]
)
async def test_who_sends_no_whole_head_is_hung_up_on(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch, begun: bytes
) -> None:
    """Also between two requests."""
    monkeypatch.setattr(connections, "HEAD_S", 0.05)
    host, port = node.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(begun)
    heard = await asyncio.wait_for(reader.read(), DEADLINE_S)
    assert heard.count(b"HTTP/1.1 200 ") == begun.count(b"\r\n\r\n")
    writer.close()


async def test_a_body_byte_by_byte_has_an_end(
    node: RunningNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(bodies, "BODY_S", 0.1)
    host, port = node.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write(b"POST /v1/typed-data/revocation HTTP/1.1\r\nHost: x\r\n" + FIELDS)
    answer = asyncio.create_task(reader.read(4_096))
    while not answer.done():
        writer.write(b" ")
        await asyncio.sleep(0.01)
    assert parse(await answer) == (408, "too-slow")
    writer.close()


async def test_two_requests_at_once_on_a_connection_are_answered_in_order(node: RunningNode) -> None:
    host, port = node.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    paths = ("/v1/peers", "/healthz", "/v1/nothing", "/v1/peers")
    writer.write(b"".join(b"GET %s HTTP/1.1\r\nHost: x\r\n\r\n" % path.encode() for path in paths))
    seen = []
    for _ in paths:
        head = await reader.readuntil(b"\r\n\r\n")
        length = int(head.lower().split(b"content-length: ")[1].split(b"\r\n")[0])
        seen.append((status_of(head), (await reader.readexactly(length))[:8]))
    assert seen == [(200, b'{"peers"'), (200, b'{"ok": t'), (404, b'{"error"'), (200, b'{"peers"')]
    writer.close()


def test_the_limit_follows_the_open_files_that_there_may_be(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(resource, "getrlimit", lambda _which: (100, 100))
    assert connections.Connections(bodies.BodyRoom(0, 0), Proxies())._limit == 50
